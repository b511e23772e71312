/** Names that folders and files of data sets have for the usual splits. */

const KNOWN = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['trainset', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['validate', 'val'],
  ['dev', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
]);

/** `train`, `val` or `test` for a name that means it, with a year or `set` behind it too; null for any other. */
export function splitOfName(name: string): string | null {
  const plain = name.toLowerCase().replace(/[_-]?(?:19|20)\d\d$/, '');
  return KNOWN.get(plain) ?? KNOWN.get(plain.replace(/[_-]?set$/, '')) ?? null;
}
