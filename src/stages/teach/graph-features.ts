/**
 * Features joined with diffusion coordinates: what an item looks like, and where it stands among all others. Label-free.
 * Exact neighbours of all: 2 · n² · columns flops.
 */
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { diffusionMap } from '../../math/graph-cluster/diffusion.ts';
import { onBasis, principalBasis } from '../../math/heads/principal-basis.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { neighbourGraph } from '../../math/knn/graph.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';

/** As `discover` has it; 8 to 30 made no difference. */
const NEIGHBOURS = 15;
/** 30 to 150 made no difference. */
const DIMENSIONS = 60;
/** What is learned from coordinates this rough is as good, and where classes are many they cost a tenth. */
const SOLVER = { tolerance: 1e-3, maxRounds: 6 };

/** @param features rows of length 1, shape [n, columns]. */
export async function joinGraph(
  pool: InferencePool,
  features: Matrix,
  options: { readonly seed: number; readonly signal?: AbortSignal },
): Promise<Matrix> {
  const { rows, columns } = features;
  const neighbours = Math.max(1, Math.min(NEIGHBOURS, rows - 1));
  const graph = await neighbourGraph(exactIndex(pool, features), features, neighbours, options.signal);
  const { coordinates } = diffusionMap(graph, { dimensions: DIMENSIONS, ...SOLVER, ...options });
  const width = columns + coordinates.columns;
  const joined = newSharedMatrix(rows, width);
  for (let row = 0; row < rows; row++) {
    joined.data.set(features.data.subarray(row * columns, (row + 1) * columns), row * width);
    const { data, columns: dimensions } = coordinates;
    joined.data.set(data.subarray(row * dimensions, (row + 1) * dimensions), row * width + columns);
  }
  return joined;
}

/** Principal components that a metric is learned among: a fifth of the numbers and a hundredth of the work. */
const COMPONENTS = 256;
/** Enough rows for that many components. */
const SAMPLE = 4096;

/** The features on the span of their principal components, shape [n, at most 256]; those that are fewer already stay as they are. */
export async function principalFeatures(pool: InferencePool, features: Matrix, seed: number): Promise<Matrix> {
  if (features.columns <= COMPONENTS) return features;
  const rows = sampleIndices(features.rows, SAMPLE, seededRandom(seed, 'teach-components'));
  return onBasis(pool, features, await principalBasis(pool, gatherRows(features, rows), COMPONENTS, seed));
}
