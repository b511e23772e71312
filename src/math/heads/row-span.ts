/**
 * Few rows of many columns in coordinates of the space they span.
 *
 * A linear model with a quadratic penalty is a sum of the rows it learns from (the representer theorem: Schölkopf,
 * Herbrich and Smola, COLT 2001), and the rows enter it by their inner products alone. So it may be fitted on the rows of
 * L, X Xᵀ = L Lᵀ, which have as many columns as there are rows, and be carried back: W = w L⁻¹ X.
 */
import { dot } from '../dot.ts';
import { type Matrix, newSharedMatrix } from '../matrix.ts';

export interface RowSpan {
  /** L, shape [n, n]: the inner products of its rows are those of the features. */
  readonly coordinates: Matrix;
  /** Weights on the coordinates, shape [k, n], as weights on the columns, shape [k, d]. */
  back(weights: Matrix): Matrix;
}

/** What is added to the diagonal, as a part of its mean: rows that depend on others get a direction of their own. */
const JITTER = 1e-9;

/** Costs n² · d / 2 + n³ / 6 multiplications; holds 2 · n² + n · d numbers in double precision. */
export function rowSpan({ data, rows: n, columns: d }: Matrix): RowSpan {
  const exact = Array.from({ length: n }, (_, i) => Float64Array.from(data.subarray(i * d, (i + 1) * d)));
  const l = Array.from({ length: n }, () => new Float64Array(n));
  let trace = 0;
  for (const row of exact) trace += dot(row, row);
  const jitter = JITTER * (trace / Math.max(1, n)) || JITTER;
  for (let i = 0; i < n; i++) {
    const row = l[i] as Float64Array;
    for (let j = 0; j <= i; j++) {
      const other = l[j] as Float64Array;
      const product = dot(exact[i], exact[j]);
      const rest = product - dot(row.subarray(0, j), other.subarray(0, j));
      row[j] = i === j ? Math.sqrt(Math.max(rest, 0) + jitter) : rest / other[j];
    }
  }
  const coordinates = newSharedMatrix(n, n);
  for (const [i, row] of l.entries()) coordinates.data.set(row, i * n);
  return {
    coordinates,
    back({ data: given, rows: k }) {
      const result = newSharedMatrix(k, d);
      for (let c = 0; c < k; c++) {
        // α Lᵀ⁻¹ by back substitution, then the sum of rows that it weighs.
        const alpha = Float64Array.from(given.subarray(c * n, (c + 1) * n));
        for (let i = n - 1; i >= 0; i--) {
          const row = l[i] as Float64Array;
          alpha[i] = alpha[i] / row[i];
          for (let j = 0; j < i; j++) alpha[j] = alpha[j] - alpha[i] * row[j];
        }
        const sum = new Float64Array(d);
        for (const [i, row] of exact.entries()) {
          const factor = alpha[i];
          for (let j = 0; j < d; j++) sum[j] = sum[j] + factor * row[j];
        }
        result.data.set(sum, c * d);
      }
      return result;
    },
  };
}
