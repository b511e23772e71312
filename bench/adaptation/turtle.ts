/**
 * TURTLE (Gadetsky, Jiang, Brbić, "Let Go of Your Labels with Unsupervised Transfer", ICML 2024): the labelling of a pile that
 * linear classifiers in several embedders' spaces can learn best. The labelling is itself the mean of a linear softmax in each space.
 *
 * Σₛ CE(softmax(Wₛ φₛ), τ) − γ H(mean τ), τ = meanₛ softmax(Θₛ φₛ); W and Θ go down it together, W at the higher rate: the paper's
 * first-order gradient with one inner step from a warm start.
 */
import { type Random, sampleIndices, seededRandom } from '../../src/core/random.ts';
import { argMaxRows } from '../../src/math/calibration.ts';
import { type Matrix, matrix, sharedFloats } from '../../src/math/matrix.ts';
import type { Parameter } from '../../src/math/training/optimiser.ts';
import { type MicroBatch, train } from '../../src/math/training/train.ts';
import { addGradients } from '../../src/onnx/gradients/gradients.ts';
import { Graph } from '../../src/onnx/ops.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { float32 } from '../../src/onnx/tensor.ts';
import type { Value } from '../../src/onnx/value.ts';

export const BATCH = 512;
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
      ...{ name: `theta.${i}`, dims: [classes, columns] },
      data: drawn(classes * columns, random),
      rate: LABELLING_RATE,
    },
    { name: `w.${i}`, dims: [classes, columns], data: sharedFloats(classes * columns) },
  ]);
  await descend(pool, { graph: graphOf(spaces, classes), parameters, steps: STEPS }, (step) => {
    const rows = batchRows(spaces[0]?.rows ?? 0, seededRandom(seed, `turtle:${step}`));
    return Object.fromEntries(spaces.map((space, i) => [`x.${i}`, rowsIn(space, rows)]));
  });
  const rows = spaces[0]?.rows ?? 0;
  const labelling = matrix(new Float32Array(rows * classes), rows, classes);
  for (const [i, { data, columns }] of spaces.entries()) {
    const theta = parameters[2 * i]?.data ?? new Float32Array();
    for (let row = 0; row < rows; row++) {
      const logits = Float64Array.from({ length: classes }, (_, c) => {
        let sum = 0;
        for (let j = 0; j < columns; j++) sum += theta[c * columns + j] * data[row * columns + j];
        return Math.exp(sum);
      });
      const total = logits.reduce((sum, one) => sum + one, 0);
      for (const [c, one] of logits.entries()) labelling.data[row * classes + c] += one / total;
    }
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
  const shares = inputs.map(({ x, theta }) => softmaxOf(g, g.gemm(x, theta, undefined, { transB: 1 })));
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

export function softmaxOf(g: Graph, logits: Value): Value {
  return g.op('Softmax', [logits], { axis: -1 });
}

function sumOf(g: Graph, values: readonly Value[]): Value {
  return values.reduce((sum, one) => g.add(sum, one));
}

/** Σ m log m of the mean of the rows. */
export function negativeEntropy(g: Graph, shares: Value): Value {
  const mean = g.mul(g.reduceSum(shares, [0], { keepDims: true }), g.scalar(1 / BATCH));
  return g.reduceSum(g.mul(mean, g.op('Log', [g.add(mean, g.scalar(1e-8))])), [0, 1], { keepDims: false });
}

export function withGradients(g: Graph, loss: Value, wanted: readonly Value[]): void {
  const { of } = addGradients(g, loss, wanted);
  g.output(loss, 'loss');
  for (const { name } of wanted) g.output(of.get(name) as Value, `d:${name}`);
}

export function drawn(count: number, random: Random): Float32Array {
  return sharedFloats(count).map(() => random() - 0.5);
}

/** Rows of a batch; where there are too few, some twice. */
export function batchRows(rows: number, random: Random): Int32Array {
  const some = sampleIndices(rows, Math.min(rows, BATCH), random);
  return Int32Array.from({ length: BATCH }, (_, i) => some[i % some.length] ?? 0);
}

export function rowsIn({ data, columns }: Matrix, rows: Int32Array): MicroBatch['feeds'][string] {
  const taken = new Float32Array(rows.length * columns);
  for (const [i, row] of rows.entries()) taken.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  return float32(taken, [rows.length, columns]);
}

export interface Descent {
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  readonly steps: number;
}

export async function descend(
  pool: InferencePool,
  { graph, parameters, steps }: Descent,
  feedsOf: (step: number) => MicroBatch['feeds'],
): Promise<void> {
  const model = await pool.load(graph.toModel(), { key: `adaptation:${Math.random()}` });
  const step = { model, gradientOf: (name: string) => `d:${name}` };
  await train(pool, step, parameters, (at) => [{ feeds: feedsOf(at), weight: BATCH }], {
    optimiser: { kind: 'adamw', weightDecay: 0 },
    ...{ schedule: 'cosine', learningRate: 0.1, steps },
  });
  await pool.unload(model);
}
