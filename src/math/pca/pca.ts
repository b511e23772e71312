/**
 * Principal components and whitening with shrinkage, and the steps that usually go with them: power and length
 * normalisation. A fit is plain data; applying it is a small graph, on its own or behind an embedder's.
 */

import { LabelsmithError } from '../../errors.ts';
import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { columnMeans, overBlocks } from '../blocks.ts';
import { ownDistances } from '../kmeans/blocks.ts';
import { type Matrix, matrixTensor, newSharedMatrix, rowsOf, shareMatrix } from '../matrix.ts';
import { signOfLargest, symmetricEigen } from './eigen.ts';

export interface PcaOptions {
  /** Components kept (default all): at most the columns, and one less than the rows. */
  readonly components?: number;
}

export interface Pca {
  /** [columns] */
  readonly mean: Float32Array;
  /** Orthonormal rows in order of variance, [components, columns]; each one's largest element is positive. */
  readonly components: Matrix;
  /** Sample variance along each component (n − 1), [components]. */
  readonly variances: Float64Array;
  /** Mean variance of all columns: the sum over all components, kept or not, over the columns. */
  readonly meanVariance: number;
  /**
   * How far the covariance should be shrunk towards a multiple of the identity, 0 to 1, for the least expected error
   * (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004).
   */
  readonly ledoitWolf: number;
}

const STEP = 2048;

/**
 * Fits on a sample that fits in memory; a few thousand rows do for a few hundred columns. Cost: n·d² + 4·d³ multiplications,
 * and of fewer rows than columns at most 4·n²·d + 4·n³: XXᵀ has the eigenvalues of XᵀX that are not 0 (Bishop, Pattern
 * Recognition and Machine Learning, 12.1.4).
 */
export async function fitPca(pool: InferencePool, sample: Matrix, options: PcaOptions = {}): Promise<Pca> {
  const { rows: n, columns: d } = sample;
  if (n < 2) throw new LabelsmithError('USAGE', `principal components need at least 2 vectors, not ${n}`);
  const kept = Math.min(options.components ?? d, d, n - 1);
  if (!(kept >= 1)) throw new LabelsmithError('USAGE', `components must be at least 1, not ${options.components}`);
  const points = shareMatrix(sample);
  const mean = Float32Array.from(await columnMeans(pool, points));
  const wide = n < d;
  const side = wide ? n : d;
  const scatter = wide ? await gramMatrix(pool, points, mean) : await scatterMatrix(pool, points, mean);
  const norms = await ownDistances(pool, points, { data: mean, rows: 1, columns: d }, new Int32Array(n));
  const { values, vectors } = symmetricEigen(scatter, side);
  const components = newSharedMatrix(kept, d);
  if (wide) fromWeights(components, vectors, points, mean);
  else components.data.set(vectors.subarray(0, kept * d));
  let trace = 0;
  for (let i = 0; i < side; i++) trace += scatter[i * side + i];
  return {
    mean,
    components,
    variances: values.slice(0, kept).map((value) => Math.max(0, value / (n - 1))),
    meanVariance: trace / (n - 1) / d,
    ledoitWolf: ledoitWolf(scatter, norms, n, d),
  };
}

/** The products of all pairs of rows, each less the mean, [rows, rows]. */
async function gramMatrix(pool: InferencePool, points: Matrix, mean: Float32Array): Promise<Float64Array> {
  const g = new Graph('gram');
  const meanOf = g.input('mean', 'float32', ['d']);
  const left = g.sub(g.input('x', 'float32', ['rows', 'd']), meanOf);
  const right = g.sub(g.input('all', 'float32', ['n', 'd']), meanOf);
  g.output(g.gemm(left, right, undefined, { transB: 1 }), 'gram');
  const model = await pool.load(g.toModel(), { key: 'pca-gram' });
  const gram = new Float64Array(points.rows ** 2);
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step: STEP },
    (start, end) => ({
      x: matrixTensor(rowsOf(points, start, end)),
      all: matrixTensor(points),
      mean: float32(mean),
    }),
    (result, start) => gram.set(float32Data(result.gram, 'gram'), start * points.rows),
  );
  return gram;
}

/** Once the other components are taken off a direction, less than this share of its length is rounding alone. */
const ROUNDING = 1e-4;

/**
 * Writes components from eigenvectors of the Gram matrix, which say how much of each row is in a component, [n, n].
 * Each is made orthogonal to those before it, twice; where nothing is left (there is no variance any more) an axis takes its
 * place, so that they stay orthonormal.
 */
function fromWeights(components: Matrix, weights: Float64Array, points: Matrix, mean: Float32Array): void {
  const { rows: n, columns: d } = points;
  const done: Float64Array[] = [];
  let axis = 0;
  for (let c = 0; c < components.rows; c++) {
    const direction = new Float64Array(d);
    for (let i = 0; i < n; i++) {
      const weight = weights[c * n + i];
      for (let j = 0; j < d; j++) direction[j] = direction[j] + weight * (points.data[i * d + j] - mean[j]);
    }
    while (!madeOrthonormal(direction, done)) direction.fill(0)[axis++] = 1;
    const sign = signOfLargest(direction);
    for (let j = 0; j < d; j++) components.data[c * d + j] = sign * direction[j];
    done.push(direction);
  }
}

/** Makes a direction orthogonal to others and of length 1; false where too little of it is left (Gram and Schmidt, twice: Giraud, Langou and Rozložník, 2005). */
function madeOrthonormal(direction: Float64Array, others: readonly Float64Array[]): boolean {
  const before = lengthOf(direction);
  if (before === 0) return false;
  for (let pass = 0; pass < 2; pass++) {
    for (const other of others) {
      let dot = 0;
      for (let j = 0; j < direction.length; j++) dot += direction[j] * other[j];
      for (let j = 0; j < direction.length; j++) direction[j] = direction[j] - dot * other[j];
    }
  }
  const length = lengthOf(direction);
  if (length < ROUNDING * before) return false;
  for (let j = 0; j < direction.length; j++) direction[j] = direction[j] / length;
  return true;
}

