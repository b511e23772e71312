/**
 * TURTLE (Gadetsky, Jiang, Brbić, "Let Go of Your Labels with Unsupervised Transfer", ICML 2024): the labelling of a pile that
 * linear classifiers in several embedders' spaces can learn best. The labelling is itself the mean of a linear softmax in each space.
 *
 * Σₛ CE(softmax(Wₛ φₛ), τ) − γ H(mean τ), τ = meanₛ softmax(Θₛ φₛ); W and Θ go down it together, W at the higher rate: the paper's
 * first-order gradient with one inner step from a warm start.
 */
import { seededRandom } from '../../src/core/random.ts';
import { argMaxRows, softmaxRows } from '../../src/math/calibration.ts';
import { logitsOf } from '../../src/math/heads/linear-head.ts';
import { gatherRows, type Matrix, matrix, matrixTensor, newSharedMatrix, sharedFloats } from '../../src/math/matrix.ts';
import type { Parameter } from '../../src/math/training/optimiser.ts';
import { Graph } from '../../src/onnx/ops.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import type { Value } from '../../src/onnx/value.ts';
import { BATCH, batchRows, descend, negativeEntropy, withGradients } from './descent.ts';

const STEPS = 400;
const GAMMA = 10;
const LABELLING_RATE = 0.2;

export interface TurtleOptions {
  readonly classes: number;
  readonly seed: number;
}

/** The class of each row. @param spaces shape [rows, columns] each, rows of length 1 */
export async function turtle(
  pool: InferencePool,
  spaces: readonly Matrix[],
  { classes, seed }: TurtleOptions,
): Promise<Int32Array> {
  const random = seededRandom(seed, 'turtle');
  const parameters = spaces.flatMap(({ columns }, i): Parameter[] => [
    {
      name: `theta.${i}`,
      dims: [classes, columns],
      rate: LABELLING_RATE,
      data: Float32Array.from({ length: classes * columns }, () => random() - 0.5),
    },
    { name: `w.${i}`, dims: [classes, columns], data: sharedFloats(classes * columns) },
  ]);
  await descend(pool, { graph: graphOf(spaces, classes), parameters, steps: STEPS }, (step) => {
    const rows = batchRows(spaces[0]?.rows ?? 0, seededRandom(seed, `turtle:${step}`));
    return Object.fromEntries(spaces.map((space, i) => [`x.${i}`, matrixTensor(gatherRows(space, rows))]));
  });
  const labelling = newSharedMatrix(spaces[0]?.rows ?? 0, classes);
  for (const [i, space] of spaces.entries()) {
    const theta = matrix(parameters[2 * i]?.data ?? new Float32Array(), classes, space.columns);
    const { data } = softmaxRows(await logitsOf(pool, { weights: theta, bias: new Float32Array(classes) }, space));
    for (const [at, share] of data.entries()) labelling.data[at] += share;
  }
  return argMaxRows(labelling);
}

function graphOf(spaces: readonly Matrix[], classes: number): Graph {
  const g = new Graph('turtle');
  const inputs = spaces.map(({ columns }, i) => ({
    x: g.input(`x.${i}`, 'float32', [BATCH, columns]),
    theta: g.input(`theta.${i}`, 'float32', [classes, columns]),
    w: g.input(`w.${i}`, 'float32', [classes, columns]),
  }));
  const shares = inputs.map(({ x, theta }) => g.softmax(g.gemm(x, theta, undefined, { transB: 1 })));
  const tau = g.mul(sumOf(g, shares), g.scalar(1 / spaces.length));
  const losses = inputs.map(({ x, w }) => {
    const each = g.mul(tau, g.logSoftmax(g.gemm(x, w, undefined, { transB: 1 })));
    return g.neg(g.reduceSum(each, [0, 1], { keepDims: false }));
  });
  const loss = g.add(sumOf(g, losses), g.mul(negativeEntropy(g, tau), g.scalar(GAMMA * BATCH)));
  withGradients(
    g,
    loss,
    inputs.flatMap(({ theta, w }) => [theta, w]),
  );
  return g;
}

function sumOf(g: Graph, values: readonly Value[]): Value {
  return values.reduce((sum, one) => g.add(sum, one));
}
