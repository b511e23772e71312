/**
 * Multinomial logistic regression on frozen features, trained as an ONNX graph on the inference threads.
 *
 * Minimises ½‖W‖² + C · Σᵢ wᵢ · CE(targetᵢ, softmax(W xᵢ + b)): scikit-learn's `LogisticRegression(C)`, the intercept not
 * penalised, with targets that may be soft and weights that may be fractions. Full batch, L-BFGS: an iteration is two
 * matrix products, 4 · n · d · k flops. Targets and weights may be anything ≥ 0; a row of targets sums to 1.
 *
 * The same data, options and start give the same head, whatever the number of threads: blocks of rows have a fixed size
 * and are summed in order.
 */

import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import { overBlocks } from '../blocks.ts';
import { type Matrix, matrixTensor, newSharedMatrix, rowsOf, sharedFloats, shareMatrix } from '../matrix.ts';
import { largest, minimise } from './lbfgs.ts';
import { rowSpan } from './row-span.ts';

export interface LinearHead {
  /** Shape [classes, columns]. */
  readonly weights: Matrix;
  /** Shape [classes]. */
  readonly bias: Float32Array;
}

export interface TrainingSet {
  /** Shape [n, columns], in shared memory where it is used more than once. */
  readonly features: Matrix;
  /** Shape [n, classes], rows sum to 1. */
  readonly targets: Matrix;
  /** Shape [n]: how much each row counts; 1 is one item. */
  readonly weights: Float32Array;
}

export interface LinearHeadOptions {
  /** Inverse strength of the penalty, as scikit-learn's `C`: small is smooth and may miss, large may learn by heart. */
  readonly C: number;
  /** Default 200. */
  readonly maxIterations?: number;
  /** Part of the first gradient that is left at the end. Default 1e-3; smaller takes longer and changes no class. */
  readonly tolerance?: number;
  /** Where to begin (default zero): the head for another C, or for nearly the same targets, saves most of the work. */
  readonly start?: LinearHead;
  readonly signal?: AbortSignal;
}

/** Scores and gradients a thread holds at once: 16 MB each. */
const SCORES = 1 << 22;

function blockRows(classes: number): number {
  return Math.max(256, Math.min(4096, Math.floor(SCORES / classes)));
}

/** Rows up to which they are made coordinates of, where they have twice as many columns: beyond, that takes seconds. */
const MAX_SPANNED = 512;

export async function fitLinearHead(
  pool: InferencePool,
  trainingSet: TrainingSet,
  options: LinearHeadOptions,
): Promise<LinearHead> {
  const { rows, columns } = trainingSet.features;
  if (options.start || 2 * rows > columns || rows > MAX_SPANNED) return fitOnColumns(pool, trainingSet, options);
  const { coordinates, back } = rowSpan(trainingSet.features);
  const head = await fitOnColumns(pool, { ...trainingSet, features: coordinates }, options);
  return { weights: back(head.weights), bias: head.bias };
}

async function fitOnColumns(
  pool: InferencePool,
  { features: given, targets, weights }: TrainingSet,
  options: LinearHeadOptions,
): Promise<LinearHead> {
  const { C, maxIterations = 200, tolerance = 1e-3, start, signal } = options;
  const features = shareMatrix(given);
  const { rows: n, columns: d } = features;
  const k = targets.columns;
  const model = await pool.load(lossGraph(), { key: 'linear-head-loss' });
  const size = k * d;
  const table = newSharedMatrix(k, d);
  const shift = sharedFloats(k);

  const evaluate = async (x: Float64Array, gradient: Float64Array) => {
    table.data.set(x.subarray(0, size));
    shift.set(x.subarray(size));
    gradient.fill(0);
    let loss = 0;
    await overBlocks(
      pool,
      model,
      { rows: n, step: blockRows(k) },
      (from, to) => ({
        x: matrixTensor(rowsOf(features, from, to)),
        targets: matrixTensor(rowsOf(targets, from, to)),
        weights: float32(weights.subarray(from, to), [to - from, 1]),
        w: matrixTensor(table),
        b: float32(shift),
      }),
      (result) => {
        loss += Number(result.loss.data[0]);
        const gw = float32Data(result.gradientW, 'gradientW');
        const gb = float32Data(result.gradientB, 'gradientB');
        for (let i = 0; i < size; i++) gradient[i] = gradient[i] + gw[i];
        for (let i = 0; i < k; i++) gradient[size + i] = gradient[size + i] + gb[i];
      },
    );
    let square = 0;
    for (let i = 0; i < size; i++) {
      const w = x[i];
      square += w * w;
      gradient[i] = C * gradient[i] + w;
    }
    for (let i = size; i < x.length; i++) gradient[i] = C * gradient[i];
    return C * loss + square / 2;
  };

  const x0 = new Float64Array(size + k);
  let scale: number | undefined;
  if (start) {
    // A warm start has a small gradient already: the goal is that of a cold one.
    const cold = new Float64Array(x0.length);
    await evaluate(x0, cold);
    scale = largest(cold);
    x0.set(start.weights.data);
    x0.set(start.bias, size);
  }
  const { x } = await minimise(evaluate, x0, { maxIterations, tolerance, scale, signal });
  const fitted = newSharedMatrix(k, d);
  fitted.data.set(x.subarray(0, size));
  return { weights: fitted, bias: Float32Array.from(x.subarray(size)) };
}

