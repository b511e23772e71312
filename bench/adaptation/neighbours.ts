/**
 * Self-training with neighbours as positives (SCAN: Van Gansbeke et al., "Learning to Classify Images without Labels", ECCV 2020): a
 * linear classifier begins as the mean of each cluster, and then gives an item and one of its nearest neighbours the same class, with the
 * classes kept apart: −Σ log ⟨p(x), p(neighbour)⟩ − λ H(mean p).
 */
import { seededRandom } from '../../src/core/random.ts';
import { exactIndex } from '../../src/math/knn/exact.ts';
import { neighbourGraph } from '../../src/math/knn/graph.ts';
import { type Matrix, sharedFloats } from '../../src/math/matrix.ts';
import { Graph } from '../../src/onnx/ops.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { BATCH, batchRows, descend, negativeEntropy, rowsIn, softmaxOf, withGradients } from './turtle.ts';

const STEPS = 200;
const NEIGHBOURS = 10;
const LAMBDA = 5;
/** Of the cosine to a cluster's mean, what makes a logit. */
const START_SCALE = 20;
const RATE = 0.2;

export interface SelfTrainingOptions {
  readonly clusters: Int32Array;
  readonly classes: number;
  readonly seed: number;
}

/** The class of each row. @param points rows of length 1 */
export async function selfTrained(
  pool: InferencePool,
  points: Matrix,
  { clusters, classes, seed }: SelfTrainingOptions,
): Promise<Int32Array> {
  const { columns, rows, data } = points;
  const { indices, n } = await neighbourGraph(exactIndex(pool, points), points, NEIGHBOURS);
  const weights = sharedFloats(classes * columns);
  for (const [row, cluster] of clusters.entries()) {
    for (let j = 0; j < columns; j++) weights[cluster * columns + j] += data[row * columns + j];
  }
  for (let c = 0; c < classes; c++) {
    const mean = weights.subarray(c * columns, (c + 1) * columns);
    const length = Math.hypot(...mean) || 1;
    for (let j = 0; j < columns; j++) mean[j] *= START_SCALE / length;
  }
  const g = new Graph('neighbours');
  const [x, y] = ['x', 'y'].map((name) => g.input(name, 'float32', [BATCH, columns]));
  const w = g.input('w', 'float32', [classes, columns]);
  if (!x || !y) throw new Error('two inputs');
  const [p, q] = [x, y].map((one) => softmaxOf(g, g.gemm(one, w, undefined, { transB: 1 })));
  if (!p || !q) throw new Error('two outputs');
  const alike = g.reduceSum(g.mul(p, q), [1], { keepDims: true });
  const apart = g.mul(negativeEntropy(g, p), g.scalar(LAMBDA * BATCH));
  const unlike = g.neg(g.reduceSum(g.op('Log', [g.add(alike, g.scalar(1e-8))]), [0, 1], { keepDims: false }));
  withGradients(g, g.add(unlike, apart), [w]);
  const parameters = [{ name: 'w', dims: [classes, columns], data: weights, rate: RATE }];
  await descend(pool, { graph: g, parameters, steps: STEPS }, (step) => {
    const random = seededRandom(seed, `neighbours:${step}`);
    const taken = batchRows(rows, random);
    const positives = taken.map((row) => indices[row * n + Math.floor(random() * n)] ?? row);
    return { x: rowsIn(points, taken), y: rowsIn(points, positives) };
  });
  return Int32Array.from({ length: rows }, (_, row) => {
    let [best, most] = [0, Number.NEGATIVE_INFINITY];
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += weights[c * columns + j] * data[row * columns + j];
      if (sum > most) [best, most] = [c, sum];
    }
    return best;
  });
}
