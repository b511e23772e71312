/** Factors of small dense matrices, in double precision: what a covariance is taken apart into. Cost n³ / 3 each. */

/** L with A = L Lᵀ (Golub and Van Loan, Matrix Computations, 4.2), row by row; A positive definite, [n, n]. */
export function cholesky(a: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const rowI = i * n;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * n;
      let sum = a[rowI + j];
      for (let k = 0; k < j; k++) sum -= lower[rowI + k] * lower[rowJ + k];
      lower[rowI + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / lower[rowJ + j];
    }
  }
  return lower;
}

/** The inverse of a lower triangular matrix, itself lower triangular; [n, n]. */
export function invertLower(lower: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let k = 0; k < i; k++) {
      const factor = lower[row + k];
      if (factor === 0) continue;
      const from = k * n;
      for (let j = 0; j <= k; j++) inverse[row + j] = inverse[row + j] - factor * inverse[from + j];
    }
    const diagonal = lower[row + i];
    for (let j = 0; j < i; j++) inverse[row + j] = inverse[row + j] / diagonal;
    inverse[row + i] = 1 / diagonal;
  }
  return inverse;
}
