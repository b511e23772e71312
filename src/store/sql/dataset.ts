/** Images with their current labels and regions, for exports and reports. */
import type { DatasetImage, RegionRecord } from '../../core/dataset.ts';
import { sha256Hex } from '../../core/ids.ts';
import type { Attributes } from '../../core/region-details.ts';
import type { DatasetQuery, DatasetStore } from '../store.ts';
import { classQuery, classRecords } from './classes.ts';
import { ORIGIN_CODES } from './codes.ts';
import { hexOf, NO_BYTES } from './column.ts';
import { type DatasetLabelRow, NOTHING_SAID, type Said, saidOfItems } from './dataset-labels.ts';
import type { Dictionary } from './dictionary.ts';
import { sourceRootOf, taskOf } from './dictionary.ts';
import { exportName, rootNames } from './export-name.ts';
import { attributesOfRow } from './images.ts';
import { rootsInUse } from './paths.ts';
import { NO_SHAPE, type RegionRow, type ShapeRow, shapeOf } from './region-rows.ts';
import type { Session } from './session.ts';

export function datasetStore(session: Session): DatasetStore {
  return {
    dataset: (query) => readDataset(session, query),

    async datasetView() {
      const { rows, dictionary: names } = await session.read([classQuery(session.db)]);
      const fixed = { names, roots: await rootsInUse(session) };
      const read = (query: DatasetQuery) => readDataset(session, query, fixed);
      return { classes: classRecords(rows[0]), namesDigest: namesDigestOf(fixed), read };
    },
  };
}

function namesDigestOf({ names: { classById }, roots }: Fixed): string {
  const classes = [...classById.values()].map(({ id, name, rootId }) => [id, name, rootId] as const);
  classes.sort(([a], [b]) => a - b);
  return sha256Hex(JSON.stringify([classes, [...roots].sort()]));
}

/** Names of classes and source roots as they were. */
interface Fixed {
  readonly names: Dictionary;
  readonly roots: readonly string[];
}

/** @param fixed without it, classes have the name of the moment they are read */
async function* readDataset(session: Session, query: DatasetQuery, fixed?: Fixed): AsyncGenerator<DatasetImage> {
  const dictionary = fixed?.names ?? (await session.freshDictionary());
  const task = query.task === undefined ? undefined : taskOf(dictionary, query.task).name;
  // A root that is added meanwhile does not change the names half-way.
  const roots = rootNames(fixed?.roots ?? (await rootsInUse(session)));
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const range of session.imageRanges(query.range)) {
    for (const image of await imagesOfRange(session, { ...query, task }, { names: fixed?.names, roots }, range)) {
      yield image;
      left -= 1;
      if (left <= 0) return;
    }
  }
}

interface Range {
  readonly after: Uint8Array;
  readonly last: Uint8Array;
}

function queriesOf({ db }: Session, query: DatasetQuery, { after, last }: Range) {
  // Columns by name: making the values of a row, ids above all, is most of the cost of an export.
  let labels = db
    .selectFrom('label')
    .select((eb) => [
      eb.case().when('region_id', '=', NO_BYTES).then(eb.ref('image_id')).else(eb.ref('region_id')).end().as('item'),
      'task_id',
      'class_id',
      'present',
      'origin',
      'confidence',
      'sequence',
      'annotator_id',
    ])
    .where('image_id', '>', after)
    .where('image_id', '<=', last);
  if (query.origins !== undefined) {
    const codes = query.origins.map((origin) => ORIGIN_CODES[origin]);
    labels = labels.where('origin', 'in', codes.length === 0 ? [-1] : codes);
  }
  return [
    db
      .selectFrom('image')
      .select(['id', 'width', 'height', 'group_id'])
      .where('id', '>', after)
      .where('id', '<=', last)
      .orderBy('id'),
    db
      .selectFrom('image_path')
      .select(['image_id', 'path', 'source_root_id'])
      .where('image_id', '>', after)
      .where('image_id', '<=', last)
      .orderBy('image_id')
      .orderBy('missing')
      .orderBy('path'),
    labels,
    db
      .selectFrom('region')
      .select(['image_id', 'id', 'x1', 'y1', 'x2', 'y2', 'score', 'crowd', 'touched', 'deleted'])
      .where('image_id', '>', after)
      .where('image_id', '<=', last)
      .orderBy('image_id')
      .orderBy('id'),
    db.selectFrom('region_shape').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
    db.selectFrom('gone_image').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
    db.selectFrom('image_split').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
    db.selectFrom('image_attributes').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
  ] as const;
}

