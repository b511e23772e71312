/**
 * What may be written on the cartons of each class, for a name to be right: a word of the class's own name, or what its package
 * says for it in Swedish. Written down from the names of the classes, after the words of five pictures a class had been seen.
 */
import { isRightName } from '../backbones/names.ts';

/** Words on the package, without marks on letters, by words of the classes' names. */
const SWEDISH: Readonly<Record<string, readonly string[]>> = {
  apple: ['appeljuice', 'applejuice'],
  blueberry: ['blabar'],
  ecological: ['eko', 'ekologisk', 'ekologiska', 'organic'],
  lactose: ['laktosfri', 'laktosfritt'],
  'low-fat': ['latt', 'lattyoghurt', 'mildlattyoghurt'],
  'medium-fat-milk': ['mellanmjolk', 'mellan'],
  milk: ['mjolk'],
  natural: ['naturell', 'natural'],
  oat: ['havre', 'havredryck'],
  oatghurt: ['havregurt', 'gurt', 'havre'],
  orange: ['apelsin', 'apelsinjuice'],
  grapefruit: ['grapefrukt'],
  red: ['rod'],
  'sour-cream': ['graddfil'],
  'sour-milk': ['filmjolk', 'fil', 'kefir'],
  soyghurt: ['soya', 'soja', 'soygurt', 'sojagurt'],
  soy: ['soya', 'soja'],
  'standard-milk': ['standardmjolk', 'standard'],
  strawberry: ['jordgubb', 'jordgubbar'],
  vanilla: ['vanilj'],
};

/** Whether a name is right for a class of a set: by WordNet, or, of cartons, by what is written on them. */
export function isRightWord(name: string, set: string, className: string): boolean {
  const word = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  if (isRightName(name, set, className)) return true;
  if (set !== 'cartons') return false;
  const swedish = Object.entries(SWEDISH).flatMap(([part, words]) => (className.includes(part) ? words : []));
  return [...className.split('-'), ...swedish].includes(word);
}
