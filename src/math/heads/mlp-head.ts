/**
 * A perceptron with one hidden layer on frozen features, trained as an ONNX graph on the inference threads.
 *
 * Minimises ½(‖V‖² + ‖W‖²) + C · Σᵢ wᵢ · CE(targetᵢ, softmax(W tanh(V xᵢ + a) + b)): scikit-learn's `MLPClassifier` with
 * `activation='tanh'`, `solver='lbfgs'` and `alpha` = 1 / C, intercepts not penalised. Full batch, L-BFGS from random
 * weights (Glorot and Bengio, AISTATS 2010): an iteration is 6 · n · hidden · (d + k) flops. The function has many
 * minima; the seed says which one is found. The number of threads changes nothing.
 */
import { seededRandom } from '../../core/random.ts';
import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32 } from '../../onnx/tensor.ts';
import { overBlocks } from '../blocks.ts';
import { type Matrix, matrixTensor, newSharedMatrix, rowsOf, shareMatrix } from '../matrix.ts';
import { minimise } from './lbfgs.ts';
import { type LinearHead, logitsOf, type TrainingSet } from './linear-head.ts';

export interface MlpHead {
  /** V and a: shape [hidden, columns] and [hidden]. */
  readonly hidden: LinearHead;
  /** W and b: shape [classes, hidden] and [classes]. */
  readonly output: LinearHead;
}

export interface MlpHeadOptions {
  /** Inverse strength of the penalty on both layers: small is smooth and may miss, large may learn by heart. */
  readonly C: number;
  /** Numbers in the hidden layer: more can bend more and costs as much more. Default 64. */
  readonly hidden?: number;
  /** Of the weights it begins with. */
  readonly seed: number;
  /** Default 200. */
  readonly maxIterations?: number;
  /** Part of the first gradient that is left at the end. Default 1e-3. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal;
}

const BLOCK = 1024;

export async function fitMlpHead(
  pool: InferencePool,
  { features: given, targets, weights }: TrainingSet,
  { C, hidden = 64, seed, maxIterations = 200, tolerance = 1e-3, signal }: MlpHeadOptions,
): Promise<MlpHead> {
  const features = shareMatrix(given);
  const { rows: n, columns: d } = features;
  const k = targets.columns;
  const model = await pool.load(lossGraph(), { key: 'mlp-head-loss' });
  const [v, w] = [newSharedMatrix(hidden, d), newSharedMatrix(k, hidden)];
  const [a, b] = [newSharedMatrix(1, hidden).data, newSharedMatrix(1, k).data];
  // In this order in the vector that is searched; the first two are penalised.
  const parts = [v.data, w.data, a, b];
  const penalised = v.data.length + w.data.length;
  const put = (x: Float64Array) => {
    let at = 0;
    for (const part of parts) {
      part.set(x.subarray(at, at + part.length));
      at += part.length;
    }
  };

  const evaluate = async (x: Float64Array, gradient: Float64Array) => {
    put(x);
    gradient.fill(0);
    let loss = 0;
    await overBlocks(
      pool,
      model,
      { rows: n, step: BLOCK },
      (from, to) => ({
        x: matrixTensor(rowsOf(features, from, to)),
        targets: matrixTensor(rowsOf(targets, from, to)),
        weights: float32(weights.subarray(from, to), [to - from, 1]),
        v: matrixTensor(v),
        a: float32(a),
        w: matrixTensor(w),
        b: float32(b),
      }),
      (result) => {
        loss += Number(result.loss.data[0]);
        let at = 0;
        for (const name of ['gradientV', 'gradientW', 'gradientA', 'gradientB']) {
          const { data } = result[name];
          for (let i = 0; i < data.length; i++) gradient[at + i] = gradient[at + i] + Number(data[i]);
          at += data.length;
        }
      },
    );
    let square = 0;
    for (let i = 0; i < x.length; i++) {
      const decay = i < penalised ? x[i] : 0;
      square += decay * decay;
      gradient[i] = C * gradient[i] + decay;
    }
    return C * loss + square / 2;
  };

  const random = seededRandom(seed, 'mlp-head');
  const start = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  const bounds = [Math.sqrt(6 / (d + hidden)), Math.sqrt(6 / (hidden + k))] as const;
  for (let i = 0; i < penalised; i++) start[i] = (2 * random() - 1) * (i < v.data.length ? bounds[0] : bounds[1]);
  const { x } = await minimise(evaluate, start, { maxIterations, tolerance, signal });
  put(x);
  return { hidden: { weights: v, bias: a }, output: { weights: w, bias: b } };
}

/** Logits, shape [n, classes], in shared memory. */
export async function mlpLogits(pool: InferencePool, { hidden, output }: MlpHead, features: Matrix): Promise<Matrix> {
  const layer = await logitsOf(pool, hidden, features);
  for (let i = 0; i < layer.data.length; i++) layer.data[i] = Math.tanh(layer.data[i]);
  return logitsOf(pool, output, layer);
}

/**
 * `x` [rows, d], `targets` [rows, k], `weights` [rows, 1], `v` [hidden, d], `a` [hidden], `w` [k, hidden], `b` [k] →
 * `loss` (a sum) and the gradient of each of the four.
 */
function lossGraph(): Uint8Array {
  const g = new Graph('mlp-head-loss');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const targets = g.input('targets', 'float32', ['rows', 'k']);
  const weights = g.input('weights', 'float32', ['rows', 1]);
  const v = g.input('v', 'float32', ['hidden', 'd']);
  const w = g.input('w', 'float32', ['k', 'hidden']);
  const h = g.tanh(g.gemm(x, v, g.input('a', 'float32', ['hidden']), { transB: 1 }));
  const logProbability = g.logSoftmax(g.gemm(h, w, g.input('b', 'float32', ['k']), { transB: 1 }));
  const weighted = g.mul(targets, weights);
  g.output(g.neg(g.reduceSum(g.mul(weighted, logProbability), [0, 1], { keepDims: false })), 'loss');
  // As in the linear head; then back through tanh, whose slope is 1 − tanh².
  const delta = g.sub(g.mul(g.exp(logProbability), weights), weighted);
  const inner = g.mul(g.gemm(delta, w), g.sub(g.scalar(1), g.mul(h, h)));
  g.output(g.gemm(inner, x, undefined, { transA: 1 }), 'gradientV');
  g.output(g.gemm(delta, h, undefined, { transA: 1 }), 'gradientW');
  g.output(g.reduceSum(inner, [0], { keepDims: false }), 'gradientA');
  g.output(g.reduceSum(delta, [0], { keepDims: false }), 'gradientB');
  return g.toModel();
}
