/**
 * What a linear head can be made of without its items, by many machines: of each fold of the labelled items the count, the sum of
 * each class and the scatter of all, over some files; added up in the order of the plan. One pass over the labelled vectors, whatever
 * their number, and 8 · d · (d + classes) bytes a fold and part.
 */
import { z } from 'zod';
import { holdingBlobs, readHeld } from '../../blobs/held-blobs.ts';
import { getValue, valueBlob } from '../../blobs/value-blob.ts';
import type { ItemId } from '../../core/ids.ts';
import { type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import { type Closing, closeContext, type StageJob } from '../../jobs/stage.ts';
import { addedStatistics, type ClassStatistics, classStatistics, noStatistics } from '../../math/heads/discriminant.ts';
import { matrix, shareMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { VectorShard } from '../../store/store.ts';
import { SAMPLES_FOLDER } from '../discover/kept-sample.ts';
import { centreAndNormalise, columnsOf, type EmbeddingRecipe } from '../embed/recipe.ts';
import { countItems, eachRow, groupsOfFiles, rowsIn, VECTOR_SHARD } from '../vector-shard.ts';
import type { WholePile } from './items.ts';

/** The items that statistics are of, and what their vectors become before. */
export interface LabelledPile {
  readonly blocks: EmbeddingRecipe['blocks'];
  /** Shape [columns]. */
  readonly mean: Float32Array;
  readonly classes: number;
  readonly folds: number;
  /** Class and fold of each item. */
  readonly items: ReadonlyMap<ItemId, readonly [label: number, fold: number]>;
}

const SETTINGS = z.strictObject({
  /** Key of a blob, see {@link LabelledPile}. */
  labelled: z.string(),
});

interface StatisticsContext extends Closing, Merging<readonly ClassStatistics[]> {
  readonly vectors: StageJob<unknown>['workspace']['vectors'];
  /** In the process that runs the stage. */
  readonly files?: readonly VectorShard[];
  readonly itemsAPart?: number;
  readonly pool: InferencePool;
  readonly labelled: LabelledPile;
}

/** As many as make parts that are larger than what they come to. */
const MIN_ITEMS_A_PART = 100_000;
const MAX_PARTS = 32;

function partsOf({ files = [], itemsAPart }: StatisticsContext): VectorShard[][] {
  const most = Math.max(MIN_ITEMS_A_PART, Math.ceil(countItems(files) / MAX_PARTS));
  return [...groupsOfFiles(files, itemsAPart ?? most)];
}

export const statisticsStage = reductionStage<
  z.infer<typeof SETTINGS>,
  StatisticsContext,
  readonly VectorShard[],
  readonly ClassStatistics[]
>({
  name: 'teach-statistics',
  isKept: true,
  within: 'teach',
  settings: SETTINGS,
  shard: z.array(VECTOR_SHARD).readonly(),

  async open({ workspace: { blobs, vectors, engine }, settings, threads }) {
    const labelled = await readHeld(() => getValue<LabelledPile>(blobs, settings.labelled));
    if (labelled === undefined) throw new Error('the labelled items are not among the blobs of the workspace');
    const pool = await engine.openInference({ threads });
    return { vectors, pool, labelled, close: () => pool.close() };
  },

  close: closeContext,

  total: async (context) => partsOf(context).length,

  async *plan(context) {
    yield* partsOf(context);
  },

  map: statisticsIn,
});

async function statisticsIn(
  { vectors, pool, labelled }: StatisticsContext,
  files: readonly VectorShard[],
): Promise<readonly ClassStatistics[]> {
  const { classes, items, folds, blocks, mean } = labelled;
  let sums = Array.from({ length: folds }, () => noStatistics(columnsOf({ blocks }), classes));
  for (const group of groupsOfFiles(files)) {
    const rows = [...eachRow(await rowsIn(vectors, group, (id) => items.has(id)))];
    const ofFolds: ClassStatistics[] = [];
    for (const [fold, before] of sums.entries()) {
      const own = rows.filter(({ id }) => items.get(id)?.[1] === fold);
      if (own.length === 0) {
        ofFolds.push(before);
        continue;
      }
      const columns = own[0].vector.length;
      const features = matrix(new Float32Array(own.length * columns), own.length, columns);
      for (const [i, { vector }] of own.entries()) features.data.set(vector, i * columns);
      centreAndNormalise(features, { blocks }, mean);
      const labels = own.map(({ id }) => items.get(id)?.[0] ?? 0);
      ofFolds.push(addedStatistics(before, await classStatistics(pool, shareMatrix(features), labels, classes)));
    }
    sums = ofFolds;
  }
  return sums;
}

/** Of each fold, over all files. */
export async function statisticsOfPile(
  job: Omit<StageJob<unknown>, 'settings'>,
  pool: InferencePool,
  { shards: files, itemsAPart }: Pick<WholePile, 'shards' | 'itemsAPart'>,
  labelled: LabelledPile,
): Promise<readonly ClassStatistics[]> {
  const { blobs, vectors } = job.workspace;
  const blob = valueBlob(SAMPLES_FOLDER, { ...labelled, mean: Float32Array.from(labelled.mean) });
  const settings = { labelled: blob.key };
  let sums: readonly ClassStatistics[] | undefined;
  const merge = (part: readonly ClassStatistics[]) => {
    sums = sums === undefined ? part : sums.map((one, fold) => addedStatistics(one, part[fold]));
  };
  try {
    await holdingBlobs(blobs, async (hold) => {
      await hold(blob.key, () => blob.put(blobs));
      await reduce(statisticsStage, { ...job, settings }, { vectors, files, itemsAPart, pool, labelled, merge });
    });
    if (sums === undefined) throw new Error('there are no files of vectors');
    return sums;
  } finally {
    await blobs.delete(blob.key).catch(() => {});
  }
}
