/** A text file with a class name a line. */
import { LabelsmithError } from '../errors.ts';
import { readWholeFile } from '../files/whole-file.ts';

export async function readClassNames(file: string): Promise<string[]> {
  const bytes = await readWholeFile(file).catch((cause: unknown) => {
    if (cause instanceof LabelsmithError) throw cause;
    throw new LabelsmithError('NOT_FOUND', `The class names ${file} cannot be read.`, {
      cause,
      hint: 'Name a text file that is there, with a class name a line.',
    });
  });
  return bytes
    .toString()
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
