/**
 * Reads COCO's list of results (cocodataset.org/#format-results): a detector's objects, with ids in place of names. Classes
 * are those given, by number, else COCO's own; images are the files called by their id, as COCO and trainers name them.
 */
import { COCO_CLASSES } from '../../core/coco-classes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { badFile, objectAt, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { jsonElements } from '../json-stream.ts';
import { regionOf } from './annotation.ts';

/** Digits of a file name of COCO's: `000000000139.jpg`. */
const NAME_DIGITS = 12;

/** Results of one image that follow each other come as one image. */
export async function* readResultList(path: string, name: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const { reckoning, classNames } = options;
  const official = new Map<number, string>(COCO_CLASSES);
  let current: (ImportedImage & { readonly regions: ImportedRegion[] }) | null = null;
  for await (const { index, value } of jsonElements(path, name)) {
    const where = `${name} [${index}]`;
    const row = reckoning.attempt('row-unreadable', () => objectAt(value(), where));
    if (row === null) continue;
    const names = reckoning.attempt('row-unreadable', () => namesOf(row.image_id, `${where}.image_id`));
    if (names === null) continue;
    const number = row.category_id;
    const known = typeof number === 'number' ? (classNames?.[number] ?? official.get(number)) : undefined;
    const className = typeof row.category_name === 'string' ? row.category_name : known;
    if (className === undefined) {
      const what = `nothing says which class ${shown(number)} is`;
      reckoning.note('object-of-no-class', `${where}.category_id`, what);
      continue;
    }
    const region = reckoning.attempt('object-unreadable', () => regionOf(row, where, className, reckoning));
    if (region === null) continue;
    const [file, ...otherNames] = names;
    if (current !== null && current.file !== file) {
      yield current;
      current = null;
    }
    const further = otherNames.length === 0 ? {} : { otherNames };
    current ??= { file, ...further, width: null, height: null, labels: [], regions: [], where, split: null };
    current.regions.push(region);
  }
  if (current !== null) yield current;
}

function namesOf(id: unknown, where: string): [string, ...string[]] {
  if (typeof id === 'string' && id !== '') return [id];
  if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0) {
    const plain = String(id);
    const padded = plain.padStart(NAME_DIGITS, '0');
    return padded === plain ? [plain] : [padded, plain];
  }
  throw badFile(where, `an id was expected, not ${shown(id)}`);
}
