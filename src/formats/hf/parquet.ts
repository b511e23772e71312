/**
 * Tables of labels as Parquet under the names that Hugging Face's `datasets` and users of pandas give their columns: an image
 * (`{bytes, path}`) or a file's name, a class or its number, whose names the schema says, objects as lists, or four columns
 * of a box. Pictures that lie in the table are not read: it is for labels of images that were added.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { badFile, type JsonObject } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { parquetColumns, parquetRows } from '../parquet/rows.ts';
import { imageOfRow } from './row.ts';

const FILES = ['file_name', 'file', 'filename', 'image', 'image_path', 'filepath', 'path', 'img', 'image_id'];
const CLASSES = ['label', 'labels', 'class', 'class_name', 'category'];
const SIZES = ['width', 'height'];
const BOXES = [
  ['xmin', 'ymin', 'xmax', 'ymax'],
  ['x1', 'y1', 'x2', 'y2'],
  ['x_min', 'y_min', 'x_max', 'y_max'],
] as const;

export async function* readHfParquet(
  path: string,
  name: string,
  { reckoning, classNames }: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const { top, nested, features } = await parquetColumns(path, name);
  const all = [...top, ...nested];
  const file = FILES.find((column) => all.includes(column));
  const hint = `Its columns are ${all.slice(0, 20).join(', ')}.`;
  if (file === undefined) throw badFile(name, 'there is no column that names the image', hint);
  const said = CLASSES.find((column) => all.includes(column));
  const box = BOXES.find((corners) => corners.every((corner) => top.includes(corner)));
  const objects = nested.includes('objects');
  if (said === undefined && !objects)
    throw badFile(name, 'there is no column class, nor another of classes or objects', hint);
  const used = [file, ...(said === undefined ? [] : [said]), ...(objects ? ['objects'] : []), ...(box ?? []), ...SIZES];
  for (const column of all.filter((one) => !used.includes(one) && one !== 'image_id'))
    reckoning.note('column-passed-over', name, column);
  const names = new ClassLabels(features);
  const told = new Set<string>();
  for await (const { from, rows } of parquetRows(path, name, used, []))
    for (const [i, given] of rows.entries()) {
      const where = `${name} row ${from + i + 1}`;
      const row = plain(given);
      const image = reckoning.attempt('row-unreadable', () => {
        const className = said === undefined ? null : names.of([said], row[said]);
        const made = {
          width: row.width,
          height: row.height,
          image: row[file],
          ...(box === undefined ? classesOf(className) : { objects: boxOf(row, box, className) }),
          ...(objects && { objects: names.ofObjects(row.objects) }),
        };
        return imageOfRow(made, where, { reckoning, classNames, told });
      });
      if (image === null) continue;
      reckoning.take('rows');
      yield image;
    }
}

function classesOf(given: unknown): JsonObject {
  return Array.isArray(given) ? { labels: { categories: given } } : { label: given };
}

function boxOf(row: JsonObject, corners: readonly string[], className: unknown): JsonObject {
  const [x1, y1, x2, y2] = corners.map((corner) => Number(row[corner]));
  return { bbox: [[x1, y1, x2 - x1, y2 - y1]], categories: [className] };
}

/** Whole numbers of 64 bits come as `bigint`. */
function plain(row: JsonObject): JsonObject {
  const of = (value: unknown): unknown => {
    if (typeof value === 'bigint') return Number(value);
    if (Array.isArray(value)) return value.map(of);
    return typeof value === 'object' && value !== null && !(value instanceof Date) ? plain({ ...value }) : value;
  };
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, of(value)]));
}

/** Names of classes by number, as `datasets` keeps them in the schema: `{"info": {"features": {"label": {"names": […]}}}}`. */
class ClassLabels {
  readonly #features: unknown = null;

  constructor(features: string | null) {
    try {
      this.#features = features === null ? null : JSON.parse(features);
    } catch {
      // What another tool put there says nothing of classes.
    }
  }

  /** The names of a class or of several; numbers of which no name is known stay. */
  of(column: readonly string[], value: unknown): unknown {
    const names = this.#namesAt(['info', 'features', ...column]);
    const nameOf = (one: unknown) => (typeof one === 'number' ? (names?.[one] ?? one) : one);
    return Array.isArray(value) ? value.map(nameOf) : nameOf(value);
  }

  /** Objects as lists, or as a list of them. */
  ofObjects(objects: unknown): unknown {
    if (Array.isArray(objects)) return objects.map((one: unknown) => this.ofObjects(one));
    if (typeof objects !== 'object' || objects === null) return objects;
    return Object.fromEntries(Object.entries(objects).map(([key, value]) => [key, this.of(['objects', key], value)]));
  }

  /** Lists have their element's features under `feature`, at any depth. */
  #namesAt(keys: readonly string[]): readonly unknown[] | null {
    let at = this.#features;
    for (const key of [...keys, 'names']) {
      while (key !== 'info' && isRecord(at) && !(key in at) && 'feature' in at) at = at.feature;
      if (Array.isArray(at) && isRecord(at[0])) [at] = at;
      if (!isRecord(at)) return null;
      at = at[key];
    }
    return Array.isArray(at) ? at : null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
