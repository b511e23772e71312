/**
 * k-means++ (Arthur and Vassilvitskii, SODA 2007), the greedy variant: each step draws 2 + ⌊ln k⌋ candidates with
 * probability proportional to their squared distance to the nearest seed, and keeps the one that leaves the least sum.
 * Cost 2·n·k·d·trials flops, bound by reading the n points k times; so n is usually a sample.
 */
import type { Random } from '../../core/random.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import { overBlocks } from '../blocks.ts';
import { gatherRows, type Matrix, matrixTensor, rowsOf } from '../matrix.ts';
import { ownDistances } from './blocks.ts';
import { seedGraph } from './graphs.ts';

const STEP = 4096;

/** Indices of k different points (as far as k different ones exist). @param points in shared memory. */
export async function seedIndices(pool: InferencePool, points: Matrix, k: number, random: Random): Promise<Int32Array> {
  const { rows: n, columns } = points;
  const model = await pool.load(seedGraph(), { key: 'kmeans-seed' });
  const zero = { data: new Float32Array(columns), rows: 1, columns };
  const norms = await ownDistances(pool, points, zero, new Int32Array(n));
  const trials = 2 + Math.floor(Math.log(k));
  const seeds = new Int32Array(k);
  const closest = new Float32Array(n).fill(Number.POSITIVE_INFINITY);
  const distances = new Float32Array(trials * n);
  let potential = Number.POSITIVE_INFINITY;
  for (let s = 0; s < k; s++) {
    const count = s === 0 ? 1 : trials;
    const drawn =
      s === 0 ? [Math.floor(random() * n)] : Array.from({ length: trials }, () => draw(closest, potential, random));
    const candidates = gatherRows(points, drawn);
    const bias = float32(
      drawn.map((i) => norms[i]),
      [count, 1],
    );
    const sums = new Float64Array(count);
    await overBlocks(
      pool,
      model,
      { rows: n, step: STEP },
      (start, end) => ({
        x: matrixTensor(rowsOf(points, start, end)),
        norms: float32(norms.subarray(start, end)),
        candidates: matrixTensor(candidates),
        bias,
        closest: float32(closest.subarray(start, end)),
      }),
      (result, start, end) => {
        const block = float32Data(result.distances, 'distances');
        const rows = end - start;
        for (let t = 0; t < count; t++) {
          distances.set(block.subarray(t * rows, (t + 1) * rows), t * n + start);
          let sum = 0;
          for (let i = t * rows; i < (t + 1) * rows; i++) sum += block[i];
          sums[t] = sums[t] + sum;
        }
      },
    );
    let best = 0;
    for (let t = 1; t < count; t++) if (sums[t] < sums[best]) best = t;
    const seed = drawn[best];
    closest.set(distances.subarray(best * n, (best + 1) * n));
    closest[seed] = 0; // rounding must not let a seed be drawn again
    seeds[s] = seed;
    potential = 0;
    for (let i = 0; i < n; i++) potential += closest[i];
  }
  return seeds;
}

/** An index with probability in proportion to `weights`; any, when they are all zero. */
function draw(weights: Float32Array, total: number, random: Random): number {
  if (!(total > 0)) return Math.floor(random() * weights.length);
  let left = random() * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i];
    if (weight === 0) continue;
    last = i;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}
