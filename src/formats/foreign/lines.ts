/** JSON Lines of a file, or of the files of a folder that end so. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { badFile } from '../check.ts';
import { filesInTurn } from '../files-in-turn.ts';
import { linesOf } from '../lines.ts';
import type { Reckoning } from '../reckoning.ts';
import { walkFiles } from '../walk.ts';

export interface LineFiles {
  readonly reckoning: Reckoning;
  readonly ending: RegExp;
  readonly hint: string;
}

/** Lines that are not empty, and where they stand: `a.manifest:3`. */
export async function* eachLine(
  path: string,
  { reckoning, ending, hint }: LineFiles,
): AsyncGenerator<{ readonly text: string; readonly where: string }> {
  if (!(await stat(path)).isDirectory()) {
    yield* linesIn(path, basename(path));
    return;
  }
  const names: string[] = [];
  for await (const file of walkFiles(path)) if (ending.test(file)) names.push(file);
  if (names.length === 0) throw badFile(path, 'there are no files of labels in it', hint);
  yield* filesInTurn(names, reckoning, (name) => linesIn(join(path, name), name));
}

async function* linesIn(path: string, name: string): AsyncGenerator<{ text: string; where: string }> {
  for await (const { text, number } of linesOf(path, name))
    if (text.trim() !== '') yield { text, where: `${name}:${number}` };
}
