/**
 * Reads COCO JSON of any length in two passes. The first notes images, categories, and where in the file each image's
 * annotations stand; the second fetches them image by image. Keys may come in any order. LVIS has addresses in place of
 * file names; lists of results have no images and no categories (`results.ts`).
 * Resident: about 200 bytes an image and 24 an annotation; of a file in UTF-16, its text.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ImportedImage, ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import type { Skeleton } from '../../core/region-details.ts';
import {
  arrayAt,
  badFile,
  classNameAt,
  fileNameAt,
  type JsonObject,
  numberAt,
  objectAt,
  shown,
  stringAt,
} from '../check.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { isJsonList, jsonPieces, parseJson, transcoded } from '../json-stream.ts';
import { hasRoom, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { regionOf } from './annotation.ts';
import { regionsInFractions } from './fractions.ts';
import { type CocoPlace, cocoPlaces } from './layout.ts';
import { readResultList } from './results.ts';

/** `info.description` of our own exports. */
export const EXPORT_DESCRIPTION = 'Labelsmith export';

/** @param path the JSON file, or a folder with some (`layout.ts`) */
export async function* readCoco(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    const place = { name: basename(path), split: null, base: '', imageLabels: false };
    yield* readCocoFile(path, place, options);
    return;
  }
  const places = await cocoPlaces(path, options.reckoning);
  if (places.length === 0) throw badFile(path, 'there is no COCO file in this folder', 'Name the JSON file itself.');
  yield* filesInTurn(places, options.reckoning, (place) => readCocoFile(join(path, place.name), place, options));
}

/** An id as text: files that went through other tools have `1` in one list and `"1"` in another. */
type Key = string;

interface ImageEntry {
  readonly file: string;
  readonly otherNames: readonly string[];
  readonly width: number | null;
  readonly height: number | null;
}

/** Where each image's annotations stand: a list through `next` for every image id, in the order of the file. */
class AnnotationPlaces {
  readonly start: number[] = [];
  readonly end: number[] = [];
  /** Position in the list of the file. */
  readonly index: number[] = [];
  readonly #next: number[] = [];
  readonly #lists = new Map<Key, { head: number; tail: number }>();

