/** Which items have vectors of a space: those of its files that can be read. */

import { IdSet } from '../core/id-set.ts';
import type { ItemKind } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { VectorStore } from '../vectors/vector-store.ts';

/**
 * Reads every file once and holds one. A record whose file is gone or damaged is dropped: vectors may be deleted at any
 * time, and what they were of is missing again. With `dryRun` nothing is dropped.
 */
export async function itemsDone(
  { store, vectors }: { readonly store: Store; readonly vectors: Pick<VectorStore, 'read'> },
  space: string,
  items: ItemKind,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<IdSet> {
  const done = new IdSet();
  const lost = new Set<string>();
  for (const shard of await store.vectorShards(space, items)) {
    try {
      for (const id of (await vectors.read(shard)).ids) done.add(id);
    } catch (error) {
      if (!(error instanceof LabelsmithError) || !['NOT_FOUND', 'BAD_FILE'].includes(error.code)) throw error;
      lost.add(shard.shard);
    }
  }
  if (lost.size > 0 && !dryRun) await store.clearVectorShards(space, items, lost);
  return done;
}
