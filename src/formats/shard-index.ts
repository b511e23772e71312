/**
 * An export in shards: a folder of files of one format, and `index.json`, which says what it is and names each file with its
 * counts, size, SHA-256 and the first and last image in it. The shards are in the order of the images, so that one after the
 * other they say what the export in one file says.
 *
 * The index is what makes the export exist: it is written last, and a file that it does not name is none of it. Resident
 * while it is read: the index, some 300 bytes a shard, and the names of one shard's files.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedImage } from '../core/dataset.ts';
import { systemCodeOf } from '../errors.ts';
import { sha256OfFile } from '../fetch/cache.ts';
import { badFile } from './check.ts';
import { filesInTurn } from './files-in-turn.ts';
import type { FormatName, LabelReader, ReadOptions } from './format.ts';
import { readSmallText } from './walk.ts';

/** Formats whose files may be cut anywhere between two images: each part is a file of the format. */
export const SHARD_FORMATS = ['csv', 'jsonl', 'parquet'] as const satisfies readonly FormatName[];
export type ShardFormat = (typeof SHARD_FORMATS)[number];

export const INDEX_FILE = 'index.json';

const SHARD_NAME = /^part-\d{6,}\.[a-z]+$/;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const Shard = z.object({
  file: z.string().regex(SHARD_NAME),
  images: z.int().positive(),
  regions: z.int().nonnegative(),
  labels: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256,
  /** Ids of the first and the last image. */
  first: sha256,
  last: sha256,
});

const Index = z.object({
  madeBy: z.literal('labelsmith'),
  version: z.string(),
  /** False while shards are still written. */
  complete: z.boolean(),
  format: z.enum(SHARD_FORMATS),
  /** Null: every task. */
  task: z.string().nullable(),
  /** Of the task: one class an item, or any number. Null for every task. */
  rule: z.enum(['single', 'multi']).nullable(),
  /** Images in each shard but the last. */
  shardSize: z.int().positive(),
  images: z.int().nonnegative(),
  regions: z.int().nonnegative(),
  labels: z.int().nonnegative(),
  splits: z.record(z.string(), z.int()),
  /** What the format does not keep, in words, and what of it there was, counted. */
  loses: z.array(z.string()),
  lost: z.record(z.string(), z.int()),
  accuracy: z.array(z.record(z.string(), z.unknown())).optional(),
  /** Of what the export shows. */
  digest: z.string().optional(),
  shards: z.array(Shard),
});

export type ShardEntry = z.output<typeof Shard>;
export type ShardIndex = z.output<typeof Index>;

/** The name of a shard. @param number from 0 */
export function shardName(number: number, format: ShardFormat): string {
  return `part-${String(number).padStart(6, '0')}.${format}`;
}

export function isShardName(name: string): boolean {
  return SHARD_NAME.test(name);
}

/** A shard a line, for people who look into it. */
export function indexText({ shards, ...index }: ShardIndex): string {
  const head = JSON.stringify(index, null, 2).slice(0, -2);
  const lines = shards.map((shard) => `\n    ${JSON.stringify(shard)}`).join(',');
  return `${head},\n  "shards": [${lines}${shards.length > 0 ? '\n  ' : ''}]\n}\n`;
}

const IS_OURS = /^\s*\{\s*"madeBy"\s*:\s*"labelsmith"/;

/** Null for what is no index of ours, or a damaged one. */
export function indexOf(text: string): ShardIndex | null {
  if (!IS_OURS.test(text)) return null;
  try {
    return Index.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // cut off
  }
}

/** The index of an export in a folder; null where there is none of ours. */
export async function indexIn(folder: string): Promise<ShardIndex | null> {
  const path = join(folder, INDEX_FILE);
  const isFile = (await stat(path).catch(() => null))?.isFile() ?? false;
  const text = isFile ? await readSmallText(path, INDEX_FILE) : null;
  const index = text === null ? null : indexOf(text);
  // Without it nobody can say which shards there are, so that what is there is not read as if it were all.
  if (index === null && text !== null && IS_OURS.test(text))
    throw badFile(path, 'the index of the export is damaged', 'Export again, or import its files one by one.');
  return index;
}

/** Images of the shards that an index names, in its order. A shard that is missing or damaged is told and left out. */
export async function* readShards(
  reader: Pick<LabelReader, 'name' | 'read'>,
  folder: string,
  { format, complete, shards }: ShardIndex,
  options: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const where = join(folder, INDEX_FILE);
  if (!complete) throw badFile(where, 'the export is not whole', 'Run the same export again: it goes on.');
  if (format !== reader.name) throw badFile(where, `it is an export to ${format}, not to ${reader.name}`);
  const byName = new Map(shards.map((shard) => [shard.file, shard]));
  yield* filesInTurn(byName.keys(), options.reckoning, async function* (file) {
    const shard = byName.get(file);
    if (shard === undefined) return;
    const path = join(folder, file);
    const isAsWritten = (await digestThere(path, file)) === shard.sha256;
    if (!isAsWritten && !options.byHand)
      throw badFile(
        file,
        `it is damaged, or was changed: its bytes are not those that ${INDEX_FILE} names (corrections are taken in with --as human)`,
      );
    const names = new Set<string>();
    for await (const image of reader.read(path, options)) {
      names.add(image.file);
      yield image;
    }
    if (!isAsWritten)
      options.reckoning.note('shard-corrected', file, `${names.size} images of the ${shard.images} that it had`);
  });
}

async function digestThere(path: string, name: string): Promise<string> {
  try {
    return await sha256OfFile(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') throw badFile(name, `it is not there, and ${INDEX_FILE} names it`);
    throw error;
  }
}