  add(imageId: Key, { start, end, index }: { start: number; end: number; index: number }): void {
    const at = this.start.push(start) - 1;
    this.end.push(end);
    this.index.push(index);
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

  /** Ids of images that annotations name. */
  imageIds(): Iterable<Key> {
    return this.#lists.keys();
  }
}

interface Index {
  readonly images: ReadonlyMap<Key, ImageEntry>;
  readonly categories: ReadonlyMap<Key, string>;
  readonly places: AnnotationPlaces;
  readonly own: boolean;
}

async function* readCocoFile(path: string, place: CocoPlace, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const { name } = place;
  if (await isJsonList(path, name)) {
    yield* readResultList(path, name, options);
    return;
  }
  const { images, categories, places, own } = await indexOf(path, place, options);
  const { reckoning } = options;
  for (const imageId of places.imageIds())
    if (!images.has(imageId))
      for (const at of places.of(imageId))
        reckoning.note(
          'object-of-no-image',
          `${name} annotations[${places.index[at]}].image_id`,
          `no image has the id ${shown(imageId)}`,
        );
  const file = await RangeReader.open(path, name);
  try {
    let index = 0;
    for (const [id, entry] of images) {
      const where = `${name} images[${index++}]`;
      yield await reckoning.markingLosses(async () => {
        const said = await saidOf(places.of(id), { file, place, places, categories, reckoning });
        const { otherNames, ...image } = entry;
        const further = otherNames.length === 0 ? {} : { otherNames };
        const mark = own ? { ownExport: true as const } : {};
        const inUnit = own ? said.regions : regionsInFractions(said.regions, reckoning);
        return { ...image, ...further, labels: said.labels, regions: inUnit, where, split: place.split, ...mark };
      });
    }
  } finally {
    await file.close();
  }
}

interface Annotations extends Pick<Index, 'places' | 'categories'> {
  readonly file: RangeReader;
  readonly place: CocoPlace;
  readonly reckoning: Reckoning;
}

/** What the annotations at these places say of their image. */
async function saidOf(
  annotations: Iterable<number>,
  { file, place, places, categories, reckoning }: Annotations,
): Promise<Pick<ImportedImage, 'labels'> & { readonly regions: ImportedRegion[] }> {
  const labels: ImportedLabel[] = [];
  const regions: ImportedRegion[] = [];
  for (const at of annotations) {
    const where = `${place.name} annotations[${places.index[at]}]`;
    if (!hasRoom(regions, where, reckoning)) continue;
    const row = parseJson(await file.text(places.start[at], places.end[at])) as JsonObject;
    const className = categories.get(String(row.category_id));
    if (className === undefined) {
      const what = `no category has the id ${shown(row.category_id)}`;
      reckoning.note('object-of-no-class', `${where}.category_id`, what);
    } else if (place.imageLabels && row.bbox === undefined && row.segmentation === undefined) {
      labels.push({ className, confidence: null, origin: null, task: null });
    } else {
      const region = reckoning.attempt('object-unreadable', () => regionOf(row, where, className, reckoning));
      if (region !== null) regions.push(region);
    }
  }
  return { labels, regions };
}

async function indexOf(
  path: string,
  place: CocoPlace,
  { reckoning, onClass, classNames }: ReadOptions,
): Promise<Index> {
  const { name } = place;
  const images = new Map<Key, ImageEntry>();
  const categories = new Map<Key, string>();
  const places = new AnnotationPlaces();
  const seen = new Set<string>();
  let own = false;
  for await (const { key, index, start, end, value } of jsonPieces(path, name)) {
    if (key === 'info' && index === null) own = isOwn(value());
    if (key !== 'images' && key !== 'annotations' && key !== 'categories') continue;
    seen.add(key);
    if (index === null) {
      arrayAt(value(), `${name} ${key}`);
      continue;
    }
    const where = `${name} ${key}[${index}]`;
    if (key === 'images') {
      reckoning.attempt('image-unreadable', () => {
        const row = objectAt(value(), where);
        const id = keyAt(row.id, `${where}.id`);
        if (images.has(id)) throw badFile(`${where}.id`, `the image id ${shown(row.id)} comes twice`);
        images.set(id, imageEntryOf(row, where, place, reckoning));
      });
    } else if (key === 'categories') {
      reckoning.attempt('class-unreadable', () => {
        const row = objectAt(value(), where);
        const id = keyAt(row.id, `${where}.id`);
        if (categories.has(id)) throw badFile(`${where}.id`, `the category id ${shown(row.id)} comes twice`);
        const given = typeof row.name === 'number' ? String(row.name) : row.name;
        const className = classNameAt(given, `${where}.name`);
        categories.set(id, className);
        tellClass(row, className, where, { reckoning, onClass });
      });
    } else {
      reckoning.attempt('object-unreadable', () => {
        const row = objectAt(value(), where);
        places.add(keyAt(row.image_id, `${where}.image_id`), { start, end, index });
      });
    }
  }
  const isNamed = (className: string, i: number) => categories.set(String(i), className);
  if (!seen.has('categories')) classNames?.forEach(isNamed);
  // Captions have no categories, and so no classes.
  const isUsed = [...places.imageIds()].some((id) => images.has(id));
  const needed = categories.size === 0 && !seen.has('categories') && isUsed ? ['categories'] : [];
  for (const list of ['images', 'annotations', ...needed])
    if (!seen.has(list))
      throw badFile(name, `the list ${list} is missing`, 'COCO JSON has the lists images, annotations, categories.');
  return { images, categories, places, own };
}

function isOwn(info: unknown): boolean {
  return typeof info === 'object' && info !== null && 'description' in info && info.description === EXPORT_DESCRIPTION;
}

function keyAt(value: unknown, where: string): Key {
  if ((typeof value === 'number' && Number.isFinite(value)) || typeof value === 'string') return String(value);
  throw badFile(where, `an id was expected, not ${shown(value)}`);
}

/** Addresses that stand in for a file name, or beside it. */
const ADDRESSES = ['coco_url', 'path', 'flickr_url'];

function imageEntryOf(row: JsonObject, where: string, { base }: CocoPlace, reckoning: Reckoning): ImageEntry {
  const addresses = ADDRESSES.flatMap((key) => (typeof row[key] === 'string' && row[key] !== '' ? [row[key]] : []));
  const given = row.file_name == null && addresses.length > 0 ? [] : [fileNameAt(row.file_name, `${where}.file_name`)];
  const [file, ...others] = [...given.map((name) => base + name), ...(base === '' ? [] : given), ...addresses];
  for (const key of ['neg_category_ids', 'not_exhaustive_category_ids'])
    if (Array.isArray(row[key]) && row[key].length > 0) reckoning.note('attribute-passed-over', `${where}.${key}`);
  return {
    file,
    otherNames: others,
    width: sizeFrom(row.width, `${where}.width`, reckoning),
    height: sizeFrom(row.height, `${where}.height`, reckoning),
  };
}

function tellClass(row: JsonObject, className: string, where: string, { reckoning, onClass }: ReadOptions): void {
  const supercategory = typeof row.supercategory === 'string' ? row.supercategory.trim() : '';
  const skeleton = row.keypoints == null ? null : reckoning.attempt('skeleton-left-out', () => skeletonOf(row, where));
  onClass?.({
    className,
    ...(skeleton === null ? {} : { skeleton }),
    ...(supercategory === '' || supercategory === 'none' || supercategory === className ? {} : { supercategory }),
  });
}

/** COCO counts keypoints from 1. */
function skeletonOf(row: JsonObject, where: string): Skeleton {
  const keypointNames = arrayAt(row.keypoints, `${where}.keypoints`).map((name, i) =>
    stringAt(name, `${where}.keypoints[${i}]`),
  );
  const pairs = row.skeleton == null ? [] : arrayAt(row.skeleton, `${where}.skeleton`);
  const edges = pairs.map((pair, i): readonly [number, number] => {
    const at = `${where}.skeleton[${i}]`;
    const ends = arrayAt(pair, at).map((end, k) => numberAt(end, `${at}[${k}]`));
    const [from, to] = ends;
    const inside = (end: number) => Number.isInteger(end) && end >= 1 && end <= keypointNames.length;
    if (ends.length !== 2 || !inside(from) || !inside(to))
      throw badFile(at, `two keypoints from 1 to ${keypointNames.length} were expected, not ${shown(pair)}`);
    return [from - 1, to - 1];
  });
  return { keypointNames, edges };
}

/** Text of byte ranges of one file. Ranges near each other, as in most files, come from one read. */
class RangeReader {
  readonly #file: FileHandle;
  #window: Buffer;
  #windowStart = 0;

  private constructor(file: FileHandle, window: Buffer) {
    this.#file = file;
    this.#window = window;
  }

  static async open(path: string, name: string): Promise<RangeReader> {
    // Of UTF-16 the window is the whole text, so that nothing else is read.
    const whole = await transcoded(path, name);
    return new RangeReader(await open(path, 'r'), whole ?? Buffer.alloc(0));
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
