/** One row of Hugging Face's metadata: the file, its classes, and its objects as lists or as a list of them. Pure. */
import type { ImportedImage, ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import { arrayAt, badFile, classNameAt, fileNameAt, type JsonObject, numberAt, objectAt, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { confidenceFrom, sizeFrom, sortedBox } from '../mend.ts';

/** Of a row; all others are told of, once each. */
const KEYS = new Set(['file_name', 'width', 'height', 'labels', 'label', 'objects', 'image_id', 'image']);

export interface RowOptions extends Pick<ReadOptions, 'reckoning' | 'classNames'> {
  /** Columns that were told of. */
  readonly told: Set<string>;
}

/** What one row of a table says; columns that are passed over are told of once a table. */
export function imageOfRow(value: unknown, where: string, options: RowOptions): ImportedImage {
  const { reckoning, told } = options;
  const row = objectAt(value, where);
  for (const key of Object.keys(row).filter((one) => !KEYS.has(one) && !told.has(one))) {
    told.add(key);
    reckoning.note('column-passed-over', where, key);
  }
  const labels = row.labels == null ? null : objectAt(row.labels, `${where} labels`);
  return {
    file: fileNameAt(row.file_name ?? imagePathOf(row.image), `${where} file_name`),
    width: sizeFrom(row.width, `${where} width`, reckoning),
    height: sizeFrom(row.height, `${where} height`, reckoning),
    labels: labels === null ? labelOfRow(row.label, where, options) : saidIn(labels, `${where} labels`, options),
    regions:
      row.objects == null ? [] : regionsOf(columnsOf(row.objects, `${where} objects`), `${where} objects`, options),
    where,
    split: null,
  };
}

/** Of an image that lies in the table, its name. */
function imagePathOf(image: unknown): unknown {
  return typeof image === 'object' && image !== null && 'path' in image ? image.path : image;
}

/** The single `label` that rows of other tools have. */
function labelOfRow(value: unknown, where: string, options: RowOptions): ImportedLabel[] {
  if (value == null) return [];
  return [{ className: nameOf(value, `${where} label`, options), confidence: null, origin: null, task: null }];
}

/** Categories are names here and numbers elsewhere, whose names the file does not say. */
function nameOf(value: unknown, where: string, { classNames }: RowOptions): string {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return classNames?.[value] ?? String(value);
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
