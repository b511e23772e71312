/**
 * What the parts of an embedder's vector should count: the weights that cluster the other sets best, and what they are worth on
 * the set left out beside those that are built in. Clusters have the true number, agreement is the adjusted Rand index.
 */
import { newSharedMatrix } from '../../src/math/matrix.ts';
import { clusteringMetrics } from '../../src/math/metrics/clustering.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf } from '../../src/stages/discover/hierarchy.ts';
import { centreAndNormalise, meanOf, type VectorBlock } from '../../src/stages/embed/recipe.ts';
import { rounded } from '../process.ts';
import type { EmbeddedSet } from './embedded.ts';

/** Of the parts behind the first, which counts 1. */
const SECOND = [0.5, 0.7, 1];
const THIRD = [0.3, 0.5, 0.8];

export async function bestWeights(pool: InferencePool, sets: readonly EmbeddedSet[]): Promise<unknown> {
  const blocks = sets[0]?.blocks ?? [];
  if (blocks.length < 2 || sets.length < 3) return null;
  const rest = blocks.length === 2 ? SECOND.map((w) => [w]) : SECOND.flatMap((w) => THIRD.map((v) => [w, v]));
  const grid = rest.map((weights) => [1, ...weights]);
  const scores: number[][] = [];
  for (const weights of grid) {
    const weighted = blocks.map(({ columns }, i) => ({ columns, weight: weights[i] ?? 1 }));
    const row: number[] = [];
    for (const set of sets) row.push(await agreement(pool, set, weighted));
    scores.push(row);
    process.stderr.write(`    weights ${weights.join(' ')}: ${rounded(mean(row))}\n`);
  }
  const builtIn = grid.findIndex((weights) => weights.every((weight, i) => weight === blocks[i]?.weight));
  const chosen = sets.map((_, i) => {
    const without = scores.map((row) => mean(row.filter((_, j) => j !== i)));
    return without.indexOf(Math.max(...without));
  });
  return {
    grid: Object.fromEntries(grid.map((weights, g) => [weights.join(' '), rounded(mean(scores[g]))])),
    chosenOnOthers: Object.fromEntries(sets.map(({ name }, i) => [name, grid[chosen[i]].join(' ')])),
    leftOut: rounded(mean(sets.map((_, i) => scores[chosen[i]][i]))),
    builtIn: builtIn < 0 ? null : rounded(mean(scores[builtIn])),
  };
}

async function agreement(pool: InferencePool, set: EmbeddedSet, blocks: readonly VectorBlock[]): Promise<number> {
  const { vectors, truth, classes } = set;
  const features = newSharedMatrix(vectors.rows, vectors.columns);
  features.data.set(vectors.data);
  centreAndNormalise(features, { blocks }, meanOf(features));
  const hierarchy = await hierarchyOf(pool, features, { method: 'graph', seed: 0 });
  return clusteringMetrics(truth, cutHierarchy(hierarchy, classes)).ari;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
