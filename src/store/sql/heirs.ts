/**
 * Passing on what hangs on an image that is gone to the one that took its place: labels of every origin, regions with their
 * shapes, candidates, audit items, splits, attributes, what exports showed, and the log of operations, so that undo finds them. What the heir has
 * of its own stays. The image itself, of which nothing is left then, leaves the record.
 *
 * Every statement asks for itself whether the image is gone, in the transaction that made it so: one that still has a
 * path keeps everything.
 */
import type { ImageId } from '../../core/ids.ts';
import { imageId } from './column.ts';
import { auditItems, exportStates } from './stage-tables.ts';
import { type Statement, statement } from './statement.ts';
import { snake } from './table.ts';
import {
  candidates,
  detections,
  formerLabels,
  imageAttributes,
  imagePrints,
  imageSlopes,
  imageSplits,
  labels,
  operationLabels,
  operationRegions,
  regionShapes,
  regions,
} from './tables.ts';
import type { Work } from './work.ts';

interface Passing {
  readonly from: ImageId;
  readonly to: ImageId;
}

const IS_GONE = 'exists (select 1 from gone_image where gone_image.image_id = :from)';

/** Tables with rows of an image, which are told apart by the rest of their key. */
const PASSED = [
  regionShapes,
  labels,
  formerLabels,
  candidates,
  detections,
  imageSplits,
  imageAttributes,
  imagePrints,
  auditItems,
  exportStates,
  operationLabels,
  operationRegions,
].map(({ name, key }) => ({ name, others: key.map(snake).filter((column) => column !== 'image_id') }));

const regionColumns = regions.names.filter((name) => name !== 'image_id').join(', ');

/** In their order. */
const STATEMENTS: readonly Statement<Passing>[] = [
  `insert into region (image_id, ${regionColumns}) select :to, ${regionColumns} from region
    where image_id = :from and ${IS_GONE}
      and not exists (select 1 from region as own where own.image_id = :to and own.id = region.id)`,
  ...PASSED.map(({ name, others }) => {
    const same = others.map((column) => ` and own.${column} = ${name}.${column}`).join('');
    return `update ${name} set image_id = :to where image_id = :from and ${IS_GONE}
      and not exists (select 1 from ${name} as own where own.image_id = :to${same})`;
  }),
  // What the heir had of its own was not passed on, and slopes belong to the print of one picture.
  ...[...PASSED.map(({ name }) => name), imageSlopes.name, 'region'].map(
    (name) => `delete from ${name} where image_id = :from and ${IS_GONE}`,
  ),
  `delete from similar_pair where a = :from and ${IS_GONE}`,
  `delete from similar_pair where b = :from and ${IS_GONE}`,
  `update image set group_id = (
      select other.id from image as other where other.group_id = :from and other.id <> :from order by other.id limit 1)
    where group_id = :from and id <> :from and ${IS_GONE}`,
  `update image_path set image_id = :to where image_id = :from and missing = 1 and ${IS_GONE}`,
  'delete from gone_image where image_id = :from',
  // Nothing refers to it by now, unless it is not gone.
  `delete from image where id = :from and id <> :to
    and not exists (select 1 from image_path where image_path.image_id = :from)`,
].map((text) => statement(text, { from: imageId, to: imageId }));

/** Adds what passes on to a transaction whose statements so far have made the images gone. */
export function passOn(work: Work, heirs: ReadonlyMap<ImageId, ImageId>): void {
  for (const [from, to] of heirs) for (const one of STATEMENTS) work.add(one, { from, to });
  work.touch(heirs.values());
}
