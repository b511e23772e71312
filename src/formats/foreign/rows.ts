/** Text files with a row an object: one of a folder after the other, and each of their rows. */
import { badFile, numberIn } from '../check.ts';
import { eachFile, type FilesOptions } from '../json-files.ts';
import { hasRoom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { readSmallText } from '../walk.ts';

export interface RowsFile {
  /** Below the folder that is read. */
  readonly name: string;
  readonly rows: readonly { readonly cells: readonly string[]; readonly where: string }[];
}

/** Text files of a folder but those that are no labels: lists of a split, names of classes, a readme. */
export const isRowsName = (file: string) =>
  /\.txt$/i.test(file) && !/(?:^|\/)(?:readme[^/]*|train|val|test|trainval|classes)\.txt$/i.test(file);

/** Rows without the empty ones, parted at blanks. */
export async function* rowFiles(path: string, options: FilesOptions): AsyncGenerator<RowsFile> {
  const read = async (file: string, name: string) => {
    const text = await readSmallText(file, name);
    if (text === null) throw badFile(name, 'the file is not there any more');
    return text.split(/\r?\n/).flatMap((line, i) => {
      const cells = line.trim().split(/\s+/);
      return cells[0] === '' ? [] : [{ cells, where: `${name}:${i + 1}` }];
    });
  };
  for await (const { name, found } of eachFile(path, options, read)) yield { name, rows: found };
}

export function numbersIn(cells: readonly string[], where: string): number[] {
  return cells.map((cell) => numberIn(cell, where));
}

/** What `read` makes of each row, one of an object each; those that cannot be read are told. */
export function objectsOf<T>(
  { rows }: RowsFile,
  reckoning: Reckoning,
  read: (cells: readonly string[], where: string) => T | null,
): T[] {
  const objects: T[] = [];
  for (const { cells, where } of rows) {
    if (!hasRoom(objects, where, reckoning)) continue;
    const found = reckoning.attempt('object-unreadable', () => read(cells, where));
    if (found !== null) objects.push(found);
  }
  return objects;
}
