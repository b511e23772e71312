/**
 * Reads COCO JSON of any length in two passes. The first checks everything and notes where in the file each image's
 * annotations stand; the second fetches them image by image. Keys may come in any order.
 * Resident: about 200 bytes an image and 24 an annotation.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion, MaskRle } from '../../core/dataset.ts';
import {
  arrayAt,
  badFile,
  boxOf,
  classNameAt,
  confidenceOf,
  fileNameAt,
  flatKeypointsAt,
  type JsonObject,
  maskOf,
  numberAt,
  objectAt,
  polygonsAt,
  shown,
  sizeAt,
} from '../check.ts';
import { extentOf } from '../contours.ts';
import { jsonPieces } from '../json-stream.ts';
import { decodeCounts } from '../rle.ts';

/** @param path the JSON file, or a folder with `annotations.json` or one JSON file a split */
export async function* readCoco(path: string): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield* readCocoFile(path, basename(path), null);
    return;
  }
  const names = (await readdir(path)).filter((name) => !name.startsWith('.') && extname(name) === '.json').sort();
  if (names.includes('annotations.json')) {
    yield* readCocoFile(join(path, 'annotations.json'), 'annotations.json', null);
    return;
  }
  if (names.length === 0) throw badFile(path, 'there is no COCO file in this folder', 'Name the JSON file itself.');
  for (const name of names) yield* readCocoFile(join(path, name), name, basename(name, '.json'));
}

type Key = number | string;

interface ImageEntry {
  readonly file: string;
  readonly width: number | null;
  readonly height: number | null;
}

/** Where each image's annotations stand: a list through `next` for every image id, in the order of the file. */
class AnnotationPlaces {
  readonly start: number[] = [];
  readonly end: number[] = [];
  readonly #next: number[] = [];
  readonly #lists = new Map<Key, { head: number; tail: number }>();

  add(imageId: Key, start: number, end: number): void {
    const at = this.start.push(start) - 1;
    this.end.push(end);
    this.#next.push(-1);
    const list = this.#lists.get(imageId);
    if (list === undefined) this.#lists.set(imageId, { head: at, tail: at });
    else {
      this.#next[list.tail] = at;
      list.tail = at;
    }
  }

