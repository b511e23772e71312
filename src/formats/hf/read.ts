/**
 * Reads Hugging Face's `imagefolder`: a `metadata.jsonl` or `metadata.csv` in the folder, or one in the folder of each
 * split. Both may be there for different folders.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ImportedImage, ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import {
  arrayAt,
  badFile,
  classNameAt,
  fileNameAt,
  type JsonObject,
  jsonOf,
  numberAt,
  objectAt,
  shown,
} from '../check.ts';
import { readCsv } from '../csv/read.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { confidenceFrom, sizeFrom, sortedBox } from '../mend.ts';
import { splitOfName } from '../split-names.ts';
import { listFolder } from '../walk.ts';

export const METADATA = 'metadata.jsonl';
const METADATA_FILES = [METADATA, 'metadata.csv'];

/** @param path a metadata file, or a folder that has one or whose folders, the splits, have one each */
export async function* readHf(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield* readMetadata(dirname(path), basename(path), null, options);
    return;
  }
  const { files, folders } = await listFolder(path);
  const own = METADATA_FILES.find((name) => files.includes(name));
  if (own !== undefined) {
    yield* readMetadata(path, own, null, options);
    return;
  }
  let found = false;
  for (const folder of folders) {
    const { files: inside } = await listFolder(join(path, folder));
    const file = METADATA_FILES.find((name) => inside.includes(name));
    if (file === undefined) continue;
    found = true;
    yield* readMetadata(path, `${folder}/${file}`, folder, options);
  }
  if (!found)
    throw badFile(
      path,
      `there is no ${METADATA} or metadata.csv in it`,
      'Class folders without one are the format folders.',
    );
}

/** @param folder the split's, below `root`; null: the metadata is that of `root` */
async function* readMetadata(
  root: string,
  name: string,
  folder: string | null,
  options: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const split = folder === null ? null : (splitOfName(folder) ?? folder);
  const rows = name.endsWith('.csv') ? readCsv(join(root, name), options) : readRows(root, name, options);
  for await (const image of rows)
    yield { ...image, file: folder === null ? image.file : `${folder}/${image.file}`, split: image.split ?? split };
}

async function* readRows(
  root: string,
  name: string,
  { reckoning, classNames }: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const told = new Set<string>();
  for await (const { text, number } of linesOf(join(root, name), name)) {
    if (text.trim() === '') continue;
    const where = `${name}:${number}`;
    const image = reckoning.attempt('row-unreadable', () => {
      const row = objectAt(jsonOf(text, where), where);
      for (const key of Object.keys(row).filter((one) => !KEYS.has(one) && !told.has(one))) {
        told.add(key);
        reckoning.note('column-passed-over', where, key);
      }
      return imageOf(row, where, { reckoning, classNames });
    });
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}

/** Of a row; all others are told of, once each. */
const KEYS = new Set(['file_name', 'width', 'height', 'labels', 'label', 'objects', 'image_id']);

type RowOptions = Pick<ReadOptions, 'reckoning' | 'classNames'>;

function imageOf(row: JsonObject, where: string, options: RowOptions): ImportedImage {
  const { reckoning } = options;
  const labels = row.labels == null ? null : objectAt(row.labels, `${where} labels`);
  return {
    file: fileNameAt(row.file_name, `${where} file_name`),
    width: sizeFrom(row.width, `${where} width`, reckoning),
    height: sizeFrom(row.height, `${where} height`, reckoning),
    labels: labels === null ? labelOfRow(row.label, where, options) : saidIn(labels, `${where} labels`, options),
    regions:
      row.objects == null ? [] : regionsOf(columnsOf(row.objects, `${where} objects`), `${where} objects`, options),
    where,
    split: null,
  };
}

/** The single `label` that rows of other tools have. */
function labelOfRow(value: unknown, where: string, options: RowOptions): ImportedLabel[] {
  if (value == null) return [];
  return [{ className: nameOf(value, `${where} label`, options), confidence: null, origin: null, task: null }];
}

/** Categories are names here and numbers elsewhere, whose names the file does not say. */
function nameOf(value: unknown, where: string, { classNames }: RowOptions): string {
  if (typeof value === 'number' && Number.isInteger(value)) return classNames?.[value] ?? String(value);
  return classNameAt(value, where);
}

/** An object of lists, or the list of objects that some write. */
function columnsOf(value: unknown, where: string): JsonObject {
  if (!Array.isArray(value)) return objectAt(value, where);
  const rows = value.map((part, i) => objectAt(part, `${where}[${i}]`));
  const keys = new Set(rows.flatMap((row) => Object.keys(row)));
  return Object.fromEntries([...keys].map((key) => [key, rows.map((row) => row[key] ?? null)]));
}

function saidIn(row: JsonObject, where: string, options: RowOptions): ImportedLabel[] {
  const { reckoning } = options;
  const key = row.categories === undefined && row.category !== undefined ? 'category' : 'categories';
  const categories = arrayAt(row[key], `${where}.${key}`);
  const scores = row.scores == null ? null : arrayAt(row.scores, `${where}.scores`);
  if (scores !== null && scores.length !== categories.length)
    throw badFile(`${where}.scores`, `${categories.length} scores were expected, not ${scores.length}`);
  return categories.map((category, i) => ({
    className: nameOf(category, `${where}.${key}[${i}]`, options),
    confidence: confidenceFrom(scores?.[i], `${where}.scores[${i}]`, reckoning),
    origin: null,
    task: null,
  }));
}

function regionsOf(row: JsonObject, where: string, options: RowOptions): ImportedRegion[] {
  const { reckoning } = options;
  const boxes = arrayAt(row.bbox, `${where}.bbox`);
  const labels = saidIn(row, where, options);
  if (labels.length !== boxes.length)
    throw badFile(`${where}.categories`, `${boxes.length} categories were expected, not ${labels.length}`);
  return boxes.flatMap((given, i): ImportedRegion[] => {
    const at = `${where}.bbox[${i}]`;
    const box = reckoning.attempt('object-unreadable', () => {
      const numbers = arrayAt(given, at).map((part, k) => numberAt(part, `${at}[${k}]`));
      if (numbers.length !== 4) throw badFile(at, `[x, y, width, height] was expected, not ${shown(given)}`);
      const [x, y, width, height] = numbers as [number, number, number, number];
      return sortedBox([x, y, x + width, y + height], at, reckoning);
    });
    if (box === null) return [];
    const label = labels[i];
    const shapes = { mask: null, polygons: null, keypoints: null, crowd: false };
    return [{ box, where: at, unit: 'pixels', score: label.confidence, labels: [label], ...shapes }];
  });
}
