/**
 * A linear head from sums alone: linear discriminant analysis with shrinkage (Friedman, "Regularized discriminant analysis", JASA
 * 1989), as scikit-learn's `LinearDiscriminantAnalysis(solver='lsqr', shrinkage=a)`. Statistics of parts of the items add up, so it
 * takes one pass over items that no machine holds at once.
 *
 * With n_c items of class c, m_c their mean and S the pooled covariance within classes: A = (1 − a) S + a · (tr S / d) I,
 * w_c = A⁻¹ m_c and b_c = log(n_c / n) − ½ m_cᵀ w_c.
 * Cost of the statistics 2 · n · d · (d + k) flops on the inference threads, of a head d³ + k · d² here; 8 · d · (d + k) bytes each.
 */
import type { InferencePool } from '../../onnx/pool.ts';
import { cholesky, invertLower } from '../cholesky.ts';
import { type Matrix, newSharedMatrix } from '../matrix.ts';
import { type LinearHead, oneHot } from './linear-head.ts';
import { type Moments, momentsOf, withinClasses } from './within-class.ts';

/** Of some items with a class. */
export interface ClassStatistics extends Moments {
  /** Items. */
  readonly count: number;
}

/** @param features shape [n, d]. @param labels classes of the rows, shape [n]. */
export async function classStatistics(
  pool: InferencePool,
  features: Matrix,
  labels: ArrayLike<number>,
  classes: number,
): Promise<ClassStatistics> {
  return { ...(await momentsOf(pool, features, oneHot(labels, classes))), count: features.rows };
}

export function noStatistics(columns: number, classes: number): ClassStatistics {
  return {
    count: 0,
    mass: new Float64Array(classes),
    sums: new Float64Array(classes * columns),
    scatter: new Float64Array(columns * columns),
  };
}

/** The statistics of the items of both. The order of additions decides the last bits. */
export function addedStatistics(one: ClassStatistics, other: ClassStatistics): ClassStatistics {
  const added = (a: Float64Array, b: Float64Array) => a.map((value, i) => value + b[i]);
  return {
    count: one.count + other.count,
    mass: added(one.mass, other.mass),
    sums: added(one.sums, other.sums),
    scatter: added(one.scatter, other.scatter),
  };
}

/** @param shrinkage 0 to 1: how far the covariance is drawn to a multiple of the identity; 1 makes the head one of nearest means. */
export function discriminantHead(statistics: ClassStatistics, shrinkage: number): LinearHead {
  const { mass, sums, count } = statistics;
  const k = mass.length;
  const d = sums.length / k;
  const covariance = withinClasses(statistics, count);
  let trace = 0;
  for (let j = 0; j < d; j++) trace += covariance[j * d + j];
  const ridge = Math.max((shrinkage * trace) / d, 1e-12);
  for (let i = 0; i < covariance.length; i++) covariance[i] = (1 - shrinkage) * covariance[i];
  for (let j = 0; j < d; j++) covariance[j * d + j] = covariance[j * d + j] + ridge;
  const inverse = invertLower(cholesky(covariance, d), d);
  const weights = newSharedMatrix(k, d);
  const bias = new Float32Array(k);
  for (let c = 0; c < k; c++) {
    // Of a class without items nothing is known: its chance is that of a tenth of an item.
    const items = Math.max(mass[c], 0.1);
    const mean = sums.subarray(c * d, (c + 1) * d).map((sum) => sum / items);
    const half = lowerTimes(inverse, mean);
    const w = lowerTransposedTimes(inverse, half);
    weights.data.set(w, c * d);
    let square = 0;
    for (const value of half) square += value * value;
    bias[c] = Math.log(items / Math.max(count, 1)) - square / 2;
  }
  return { weights, bias };
}

/** L x. */
function lowerTimes(lower: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  const result = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j <= i; j++) sum += lower[i * n + j] * x[j];
    result[i] = sum;
  }
  return result;
}

/** Lᵀ x. */
function lowerTransposedTimes(lower: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  const result = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) result[j] = result[j] + lower[i * n + j] * x[i];
  }
  return result;
}
