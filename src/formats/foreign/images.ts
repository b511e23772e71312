/** The two ways in which readers of JSON in this folder come to images: a file an image, or a row an image. */
import type { ImportedImage } from '../../core/dataset.ts';
import { type JsonObject, jsonOf, objectAt } from '../check.ts';
import { eachFile, type FilesOptions, readJsonFile } from '../json-files.ts';
import { jsonElements } from '../json-stream.ts';
import type { ReasonKey, Reckoning } from '../reckoning.ts';
import { eachLine, type LineFiles } from './lines.ts';

/** A row that is parsed when it is asked for, and where it stands. */
export interface Row {
  readonly where: string;
  readonly value: () => unknown;
}

export const isJsonName = (file: string) => /\.json$/i.test(file);

/** One image of each file. */
export async function* imagesOfFiles(
  path: string,
  options: FilesOptions,
  imageOf: (row: JsonObject, name: string) => ImportedImage | Promise<ImportedImage>,
): AsyncGenerator<ImportedImage> {
  const read = async (file: string, name: string) => imageOf(objectAt(await readJsonFile(file, name), name), name);
  for await (const { found } of eachFile(path, options, read)) yield found;
}

/** One image of each row. A row that cannot be read is left out and told. */
export async function* imagesOfRows(
  rows: AsyncIterable<Row>,
  { reckoning, unreadable }: { readonly reckoning: Reckoning; readonly unreadable: ReasonKey },
  imageOf: (row: JsonObject, where: string) => ImportedImage,
): AsyncGenerator<ImportedImage> {
  for await (const { where, value } of rows) {
    const image = reckoning.attempt(unreadable, () => imageOf(objectAt(value(), where), where));
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}

export async function* rowsOfLines(path: string, options: LineFiles): AsyncGenerator<Row> {
  for await (const { text, where } of eachLine(path, options)) yield { where, value: () => jsonOf(text, where) };
}

export async function* rowsOfList(path: string, name: string): AsyncGenerator<Row> {
  for await (const { index, value } of jsonElements(path, name)) yield { where: `${name} [${index}]`, value };
}
