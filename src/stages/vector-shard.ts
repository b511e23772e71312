/** Files of vectors as shards of work. */
import { z } from 'zod';
import type { ItemId } from '../core/ids.ts';
import type { VectorShard } from '../store/store.ts';
import type { VectorStore } from '../vectors/vector-store.ts';
import { ITEM_KIND } from './image-work.ts';

/** A row of the record: one file of vectors. */
export const VECTOR_SHARD: z.ZodType<VectorShard> = z.object({
  space: z.string(),
  items: ITEM_KIND,
  shard: z.string(),
  file: z.string(),
  sha256: z.string(),
  count: z.number(),
  firstId: z.string(),
  lastId: z.string(),
  runId: z.string().nullable(),
});

/** Some files of vectors, for passes over all of them whose parts are small. */
const VECTOR_FILES = z.array(VECTOR_SHARD).readonly();

/** Items from which passes over all vectors are spread over machines: below, asking a queue is reckoned to take longer than reading. */
export const SPREAD_FROM = 100_000;
const ITEMS_A_GROUP = 10_000;

/** Files in their order, as many together as have so many items: what a sum over all is a sum of sums of. */
export function* groupsOfFiles(shards: Iterable<VectorShard>, itemsAGroup = ITEMS_A_GROUP): Generator<VectorShard[]> {
  let group: VectorShard[] = [];
  let items = 0;
  for (const shard of shards) {
    group.push(shard);
    items += shard.count;
    if (items < itemsAGroup) continue;
    yield group;
    group = [];
    items = 0;
  }
  if (group.length > 0) yield group;
}

/** Of a stage that passes over all files of vectors. */
export interface FilesContext {
  readonly vectors: Pick<VectorStore, 'stream'>;
  /** In the process that runs the stage. */
  readonly files?: readonly VectorShard[];
}

/** What stages that pass over all files of vectors have in common: a shard of work is a group of files. */
export const OVER_FILES = {
  shard: VECTOR_FILES,

  async total({ files = [] }: FilesContext): Promise<number> {
    return [...groupsOfFiles(files)].length;
  },

  async *plan({ files = [] }: FilesContext): AsyncGenerator<readonly VectorShard[]> {
    yield* groupsOfFiles(files);
  },
};

export function countItems(shards: Iterable<VectorShard>): number {
  let items = 0;
  for (const { count } of shards) items += count;
  return items;
}

/** Some of the items of some files. */
export interface TakenRows {
  readonly ids: readonly ItemId[];
  /** As they are in the files, shape [ids, columns]. */
  readonly vectors: Float32Array;
}

export interface VectorRow {
  readonly id: ItemId;
  /** Shape [columns]. */
  readonly vector: Float32Array;
}

/** In the order of the files. */
export async function rowsIn(
  vectors: Pick<VectorStore, 'stream'>,
  files: readonly VectorShard[],
  isTaken: (id: ItemId) => boolean,
): Promise<TakenRows> {
  const ids: ItemId[] = [];
  const rows: Float32Array[] = [];
  for await (const part of vectors.stream(files)) {
    const { data, columns } = part.vectors;
    for (const [row, id] of part.ids.entries()) {
      if (!isTaken(id)) continue;
      ids.push(id);
      rows.push(data.slice(row * columns, (row + 1) * columns));
    }
  }
  const taken = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    taken.set(row, at);
    at += row.length;
  }
  return { ids, vectors: taken };
}

/** Views. */
export function* eachRow({ ids, vectors }: TakenRows): Generator<VectorRow> {
  const columns = vectors.length / ids.length;
  for (const [i, id] of ids.entries()) yield { id, vector: vectors.subarray(i * columns, (i + 1) * columns) };
}
