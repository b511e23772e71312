/** Files of vectors as shards of work. */
import { z } from 'zod';
import type { VectorShard } from '../store/store.ts';
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
export const VECTOR_FILES = z.array(VECTOR_SHARD).readonly();

/** Items from which passes over all vectors are spread over machines: below, asking a queue takes longer than reading. */
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

export function countItems(shards: Iterable<VectorShard>): number {
  let items = 0;
  for (const { count } of shards) items += count;
  return items;
}
