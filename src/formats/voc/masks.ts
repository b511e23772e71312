/**
 * Reads masks that are pictures, as VOC and CVAT ("Segmentation mask") lay them out: `SegmentationClass/`, perhaps
 * `SegmentationObject/`, `labelmap.txt`; or a folder `masks`. A region is what has one class and one colour of
 * `SegmentationObject`, else a connected part (over the sides of pixels).
 *
 * Which class a pixel has is said by its colour (`labelmap.txt`, or VOC's own colours) or by its number (`classes.txt`, or
 * the names given), where 0 is the background unless a name says that it is something else. Resident: one picture.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import type { ReadOptions } from '../format.ts';
import { hasRoom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { isImageName, listFolder, readSmallText, walkFiles } from '../walk.ts';
import { maskPictureOf } from './mask-file.ts';
import { type MaskTable, tableOf } from './mask-table.ts';
import { type MaskPicture, partsOf } from './parts.ts';

const OBJECTS = 'SegmentationObject';

/** The folder of masks in a folder; null where there is none with a picture in it. */
export async function maskFolderIn(path: string): Promise<string | null> {
  const { folders } = await listFolder(path);
  for (const name of folders.filter((folder) => /^(?:SegmentationClass|masks?)$/i.test(folder)))
    for await (const file of walkFiles(join(path, name))) if (isImageName(file)) return name;
  return null;
}

export async function* readMasks(
  root: string,
  folder: string,
  splitOf: ReadonlyMap<string, string>,
  { reckoning, classNames }: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const labelmap = await readSmallText(join(root, 'labelmap.txt'), 'labelmap.txt');
  const names = classNames ?? linesOf(await readSmallText(join(root, 'classes.txt'), 'classes.txt'));
  const table = tableOf(labelmap, names);
  for await (const file of walkFiles(join(root, folder))) {
    if (!isImageName(file)) continue;
    const name = `${folder}/${file}`;
    const regions = await reckoning.attemptFile('file-unreadable', async () => {
      const picture = await maskPictureOf(join(root, name), name);
      const instances = await instancesOf(join(root, OBJECTS, file), `${OBJECTS}/${file}`, picture, reckoning);
      return { picture, regions: regionsOfMask(picture, instances, { table, name, reckoning }) };
    });
    if (regions === null) continue;
    reckoning.take('files');
    const stem = file.slice(0, file.lastIndexOf('.'));
    const { width, height } = regions.picture;
    yield {
      file: stem,
      width,
      height,
      labels: [],
      regions: regions.regions,
      where: name,
      split: splitOf.get(stem) ?? null,
    };
  }
}

function linesOf(text: string | null): string[] | null {
  const lines = text?.split(/\r?\n/).map((line) => line.trim()) ?? null;
  while (lines?.at(-1) === '') lines.pop();
  return lines;
}

/** The objects' picture beside a mask; null where there is none, or one of another size. */
async function instancesOf(
  path: string,
  name: string,
  { width, height }: MaskPicture,
  reckoning: Reckoning,
): Promise<MaskPicture | null> {
  const isThere = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  const picture = isThere ? await reckoning.attemptFile('file-unreadable', () => maskPictureOf(path, name)) : null;
  return picture?.width === width && picture.height === height ? picture : null;
}

export interface MaskContext {
  readonly table: MaskTable;
  /** Of the file, for messages. */
  readonly name: string;
  readonly reckoning: Reckoning;
}

/** A region for each part that has a class. */
export function regionsOfMask(
  picture: MaskPicture,
  instances: MaskPicture | null,
  { table, name, reckoning }: MaskContext,
): ImportedRegion[] {
  const { classOf, unknown } = table.forPicture(picture, name);
  for (const value of unknown) reckoning.note('object-of-no-class', name, value);
  const regions: ImportedRegion[] = [];
  for (const { value, box, mask } of partsOf(picture, instances, (one) => classOf(one) !== null)) {
    const className = classOf(value);
    if (className === null || !hasRoom(regions, name, reckoning)) continue;
    regions.push({
      box,
      where: name,
      unit: 'pixels',
      score: null,
      labels: [{ className, confidence: null, origin: null, task: null }],
      mask: mask(),
      polygons: null,
      keypoints: null,
      crowd: false,
    });
  }
  return regions;
}
