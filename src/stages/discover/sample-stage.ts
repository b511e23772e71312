/**
 * The sample of a large pile by many machines, in one pass over all vectors: each shard gives the items of some files whose
 * lots are low, with their vectors; the command keeps the lowest of all. So it is the sample of one machine, whoever read the
 * files.
 *
 * Resident: the vectors of twice the sample.
 */
import { z } from 'zod';
import type { ItemId } from '../../core/ids.ts';
import { type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import type { StageJob } from '../../jobs/stage.ts';
import type { VectorShard } from '../../store/store.ts';
import type { EmbeddingRecipe, SpaceMean } from '../embed/recipe.ts';
import { countItems, type FilesContext, OVER_FILES, SPREAD_FROM } from '../vector-shard.ts';
import { type Copies, NO_COPIES } from './copies.ts';
import { chooseSample, DrawnItems, lotOf, MAX_SAMPLE, readSample, type Sample, sampleKey, sampleOf } from './sample.ts';

const SETTINGS = z.strictObject({
  seed: z.int(),
  /** Lots from this one on are not in it. */
  below: z.number(),
});

/** Items of some files whose lots are low. */
interface LowLots {
  readonly ids: readonly ItemId[];
  /** As they are in the files, shape [ids, columns]. */
  readonly vectors: Float32Array;
}

interface SampleContext extends FilesContext, Merging<LowLots>, z.infer<typeof SETTINGS> {}

export const sampleStage = reductionStage<z.infer<typeof SETTINGS>, SampleContext, readonly VectorShard[], LowLots>({
  name: 'sample',
  isKept: true,
  within: 'discover',
  settings: SETTINGS,
  ...OVER_FILES,

  async open({ workspace: { vectors }, settings }) {
    return { vectors, ...settings };
  },

  map: lowLotsIn,
});

async function lowLotsIn({ vectors, seed, below }: SampleContext, files: readonly VectorShard[]): Promise<LowLots> {
  const ids: ItemId[] = [];
  const rows: Float32Array[] = [];
  for await (const part of vectors.stream(files)) {
    const { data, columns } = part.vectors;
    for (const [row, id] of part.ids.entries()) {
      if (lotOf(id, seed) >= below) continue;
      ids.push(id);
      rows.push(data.slice(row * columns, (row + 1) * columns));
    }
  }
  const found = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    found.set(row, at);
    at += row.length;
  }
  return { ids, vectors: found };
}

export interface DrawOptions {
  readonly recipe: EmbeddingRecipe;
  readonly mean: Pick<SpaceMean, 'values'>;
  readonly shards: readonly VectorShard[];
  /** Default {@link MAX_SAMPLE}. */
  readonly most?: number;
  /** Of near copies one is drawn. Default: there are none. */
  readonly copies?: Copies;
  /** Items from which the engine of the workspace looks (default 100,000). */
  readonly spreadFrom?: number;
}

/** A random sample, which depends on the items, their copies and the seed alone, ready to be compared. */
export async function drawSample(
  job: Omit<StageJob<unknown>, 'settings'>,
  { recipe, mean, shards, most = MAX_SAMPLE, copies = NO_COPIES, spreadFrom = SPREAD_FROM }: DrawOptions,
): Promise<Sample> {
  const { workspace, seed } = job;
  const { vectors } = workspace;
  const items = countItems(shards);
  if (items >= spreadFrom) {
    const below = Math.min(LOTS, (LOTS * LOTS_A_PLACE * most) / items);
    const drawn = new DrawnItems({ seed, most, copies });
    const rows = new Map<string, { readonly id: ItemId; readonly vector: Float32Array }>();
    const merge = ({ ids, vectors: numbers }: LowLots) => {
      const columns = numbers.length / ids.length;
      for (const [i, id] of ids.entries()) {
        drawn.add(id);
        rows.set(sampleKey(id), { id, vector: numbers.subarray(i * columns, (i + 1) * columns) });
      }
    };
    const settings = { seed, below };
    await reduce(sampleStage, { ...job, settings }, { vectors, ...settings, files: shards, merge });
    const chosen = drawn.keys();
    const isWhole = chosen.size >= Math.min(most, items) || below >= LOTS;
    const drawnRows = [...chosen].flatMap((key) => rows.get(key) ?? []);
    if (isWhole) return sampleOf(drawnRows, recipe, mean);
    // So many are copies of each other that the lowest lots are too few: how many more is told by looking at all.
  }
  return readSample(vectors, shards, await chooseSample(vectors, shards, { seed, most, copies }), recipe, mean);
}

/** Of 32 bits each. */
const LOTS = 2 ** 32;
/** Looked at for each place in the sample: half of them may be copies. */
const LOTS_A_PLACE = 2;