function lengthOf(vector: Float64Array): number {
  let square = 0;
  for (const value of vector) square += value * value;
  return Math.sqrt(square);
}

/** Σ (x − mean)(x − mean)ᵀ: single precision within a block of rows, double precision over blocks. */
async function scatterMatrix(pool: InferencePool, points: Matrix, mean: Float32Array): Promise<Float64Array> {
  const g = new Graph('scatter');
  const centred = g.sub(g.input('x', 'float32', ['rows', 'd']), g.input('mean', 'float32', ['d']));
  g.output(g.gemm(centred, centred, undefined, { transA: 1 }), 'scatter');
  const model = await pool.load(g.toModel(), { key: 'pca-scatter' });
  const total = new Float64Array(points.columns ** 2);
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step: STEP },
    (start, end) => ({ x: matrixTensor(rowsOf(points, start, end)), mean: float32(mean) }),
    (result) => {
      const { data } = result.scatter;
      for (let i = 0; i < total.length; i++) total[i] = total[i] + Number(data[i]);
    },
  );
  return total;
}

/**
 * With S = scatter / n and m = tr S / d: δ² = ‖S − m I‖² / d, β² = (mean ‖x‖⁴ − ‖S‖²) / (n d), and the intensity is
 * min(β², δ²) / δ².
 *
 * @param scatter or the Gram matrix, which has the same trace and the same sum of squares
 */
function ledoitWolf(scatter: Float64Array, norms: Float32Array, n: number, d: number): number {
  const side = Math.sqrt(scatter.length);
  let square = 0;
  let trace = 0;
  for (const value of scatter) square += (value / n) ** 2;
  for (let i = 0; i < side; i++) trace += scatter[i * side + i] / n;
  let fourth = 0;
  for (const norm of norms) fourth += norm * norm;
  const delta = (square - (trace * trace) / d) / d;
  const beta = (fourth / n - square) / n / d;
  return delta <= 0 ? 1 : Math.max(0, Math.min(beta, delta)) / delta;
}

export interface ProjectionOptions {
  /** Divides each component by its standard deviation (default false). */
  readonly whiten?: boolean;
  /**
   * With `whiten`: variances are taken as (1 − s)·variance + s·mean variance (default 0). Small ones are noise, which
   * plain whitening blows up; 1 does not whiten at all.
   */
  readonly shrinkage?: number;
}

/** The rows that project: components, divided by the shrunk standard deviations when whitening. */
export function projectionRows(pca: Pca, { whiten = false, shrinkage = 0 }: ProjectionOptions = {}): Matrix {
  if (!(shrinkage >= 0 && shrinkage <= 1)) {
    throw new LabelsmithError('USAGE', `shrinkage must be from 0 to 1, not ${shrinkage}`);
  }
  const { components, variances, meanVariance } = pca;
  if (!whiten) return components;
  const rows = newSharedMatrix(components.rows, components.columns);
  for (let c = 0; c < rows.rows; c++) {
    const variance = (1 - shrinkage) * variances[c] + shrinkage * meanVariance;
    const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    for (let i = c * rows.columns, end = i + rows.columns; i < end; i++) {
      rows.data[i] = components.data[i] * scale;
    }
  }
  return rows;
}

/** Adds (x − mean) · projectionᵀ to a graph; `x` [rows, columns]. */
export function addProjection(g: Graph, x: Value, pca: Pca, options?: ProjectionOptions): Value {
  const rows = projectionRows(pca, options);
  const centred = g.sub(x, g.constant(float32(pca.mean), 'pca-mean'));
  return g.gemm(centred, g.constant(matrixTensor(rows), 'pca-components'), undefined, { transB: 1 });
}

/** Adds sign(x)·|x|^exponent: 0.5 tames features of which a few are large (Perronnin et al., ECCV 2010). */
export function addPowerNorm(g: Graph, x: Value, exponent: number): Value {
  const size = g.abs(x);
  return g.mul(g.sign(x), exponent === 0.5 ? g.sqrt(size) : g.pow(size, g.scalar(exponent)));
}

/** Adds x / ‖x‖ over the last axis; rows of zeros stay zeros. */
export function addLengthNorm(g: Graph, x: Value): Value {
  return g.div(x, g.max(g.reduceL2(x, [-1]), g.scalar(1e-12)));
}

/** (points − mean) · projectionᵀ, in shared memory, [rows, components]. */
export async function project(
  pool: InferencePool,
  points: Matrix,
  pca: Pca,
  options?: ProjectionOptions,
): Promise<Matrix> {
  const rows = projectionRows(pca, options);
  const g = new Graph('pca-project');
  const centred = g.sub(g.input('x', 'float32', ['rows', 'd']), g.input('mean', 'float32', ['d']));
  g.output(g.gemm(centred, g.input('projection', 'float32', ['c', 'd']), undefined, { transB: 1 }), 'y');
  const model = await pool.load(g.toModel(), { key: 'pca-project' });
  const result = newSharedMatrix(points.rows, rows.rows);
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step: STEP },
    (start, end) => ({
      x: matrixTensor(rowsOf(points, start, end)),
      mean: float32(pca.mean),
      projection: matrixTensor(rows),
    }),
    ({ y }, start) => result.data.set(float32Data(y, 'y'), start * rows.rows),
  );
  return result;
}
