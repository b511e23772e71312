/**
 * The vectors that `teach` learns from in a large pile, by many machines, in one pass over all of them: each part gives those of
 * some files that people spoke of or that are audited, and others whose lots are low.
 */
import { z } from 'zod';
import { readHeld } from '../../blobs/held-blobs.ts';
import { getValue } from '../../blobs/value-blob.ts';
import type { ItemId } from '../../core/ids.ts';
import { type Merging, reductionStage } from '../../jobs/reduction.ts';
import type { VectorShard } from '../../store/store.ts';
import { lotOf } from '../discover/sample.ts';
import { type FilesContext, OVER_FILES, rowsIn, type TakenRows } from '../vector-shard.ts';

const SETTINGS = z.strictObject({
  /** Key of a blob: ids of items that are taken whatever their lots are. */
  wanted: z.string(),
  /** Key of a blob: ids of items that are never taken. */
  refused: z.string(),
  seed: z.int(),
  /** Lots from this one on are not taken. */
  below: z.number(),
});

export interface RowsContext extends FilesContext, Merging<TakenRows> {
  readonly wanted: ReadonlySet<ItemId>;
  readonly refused: ReadonlySet<ItemId>;
  readonly seed: number;
  readonly below: number;
}

export const rowsStage = reductionStage<z.infer<typeof SETTINGS>, RowsContext, readonly VectorShard[], TakenRows>({
  name: 'teach-rows',
  isKept: true,
  within: 'teach',
  settings: SETTINGS,
  ...OVER_FILES,

  async open({ workspace: { blobs, vectors }, settings: { wanted, refused, seed, below } }) {
    const idsOf = async (key: string) => {
      const ids = await readHeld(() => getValue<readonly ItemId[]>(blobs, key));
      if (ids === undefined) throw new Error('the list of labelled items is not among the blobs of the workspace');
      return new Set(ids);
    };
    return { vectors, wanted: await idsOf(wanted), refused: await idsOf(refused), seed, below };
  },

  map: ({ vectors, wanted, refused, seed, below }, files) =>
    rowsIn(vectors, files, (id) => wanted.has(id) || (lotOf(id, seed) < below && !refused.has(id))),
});
