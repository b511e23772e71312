/**
 * Reads Hugging Face's `imagefolder`: a `metadata.jsonl` or `metadata.csv` in the folder, or one in the folder of each
 * split. Both may be there for different folders.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ImportedImage } from '../../core/dataset.ts';
import { badFile, jsonOf } from '../check.ts';
import { readTable } from '../csv/read.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { splitOfName } from '../split-names.ts';
import { listFolder } from '../walk.ts';
import { readHfParquet } from './parquet.ts';
import { imageOfRow } from './row.ts';

export const METADATA = 'metadata.jsonl';
const METADATA_FILES = [METADATA, 'metadata.csv', 'metadata.parquet'];

/** @param path a metadata file, or a folder that has one or whose folders, the splits, have one each */
export async function* readHf(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield* readMetadata(dirname(path), basename(path), null, options);
    return;
  }
  const { files, folders } = await listFolder(path);
  const own = METADATA_FILES.find((name) => files.includes(name));
  if (own !== undefined) {
    yield* readMetadata(path, own, null, options);
    return;
  }
  const found: { name: string; folder: string }[] = [];
  for (const folder of folders) {
    const { files: inside } = await listFolder(join(path, folder));
    const file = METADATA_FILES.find((name) => inside.includes(name));
    if (file !== undefined) found.push({ name: `${folder}/${file}`, folder });
  }
  yield* filesInTurn(found, options.reckoning, ({ name, folder }) => readMetadata(path, name, folder, options));
  if (found.length === 0)
    throw badFile(
      path,
      `there is no ${METADATA}, metadata.csv or metadata.parquet in it`,
      'Class folders without one are the format folders.',
    );
}

/** @param folder the split's, below `root`; null: the metadata is that of `root` */
async function* readMetadata(
  root: string,
  name: string,
  folder: string | null,
  options: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const split = folder === null ? null : (splitOfName(folder) ?? folder);
  const path = join(root, name);
  const rows = name.endsWith('.csv')
    ? readTable(path, name, options)
    : name.endsWith('.parquet')
      ? readHfParquet(path, name, options)
      : readRows(root, name, options);
  for await (const image of rows)
    yield { ...image, file: folder === null ? image.file : `${folder}/${image.file}`, split: image.split ?? split };
}

async function* readRows(
  root: string,
  name: string,
  { reckoning, classNames }: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const told = new Set<string>();
  for await (const { text, number } of linesOf(join(root, name), name)) {
    if (text.trim() === '') continue;
    const where = `${name}:${number}`;
    const image = reckoning.attempt('row-unreadable', () =>
      imageOfRow(jsonOf(text, where), where, { reckoning, classNames, told }),
    );
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}