/** Rows with a one at their label; shape [n, classes], in shared memory. */
export function oneHot(labels: ArrayLike<number>, classes: number): Matrix {
  const result = newSharedMatrix(labels.length, classes);
  for (let i = 0; i < labels.length; i++) result.data[i * classes + labels[i]] = 1;
  return result;
}

/** n / (classes · items of the class) for each item, as scikit-learn's `class_weight='balanced'`; shape [n]. */
export function balancedWeights(labels: ArrayLike<number>, classes: number): Float32Array {
  const counts = new Int32Array(classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]] = counts[labels[i]] + 1;
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from({ length: labels.length }, (_, i) => labels.length / (present * counts[labels[i]]));
}

/** Logits, shape [n, classes], in shared memory. */
export async function logitsOf(pool: InferencePool, { weights, bias }: LinearHead, given: Matrix): Promise<Matrix> {
  const features = shareMatrix(given);
  const model = await pool.load(logitsGraph(), { key: 'linear-head-logits' });
  const result = newSharedMatrix(features.rows, weights.rows);
  const w = matrixTensor(shareMatrix(weights));
  await overBlocks(
    pool,
    model,
    { rows: features.rows, step: blockRows(weights.rows) },
    (from, to) => ({ x: matrixTensor(rowsOf(features, from, to)), w, b: float32(bias) }),
    ({ logits }, from) => result.data.set(float32Data(logits, 'logits'), from * weights.rows),
  );
  return result;
}

/**
 * `x` [rows, d], `targets` [rows, k], `weights` [rows, 1], `w` [k, d], `b` [k] → `loss` (a sum), `gradientW` [k, d],
 * `gradientB` [k].
 */
function lossGraph(): Uint8Array {
  const g = new Graph('linear-head-loss');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const targets = g.input('targets', 'float32', ['rows', 'k']);
  const weights = g.input('weights', 'float32', ['rows', 1]);
  const logits = g.gemm(x, g.input('w', 'float32', ['k', 'd']), g.input('b', 'float32', ['k']), { transB: 1 });
  const weighted = g.mul(targets, weights);
  const logProbability = g.logSoftmax(logits);
  g.output(g.neg(g.reduceSum(g.mul(weighted, logProbability), [0, 1], { keepDims: false })), 'loss');
  // d CE / d logits is p · Σ targets − targets, and the targets of a row sum to 1.
  const delta = g.sub(g.mul(g.exp(logProbability), weights), weighted);
  g.output(g.gemm(delta, x, undefined, { transA: 1 }), 'gradientW');
  g.output(g.reduceSum(delta, [0], { keepDims: false }), 'gradientB');
  return g.toModel();
}

function logitsGraph(): Uint8Array {
  const g = new Graph('linear-head-logits');
  const x = g.input('x', 'float32', ['rows', 'd']);
  g.output(g.gemm(x, g.input('w', 'float32', ['k', 'd']), g.input('b', 'float32', ['k']), { transB: 1 }), 'logits');
  return g.toModel();
}
