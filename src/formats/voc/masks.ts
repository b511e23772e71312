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
import sharp from 'sharp';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { messageOf } from '../../errors.ts';
import { badFile } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { hasRoom, MAX_MASK_PIXELS } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { bytesOf, regularFileSize } from '../special-files.ts';
import { isImageName, listFolder, readSmallText, walkFiles } from '../walk.ts';
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
      const picture = await pictureOf(join(root, name), name);
      const instances = await instancesOf(join(root, OBJECTS, file), `${OBJECTS}/${file}`, picture, reckoning);
      return { picture, regions: regionsOf(picture, instances, table, name, reckoning) };
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

/** A picture of masks is small, and of one colour for the most part. */
const MAX_BYTES = 1 << 27;

async function pictureOf(path: string, name: string): Promise<MaskPicture> {
  if ((await regularFileSize(path, name)) > MAX_BYTES) throw badFile(name, `it is more than ${MAX_BYTES} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of bytesOf(path, name, 1 << 20)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (isPng(bytes) && bytes[24] === 16)
    throw badFile(name, 'a mask of 16 bits', 'Masks of 8 bits and of colours can be read.');
  const decoded = await sharp(bytes, { limitInputPixels: MAX_MASK_PIXELS, failOn: 'error', ignoreIcc: true })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw badFile(name, `not a picture: ${messageOf(error)}`, undefined, error);
    });
  const { data, info } = decoded;
  const { width, height, channels } = info;
  const coloured = channels >= 3 && !isGrey(bytes, data, channels);
  const values = new Uint32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const at = i * channels;
    values[i] = coloured ? (data[at] << 16) | (data[at + 1] << 8) | data[at + 2] : data[at];
  }
  return { width, height, values, coloured, palette: isPng(bytes) ? paletteOf(bytes) : null };
}

/** By PNG's colour type, since greys come as three channels; of other files, by their pixels. */
function isGrey(bytes: Buffer, data: Buffer, channels: number): boolean {
  if (isPng(bytes)) return (bytes[25] & 2) === 0;
  for (let i = 0; i + 2 < data.length; i += channels)
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

function isPng(bytes: Buffer): boolean {
  return bytes.length > 33 && bytes.toString('latin1', 1, 4) === 'PNG';
}

/** Of the PLTE chunk (PNG, 11.2.2); a colour that comes twice has its first number. */
function paletteOf(bytes: Buffer): Map<number, number> | null {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const [length, type] = [bytes.readUInt32BE(at), bytes.toString('latin1', at + 4, at + 8)];
    if (type === 'IDAT') return null;
    if (type === 'PLTE' && at + 8 + length <= bytes.length) {
      const palette = new Map<number, number>();
      for (let i = 0; i + 3 <= length; i += 3) {
        const colour = bytes.readUIntBE(at + 8 + i, 3);
        if (!palette.has(colour)) palette.set(colour, i / 3);
      }
      return palette;
    }
    at += 12 + length;
  }
  return null;
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
  const picture = isThere ? await reckoning.attemptFile('file-unreadable', () => pictureOf(path, name)) : null;
  return picture?.width === width && picture.height === height ? picture : null;
}

function regionsOf(
  picture: MaskPicture,
  instances: MaskPicture | null,
  table: MaskTable,
  name: string,
  reckoning: Reckoning,
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
