/** The classes of a hub model, by the names that are used here. */
import { COCO_CLASSES, COCO_NAMES } from '../../core/coco-classes.ts';

/** VOC's and DarkNet's names of COCO's classes, which some configs keep. */
const COCO_ALIASES: Readonly<Record<string, string>> = {
  motorbike: 'motorcycle',
  aeroplane: 'airplane',
  sofa: 'couch',
  pottedplant: 'potted plant',
  diningtable: 'dining table',
  tvmonitor: 'tv',
};

export interface NamedColumns {
  readonly names: readonly string[];
  /** Which of the network's numbers each is; undefined: the first of them are, in this order. */
  readonly columns?: readonly number[];
}

/** What a config calls a number that stands for no class. */
const NOTHING = /^(n\/?a|none|background|no[ -]object|label_\d+)$/i;

/**
 * What a detector's numbers are called. Numbers may be left out or named as nothing. Where there are 90 or 91 and the config has
 * COCO's 80 names one after the other, they are COCO's official numbers: RF-DETR's are, and DETR's.
 *
 * @param count of the network's numbers, without that of "no object". @returns undefined where they do not fit each other
 */
export function namedColumns(
  labels: Readonly<Record<string, string>> | undefined,
  count: number,
): NamedColumns | undefined {
  if (!labels) return undefined;
  const inRow = classNamesOf(labels);
  if (inRow && inRow.length < count && isCoco(inRow) && (count === 90 || count === 91)) {
    // Of 90 the first is number 1.
    return { names: COCO_CLASSES.map(([, name]) => name), columns: COCO_CLASSES.map(([id]) => id - (91 - count)) };
  }
  const named = Object.entries(labels)
    .map(([number, name]) => [Number(number), name] as const)
    .filter(([number, name]) => Number.isInteger(number) && number >= 0 && !NOTHING.test(name))
    .sort(([a], [b]) => a - b);
  const columns = named.map(([number]) => number);
  if (columns.length === 0 || (columns.at(-1) ?? 0) >= count) return undefined;
  const plain = inRow?.length === columns.length ? inRow : named.map(([, name]) => COCO_ALIASES[name] ?? name);
  if (columns.length === count) return { names: plain };
  // More numbers than names, and the names without a gap: nobody knows whose the others are.
  const all = Object.keys(labels).length;
  return all === count || columns.length < (columns.at(-1) ?? 0) + 1 ? { names: plain, columns } : undefined;
}

function isCoco(names: readonly string[]): boolean {
  return names.length === COCO_NAMES.length && names.every((name, i) => name === COCO_NAMES[i]);
}

/** In order of their numbers, 0 to the last with none left out; undefined where they are not that. */
function classNamesOf(labels: Readonly<Record<string, string>> | undefined): readonly string[] | undefined {
  if (!labels) return undefined;
  const names = Array.from({ length: Object.keys(labels).length }, (_, i) => labels[String(i)]);
  const whole = names.flatMap((name) => (name === undefined ? [] : [name]));
  if (whole.length !== names.length || whole.length === 0) return undefined;
  const coco = whole.map((name) => COCO_ALIASES[name] ?? name);
  return coco.every((name) => COCO_NAMES.includes(name)) ? coco : whole;
}

/** ImageNet's 1,000 classes in their usual order. */
export function isImageNet(labels: Readonly<Record<string, string>> | undefined): boolean {
  if (!labels || Object.keys(labels).length !== 1000) return false;
  const at = (i: number, word: string) => (labels[String(i)] ?? '').toLowerCase().includes(word);
  return at(0, 'tench') && at(207, 'golden retriever') && at(999, 'toilet');
}
