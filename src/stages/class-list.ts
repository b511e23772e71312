/** Names of classes as somebody writes them down. */
import { toClassName } from '../core/class-name.ts';
import { LabelsmithError } from '../errors.ts';
import { readWholeFile } from '../files/whole-file.ts';

/** The names in a text: a file with one a line, or names with commas between. */
export async function classNamesFrom(text: string): Promise<string[]> {
  const file = await readWholeFile(text).catch((error: unknown) => {
    if (error instanceof LabelsmithError) throw error;
  });
  const parts = file === undefined ? text.split(',') : file.toString().split(/\r?\n/);
  const names = parts.map((part) => part.trim()).filter((part) => part !== '' && !part.startsWith('#'));
  const read = [...new Set(names.map((name) => toClassName(name)))].sort();
  if (read.length > 0) return read;
  throw new LabelsmithError('USAGE', `--classes ${JSON.stringify(text)} names no class.`, {
    hint: 'Write names with commas between, or name a file with one a line.',
  });
}