async function imagesOfRange(
  session: Session,
  query: DatasetQuery,
  { names, roots }: { readonly names?: Dictionary; readonly roots: ReadonlyMap<string, string> },
  range: Range,
): Promise<DatasetImage[]> {
  const { rows, dictionary } = await session.read(queriesOf(session, query, range));
  const [imageRows, pathRows, labelRows, regionRows, shapeRows, goneRows, splitRows, attributeRows] = rows;
  const files = new Map<string, string>();
  for (const row of pathRows) {
    const id = hexOf(row.image_id);
    if (files.has(id)) continue;
    files.set(id, exportName(row.path, sourceRootOf(dictionary, row.source_root_id), roots));
  }
  const gone = new Set(query.gone === true ? [] : goneRows.map((row) => hexOf(row.image_id)));
  const splits = query.splits === 'none' ? [] : splitRows;
  const of: OfRange = {
    files,
    dictionary,
    said: names ? saidOfItems(knownTo(names, labelRows), names, query) : saidOfItems(labelRows, dictionary, query),
    regions: Map.groupBy(regionRows, (region) => hexOf(region.image_id)),
    shapes: new Map(shapeRows.map((row) => [hexOf(row.region_id), row])),
    splits: new Map(splits.map((row) => [hexOf(row.image_id), row.split])),
    attributes: new Map(attributeRows.map((row) => [hexOf(row.image_id), attributesOfRow(row).attributes])),
  };
  return imageRows.flatMap((row) => {
    const id = hexOf(row.id);
    if (gone.has(id)) return [];
    const image = imageOf(id, { width: row.width, height: row.height, groupId: hexOf(row.group_id) }, of, query);
    return image ?? [];
  });
}

/** Labels of classes that are newer have no name there. */
function knownTo({ classById }: Dictionary, rows: readonly DatasetLabelRow[]): DatasetLabelRow[] {
  return rows.filter((row) => classById.has(row.class_id));
}

type DatasetRegionRow = Pick<
  RegionRow,
  'image_id' | 'id' | 'x1' | 'y1' | 'x2' | 'y2' | 'score' | 'crowd' | 'touched' | 'deleted'
>;

/** What was read of a range of images, by the id of the image or the item. */
interface OfRange {
  readonly dictionary: Dictionary;
  readonly files: ReadonlyMap<string, string>;
  readonly said: ReadonlyMap<string, Said>;
  readonly regions: ReadonlyMap<string, readonly DatasetRegionRow[]>;
  readonly shapes: ReadonlyMap<string, ShapeRow>;
  readonly splits: ReadonlyMap<string, string>;
  readonly attributes: ReadonlyMap<string, Attributes>;
}

/** Undefined where the query leaves it out. */
function imageOf(
  id: string,
  facts: Pick<DatasetImage, 'width' | 'height' | 'groupId'>,
  of: OfRange,
  { minConfidence: least = 0, unlabelled = false }: DatasetQuery,
): DatasetImage | undefined {
  const kept: RegionRecord[] = [];
  const deleted: RegionRecord[] = [];
  for (const region of of.regions.get(id) ?? []) {
    if (region.score !== null && region.score < least) continue;
    const regionId = hexOf(region.id);
    const said = of.said.get(regionId) ?? NOTHING_SAID;
    if (said.labels.length === 0 && !unlabelled) continue;
    const shape = of.shapes.get(regionId);
    (region.deleted === 0 ? kept : deleted).push({
      id: regionId,
      box: [region.x1, region.y1, region.x2, region.y2],
      score: region.score,
      ...said,
      ...(shape === undefined ? NO_SHAPE : shapeOf(shape, of.dictionary)),
      crowd: region.crowd !== 0,
      ...(region.touched === 0 ? {} : { touched: true }),
    });
  }
  const said = of.said.get(id) ?? NOTHING_SAID;
  if (said.labels.length === 0 && kept.length === 0 && !unlabelled) return undefined;
  const attributes = of.attributes.get(id);
  return {
    id,
    // An image all of whose paths went into other hands (changed files) has none; its id is unique too.
    file: of.files.get(id) ?? id,
    ...facts,
    split: of.splits.get(id) ?? null,
    ...said,
    regions: kept,
    ...(deleted.length === 0 ? {} : { deleted }),
    ...(attributes === undefined ? {} : { attributes }),
  };
}