  *of(imageId: Key): Generator<number> {
    for (let at = this.#lists.get(imageId)?.head ?? -1; at >= 0; at = this.#next[at]) yield at;
  }

  /** The first annotation of an image that `known` does not have. */
  firstStray(known: ReadonlyMap<Key, unknown>): { imageId: Key; index: number } | null {
    for (const [imageId, { head }] of this.#lists) if (!known.has(imageId)) return { imageId, index: head };
    return null;
  }
}

async function* readCocoFile(path: string, name: string, split: string | null): AsyncGenerator<ImportedImage> {
  const images = new Map<Key, ImageEntry>();
  const categories = new Map<Key, string>();
  const firstOfCategory = new Map<Key, number>();
  const places = new AnnotationPlaces();
  const seen = new Set<string>();

  for await (const { key, index, start, end, value } of jsonPieces(path, name)) {
    if (key !== 'images' && key !== 'annotations' && key !== 'categories') continue;
    seen.add(key);
    if (index === null) {
      arrayAt(value, `${name} ${key}`);
      continue;
    }
    const where = `${name} ${key}[${index}]`;
    const row = objectAt(value, where);
    if (key === 'images') {
      const id = keyAt(row.id, `${where}.id`);
      if (images.has(id)) throw badFile(`${where}.id`, `the image id ${shown(id)} comes twice`);
      images.set(id, {
        file: fileNameAt(row.file_name, `${where}.file_name`),
        width: row.width == null ? null : sizeAt(row.width, `${where}.width`),
        height: row.height == null ? null : sizeAt(row.height, `${where}.height`),
      });
    } else if (key === 'categories') {
      const id = keyAt(row.id, `${where}.id`);
      if (categories.has(id)) throw badFile(`${where}.id`, `the category id ${shown(id)} comes twice`);
      categories.set(id, classNameAt(row.name, `${where}.name`));
    } else {
      const categoryId = keyAt(row.category_id, `${where}.category_id`);
      if (!firstOfCategory.has(categoryId)) firstOfCategory.set(categoryId, index);
      regionOf(row, where, '');
      places.add(keyAt(row.image_id, `${where}.image_id`), start, end);
    }
  }
  for (const [categoryId, index] of firstOfCategory)
    if (!categories.has(categoryId))
      throw badFile(`${name} annotations[${index}].category_id`, `no category has the id ${shown(categoryId)}`);
  const stray = places.firstStray(images);
  if (stray !== null)
    throw badFile(`${name} annotations[${stray.index}].image_id`, `no image has the id ${shown(stray.imageId)}`);
  for (const list of ['images', 'annotations'])
    if (!seen.has(list))
      throw badFile(name, `the list ${list} is missing`, 'COCO JSON has the lists images, annotations, categories.');

  const file = await RangeReader.open(path);
  try {
    let index = 0;
    for (const [id, { file: fileName, width, height }] of images) {
      const regions: ImportedRegion[] = [];
      for (const at of places.of(id)) {
        const row = JSON.parse(await file.text(places.start[at], places.end[at])) as JsonObject;
        const className = categories.get(row.category_id as Key) as string;
        regions.push(regionOf(row, `${name} annotations[${at}]`, className));
      }
      yield { file: fileName, width, height, labels: [], regions, where: `${name} images[${index++}]`, split };
    }
  } finally {
    await file.close();
  }
}

function keyAt(value: unknown, where: string): Key {
  if ((typeof value === 'number' && Number.isFinite(value)) || typeof value === 'string') return value;
  throw badFile(where, `an id was expected, not ${shown(value)}`);
}

function regionOf(row: JsonObject, where: string, className: string): ImportedRegion {
  const { polygons, mask } = segmentationOf(row.segmentation, `${where}.segmentation`);
  const confidence = row.score == null ? null : scoreAt(row.score, `${where}.score`);
  const points = row.keypoints;
  return {
    box: bboxOf(row.bbox, polygons, where),
    unit: 'pixels',
    score: confidence,
    labels: [{ className, confidence, origin: null, task: null }],
    mask,
    polygons,
    keypoints: Array.isArray(points) && points.length === 0 ? null : keypointsOf(points, `${where}.keypoints`),
    crowd: row.iscrowd === 1 || row.iscrowd === true,
    ...(row.area == null ? {} : { area: areaAt(row.area, `${where}.area`) }),
  };
}

function keypointsOf(value: unknown, where: string): ImportedRegion['keypoints'] {
  return value == null ? null : flatKeypointsAt(value, where);
}

function areaAt(value: unknown, where: string): number {
  const area = numberAt(value, where);
  if (area < 0) throw badFile(where, `an area cannot be negative, and this is ${area}`);
  return area;
}

function scoreAt(value: unknown, where: string): number {
  return confidenceOf(numberAt(value, where), where);
}

function bboxOf(value: unknown, polygons: readonly (readonly number[])[] | null, where: string): Box {
  if (value == null && polygons !== null) return extentOf(polygons);
  const numbers = arrayAt(value, `${where}.bbox`).map((part, i) => numberAt(part, `${where}.bbox[${i}]`));
  if (numbers.length !== 4)
    throw badFile(`${where}.bbox`, `[x, y, width, height] was expected, not ${numbers.length} numbers`);
  const [x, y, width, height] = numbers as [number, number, number, number];
  if (width < 0 || height < 0) throw badFile(`${where}.bbox`, `the box ${shown(numbers)} has a negative size`);
  return boxOf(x, y, x + width, y + height, `${where}.bbox`);
}

function segmentationOf(
  value: unknown,
  where: string,
): { polygons: readonly (readonly number[])[] | null; mask: MaskRle | null } {
  if (value == null) return { polygons: null, mask: null };
  if (Array.isArray(value)) {
    const polygons = polygonsAt(value, where);
    return { polygons: polygons.length === 0 ? null : polygons, mask: null };
  }
  const row = objectAt(value, where);
  const size = arrayAt(row.size, `${where}.size`);
  if (size.length !== 2) throw badFile(`${where}.size`, `[height, width] was expected, not ${shown(size)}`);
  const [height, width] = [sizeAt(size[0], `${where}.size[0]`), sizeAt(size[1], `${where}.size[1]`)];
  const given = row.counts;
  const counts =
    typeof given === 'string'
      ? decodeCounts(given)
      : arrayAt(given, `${where}.counts`).map((count, i) => numberAt(count, `${where}.counts[${i}]`));
  if (counts === null) throw badFile(`${where}.counts`, 'the compressed run lengths are damaged');
  return { polygons: null, mask: maskOf(height, width, counts, `${where}.counts`) };
}

/** Text of byte ranges of one file. Ranges near each other, as in most files, come from one read. */
class RangeReader {
  readonly #file: FileHandle;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<RangeReader> {
    return new RangeReader(await open(path, 'r'));
  }

  async text(start: number, end: number): Promise<string> {
    if (start < this.#windowStart || end > this.#windowStart + this.#window.length) {
      const buffer = Buffer.allocUnsafe(Math.max(end - start, 1 << 16));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, start);
      this.#window = buffer.subarray(0, bytesRead);
      this.#windowStart = start;
    }
    return this.#window.toString('utf8', start - this.#windowStart, end - this.#windowStart);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
