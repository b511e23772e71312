/** JSON files of a folder, read whole or piece by piece; one that cannot be read leaves the others. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LabelsmithError, messageOf } from '../errors.ts';
import { badFile } from './check.ts';
import { filesInTurn } from './files-in-turn.ts';
import { checkJson, parseJson } from './json-stream.ts';
import type { Reckoning } from './reckoning.ts';
import { readSmallText, walkFiles } from './walk.ts';

export async function readJsonFile(path: string, name: string): Promise<unknown> {
  const text = await readSmallText(path, name);
  if (text === null) throw new LabelsmithError('NOT_FOUND', `${name} is not there any more`);
  try {
    return parseJson(text);
  } catch (cause) {
    throw badFile(name, `not valid JSON: ${messageOf(cause)}`, undefined, cause);
  }
}

export interface FilesOptions {
  readonly reckoning: Reckoning;
  /** Which files of a folder are meant, by their path below it. */
  readonly isWanted: (file: string) => boolean;
  /** Where such files are, for the error of a folder that has none. */
  readonly hint: string;
}

/**
 * What `read` makes of each file.
 * @param path a file, or a folder with some; a file by itself that cannot be read is an error
 */
export async function* eachFile<T>(
  path: string,
  options: FilesOptions,
  read: (path: string, name: string) => Promise<T>,
): AsyncGenerator<{ readonly name: string; readonly found: T }> {
  if (!(await stat(path)).isDirectory()) {
    const name = basename(path);
    yield { name, found: await read(path, name) };
    return;
  }
  const { reckoning } = options;
  for await (const name of wantedFiles(path, options)) {
    const found = await reckoning.attemptFile('file-unreadable', () => read(join(path, name), name), name);
    if (found === null) continue;
    reckoning.take('files');
    yield { name, found };
  }
}

/**
 * The same for files that are read piece by piece. Of a folder each is looked through first, so that one that is cut off gives
 * nothing rather than the half that is there.
 */
export async function* eachJsonStream<T>(
  path: string,
  options: FilesOptions,
  read: (path: string, name: string) => AsyncIterable<T>,
): AsyncGenerator<T> {
  if (!(await stat(path)).isDirectory()) {
    yield* read(path, basename(path));
    return;
  }
  yield* filesInTurn(wantedFiles(path, options), options.reckoning, async function* (name) {
    await checkJson(join(path, name), name);
    yield* read(join(path, name), name);
  });
}

async function* wantedFiles(path: string, { isWanted, hint }: FilesOptions): AsyncGenerator<string> {
  let [files, wanted] = [0, 0];
  for await (const name of walkFiles(path)) {
    files++;
    if (!isWanted(name)) continue;
    wanted++;
    yield name;
  }
  if (files > 0 && wanted === 0) throw badFile(path, 'there are no files of labels in it', hint);
}
