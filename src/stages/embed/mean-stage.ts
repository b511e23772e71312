/**
 * The mean of all vectors of a space by many machines: each shard is the sum of some files, and the sums are added up by the
 * command, in the order of the plan. So it is that of one machine, bit for bit, whoever read the files.
 */
import { z } from 'zod';
import { dropParts, type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import type { StageJob } from '../../jobs/stage.ts';
import type { VectorShard } from '../../store/store.ts';
import { countItems, type FilesContext, OVER_FILES, SPREAD_FROM } from '../vector-shard.ts';
import {
  columnsOf,
  type EmbeddingRecipe,
  fitMean,
  type PartialSum,
  type SpaceMean,
  saveMean,
  sumOfFiles,
  VectorSum,
} from './recipe.ts';

interface MeanContext extends FilesContext, Merging<PartialSum> {}

const NO_SETTINGS = z.strictObject({});

export const meanStage = reductionStage<z.infer<typeof NO_SETTINGS>, MeanContext, readonly VectorShard[], PartialSum>({
  name: 'mean',
  isKept: true,
  within: 'embed',
  settings: NO_SETTINGS,
  ...OVER_FILES,

  async open({ workspace: { vectors } }) {
    return { vectors };
  },

  map: ({ vectors }, files) => sumOfFiles(vectors, files),
});

export interface MeanOptions extends Pick<SpaceMean, 'subset'> {
  /** Items from which the engine of the workspace has it taken (default 100,000). */
  readonly spreadFrom?: number;
}

/** {@link fitMean}, by all machines there are where the vectors are many. */
export async function fitMeanTogether(
  job: Omit<StageJob<unknown>, 'settings'>,
  recipe: EmbeddingRecipe,
  shards: readonly VectorShard[],
  { subset, spreadFrom = SPREAD_FROM }: MeanOptions,
): Promise<SpaceMean> {
  const { store, vectors, blobs } = job.workspace;
  if (countItems(shards) < spreadFrom) return fitMean(store, vectors, recipe, shards, { subset });
  const sum = new VectorSum(columnsOf(recipe));
  const merge = (part: PartialSum) => sum.add(part);
  await reduce(meanStage, { ...job, settings: {} }, { vectors, files: shards, merge });
  const mean = await saveMean(store, recipe, sum.mean(), { subset });
  await dropParts(blobs, [meanStage.name]);
  return mean;
}
