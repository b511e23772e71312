/** The classes of a hub model, by the names that are used here. */
import { COCO_NAMES } from '../../core/coco-classes.ts';

/** VOC's and DarkNet's names of COCO's classes, which some configs keep. */
const COCO_ALIASES: Readonly<Record<string, string>> = {
  motorbike: 'motorcycle',
  aeroplane: 'airplane',
  sofa: 'couch',
  pottedplant: 'potted plant',
  diningtable: 'dining table',
  tvmonitor: 'tv',
};

/** In order of their numbers, 0 to the last with none left out; undefined where they are not that. */
export function classNamesOf(labels: Readonly<Record<string, string>> | undefined): readonly string[] | undefined {
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
