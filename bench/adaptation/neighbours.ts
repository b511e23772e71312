/**
 * Self-training with neighbours as positives (SCAN: Van Gansbeke et al., "Learning to Classify Images without Labels", ECCV 2020): a
 * linear classifier begins as the mean of each cluster, and then gives an item and one of its nearest neighbours the same class, with the
 * classes kept apart: −Σ log ⟨p(x), p(neighbour)⟩ − λ H(mean p).
 */
import { seededRandom } from '../../src/core/random.ts';
import { argMaxRows } from '../../src/math/calibration.ts';
import { logitsOf } from '../../src/math/heads/linear-head.ts';
import { exactIndex } from '../../src/math/knn/exact.ts';
import { neighbourGraph } from '../../src/math/knn/graph.ts';
import { gatherRows, type Matrix, matrix, matrixTensor, normalisedRows, sumsByPart } from '../../src/math/matrix.ts';
import { Graph } from '../../src/onnx/ops.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { BATCH, batchRows, descend, negativeEntropy, withGradients } from './descent.ts';

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
  const { columns, rows } = points;
  const { indices, n } = await neighbourGraph(exactIndex(pool, points), points, NEIGHBOURS);
  const means = matrix(Float32Array.from(sumsByPart(points, clusters, classes)), classes, columns);
  const weights = normalisedRows(means);
  for (let i = 0; i < weights.data.length; i++) weights.data[i] *= START_SCALE;
  const g = new Graph('neighbours');
  const [x, y] = ['x', 'y'].map((name) => g.input(name, 'float32', [BATCH, columns]));
  const w = g.input('w', 'float32', [classes, columns]);
  if (!x || !y) throw new Error('two inputs');
  const [p, q] = [x, y].map((one) => g.softmax(g.gemm(one, w, undefined, { transB: 1 })));
  if (!p || !q) throw new Error('two outputs');
  const alike = g.reduceSum(g.mul(p, q), [1], { keepDims: true });
  const apart = g.mul(negativeEntropy(g, p), g.scalar(LAMBDA * BATCH));
  const unlike = g.neg(g.reduceSum(g.log(g.add(alike, g.scalar(1e-8))), [0, 1], { keepDims: false }));
  withGradients(g, g.add(unlike, apart), [w]);
  const parameters = [{ name: 'w', dims: [classes, columns], data: weights.data, rate: RATE }];
  await descend(pool, { graph: g, parameters, steps: STEPS }, (step) => {
    const random = seededRandom(seed, `neighbours:${step}`);
    const taken = batchRows(rows, random);
    const positives = taken.map((row) => indices[row * n + Math.floor(random() * n)] ?? row);
    return { x: matrixTensor(gatherRows(points, taken)), y: matrixTensor(gatherRows(points, positives)) };
  });
  return argMaxRows(await logitsOf(pool, { weights, bias: new Float32Array(classes) }, points));
}
