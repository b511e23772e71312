/**
 * A metric from labels: within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006), with soft
 * labels and shrinkage. Directions in which items of one class differ anyway count less, so that near neighbours are
 * more often of one class.
 *
 * With s the soft labels, m_c the mean of class c: S = 1/n Σᵢ Σ_c sᵢ_c (xᵢ − m_c)(xᵢ − m_c)ᵀ, A = (1 − a) S + a · (tr S / d) I,
 * and x becomes L⁻¹ x with A = L Lᵀ, then length 1: inner products are then those of A⁻¹.
 * Cost 4 · n · d² flops on the inference threads and ⅔ · d³ here; holds three d × d matrices.
 */

import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32, float32Data, type Tensor } from '../../onnx/tensor.ts';
import { overBlocks } from '../blocks.ts';
import { cholesky, invertLower } from '../cholesky.ts';
import { type Matrix, matrixTensor, newSharedMatrix, rowsOf, shareMatrix } from '../matrix.ts';
import { addLengthNorm } from '../pca/pca.ts';

export interface WithinClassOptions {
  /** 0 to 1: how far the covariance is drawn to a multiple of the identity. 1 changes nothing but the length. */
  readonly shrinkage: number;
}

const STEP = 2048;

/**
 * @param features shape [n, d]. @param soft shape [n, classes], rows sum to 1.
 * @returns shape [n, d], rows of length 1, in shared memory.
 */
export async function withinClassNormalised(
  pool: InferencePool,
  features: Matrix,
  soft: Matrix,
  { shrinkage }: WithinClassOptions,
): Promise<Matrix> {
  const { rows, columns: d } = features;
  const shared = shareMatrix(features);
  const covariance = await withinClassCovariance(pool, shared, soft);
  let trace = 0;
  for (let j = 0; j < d; j++) trace += covariance[j * d + j];
  const ridge = Math.max((shrinkage * trace) / d, 1e-12);
  for (let i = 0; i < covariance.length; i++) covariance[i] = (1 - shrinkage) * covariance[i];
  for (let j = 0; j < d; j++) covariance[j * d + j] = covariance[j * d + j] + ridge;
  const inverse = newSharedMatrix(d, d);
  // Scaled so that single precision holds it well; lengths are normalised after it.
  const scale = Math.sqrt(ridge);
  const lower = invertLower(cholesky(covariance, d), d);
  for (let i = 0; i < lower.length; i++) inverse.data[i] = scale * lower[i];
  const model = await pool.load(projectGraph(), { key: 'within-class-project' });
  const result = newSharedMatrix(rows, d);
  await overBlocks(
    pool,
    model,
    { rows, step: STEP },
    (start, end) => ({ x: matrixTensor(rowsOf(shared, start, end)), projection: matrixTensor(inverse) }),
    ({ y }, start) => result.data.set(float32Data(y, 'y'), start * d),
  );
  return result;
}

/** Of some items, summed over blocks in double precision. */
export interface Moments {
  /** xᵀx, shape [d, d]. */
  readonly scatter: Float64Array;
  /** Shape [classes, d]. */
  readonly sums: Float64Array;
  /** Shape [classes]. */
  readonly mass: Float64Array;
}

/** @param features shape [n, d]. @param soft shape [n, classes], rows sum to 1. */
export async function momentsOf(pool: InferencePool, features: Matrix, soft: Matrix): Promise<Moments> {
  const { rows, columns: d } = features;
  const k = soft.columns;
  const model = await pool.load(momentsGraph(), { key: 'within-class-moments' });
  const scatter = new Float64Array(d * d);
  const sums = new Float64Array(k * d);
  const mass = new Float64Array(k);
  await overBlocks(
    pool,
    model,
    { rows, step: STEP },
    (start, end) => ({
      x: matrixTensor(rowsOf(features, start, end)),
      soft: float32(soft.data.subarray(start * k, end * k), [end - start, k]),
    }),
    (result) => {
      addTo(scatter, result.scatter);
      addTo(sums, result.sums);
      addTo(mass, result.mass);
    },
  );
  return { scatter, sums, mass };
}

/** S as above, shape [d, d]. */
export async function withinClassCovariance(
  pool: InferencePool,
  features: Matrix,
  soft: Matrix,
): Promise<Float64Array> {
  return withinClasses(await momentsOf(pool, features, soft), features.rows);
}

/** S of so many rows, shape [d, d]. */
export function withinClasses({ scatter: whole, sums, mass }: Moments, rows: number): Float64Array {
  const k = mass.length;
  const d = sums.length / k;
  const scatter = whole.slice();
  for (let c = 0; c < k; c++) {
    const count = mass[c];
    if (count < 1e-9) continue;
    const sum = sums.subarray(c * d, (c + 1) * d);
    for (let i = 0; i < d; i++) {
      const factor = sum[i] / count;
      for (let j = 0; j <= i; j++) scatter[i * d + j] = scatter[i * d + j] - factor * sum[j];
    }
  }
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const value = scatter[i * d + j] / rows;
      scatter[i * d + j] = value;
      scatter[j * d + i] = value;
    }
  }
  return scatter;
}

function addTo(sum: Float64Array, { data }: Tensor): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i] + Number(data[i]);
}

/** `x` [rows, d], `soft` [rows, k] → `scatter` xᵀx [d, d], `sums` softᵀx [k, d], `mass` [k]. */
function momentsGraph(): Uint8Array {
  const g = new Graph('within-class-moments');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const soft = g.input('soft', 'float32', ['rows', 'k']);
  g.output(g.gemm(x, x, undefined, { transA: 1 }), 'scatter');
  g.output(g.gemm(soft, x, undefined, { transA: 1 }), 'sums');
  g.output(g.reduceSum(soft, [0], { keepDims: false }), 'mass');
  return g.toModel();
}

/** `x` [rows, d], `projection` [d, d] → `y` = x · projectionᵀ, rows of length 1. */
function projectGraph(): Uint8Array {
  const g = new Graph('within-class-project');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const y = g.gemm(x, g.input('projection', 'float32', ['d', 'd']), undefined, { transB: 1 });
  g.output(addLengthNorm(g, y), 'y');
  return g.toModel();
}
