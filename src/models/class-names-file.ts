/** A text file with a class name a line. */
import { readFile } from 'node:fs/promises';
import { LabelsmithError } from '../errors.ts';

export async function readClassNames(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LabelsmithError('NOT_FOUND', `The class names ${file} cannot be read.`, { cause });
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
