/** Files of vectors as shards of work. */
import { z } from 'zod';
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

/** Files in their order, as many together as have 10,000 items: what a sum over all is a sum of sums of. */
export function* groupsOfFiles(shards: Iterable<VectorShard>): Generator<VectorShard[]> {
  let group: VectorShard[] = [];
  let items = 0;
  for (const shard of shards) {
    group.push(shard);
    items += shard.count;
    if (items < ITEMS_A_GROUP) continue;
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
