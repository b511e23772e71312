/** A file of vectors as a shard of work. */
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
