/**
 * Eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then the QL method with
 * implicit shifts (Golub and Van Loan, Matrix Computations, 8.3). About 4 n³ multiplications in double precision: a
 * second or two for n = 576.
 */
import { LabelsmithError } from '../../errors.ts';

export interface Eigen {
  /** Descending, [n]. */
  readonly values: Float64Array;
  /** One eigenvector a row, of length 1, in the order of `values`; its largest element is positive. Shape [n, n]. */
  readonly vectors: Float64Array;
}

/** More steps than any finite matrix needs for one eigenvalue. */
const MAX_STEPS = 60;

/** @param symmetric shape [n, n]; only what is on and below the diagonal is read. */
export function symmetricEigen(symmetric: Float64Array, n: number): Eigen {
  if (symmetric.length !== n * n) {
    throw new LabelsmithError('UNSUPPORTED', `a symmetric matrix of ${n} × ${n} has ${symmetric.length} elements`);
  }
  const { diagonal, off, basis } = tridiagonal(symmetric, n);
  implicitQl(diagonal, off, basis, n);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => diagonal[b] - diagonal[a] || a - b);
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const from = order[i];
    values[i] = diagonal[from]!;
    const row = basis.subarray(from * n, (from + 1) * n);
    const sign = signOfLargest(row);
    for (let j = 0; j < n; j++) vectors[i * n + j] = sign * row[j];
  }
  return { values, vectors };
}

/** What makes an eigenvector's largest element positive: its sign is free otherwise. */
export function signOfLargest(vector: Float64Array): 1 | -1 {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? -1 : 1;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** off[i] stands between i and i + 1; the last one is 0. */
  readonly off: Float64Array;
  /** Rows q with symmetric = Qᵀ T Q, shape [n, n]. */
  readonly basis: Float64Array;
}

/** Reflects column after column: A ← H A H with H = I − 2 v vᵀ, applied as a rank-two update of the lower triangle. */
function tridiagonal(symmetric: Float64Array, n: number): Tridiagonal {
  const a = symmetric.slice();
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  const reflectors: (Float64Array | undefined)[] = [];
  for (let k = 0; k < n - 1; k++) {
    const size = n - k - 1;
    const v = new Float64Array(size);
    let scale = 0;
    for (let i = 0; i < size; i++) {
      v[i] = a[(k + 1 + i) * n + k]!;
      scale = Math.max(scale, Math.abs(v[i]));
    }
    diagonal[k] = a[k * n + k]!;
    if (scale === 0) {
      reflectors.push(undefined);
      continue;
    }
    // Scaled, so that squares of tiny numbers do not vanish.
    let square = 0;
    for (let i = 0; i < size; i++) {
      v[i] = v[i] / scale;
      square += v[i] * v[i];
    }
    const head = v[0];
    const alpha = head > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    off[k] = alpha * scale;
    v[0] = head - alpha;
    const length = Math.sqrt(2 * (square - alpha * head));
    for (let i = 0; i < size; i++) v[i] = v[i] / length;
    reflectors.push(v);
    rankTwoUpdate(a, v, k + 1, n);
  }
  diagonal[n - 1] = a[n * n - 1]!;
  // Row i of the basis is e_iᵀ H_{n-2} … H_0, so reflectors act on rows from the last to the first.
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    const v = reflectors[k];
    if (!v) continue;
    for (let r = k + 1; r < n; r++) {
      const at = r * n + k + 1;
      let dot = 0;
      for (let i = 0; i < v.length; i++) dot += basis[at + i] * v[i];
      for (let i = 0; i < v.length; i++) basis[at + i] = basis[at + i] - 2 * dot * v[i];
    }
  }
  return { diagonal, off, basis };
}

/** B ← H B H for the block B of `a` from row and column `start`: B − v wᵀ − w vᵀ, w = 2 (p − (vᵀp) v), p = B v. */
function rankTwoUpdate(a: Float64Array, v: Float64Array, start: number, n: number): void {
  const size = v.length;
  const p = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const at = (start + i) * n + start;
    const vi = v[i];
    let sum = a[at + i] * vi;
    for (let j = 0; j < i; j++) {
      const value = a[at + j];
      sum += value * v[j];
      p[j] = p[j] + value * vi;
    }
    p[i] = p[i] + sum;
  }
  let dot = 0;
  for (let i = 0; i < size; i++) dot += p[i] * v[i];
  for (let i = 0; i < size; i++) p[i] = 2 * (p[i] - dot * v[i]);
  for (let i = 0; i < size; i++) {
    const at = (start + i) * n + start;
    const vi = v[i];
    const wi = p[i];
    for (let j = 0; j <= i; j++) a[at + j] = a[at + j] - vi * p[j] - wi * v[j];
  }
}

/** Chases the off-diagonal to zero from the bottom up; every rotation turns two rows of the basis. */
function implicitQl(d: Float64Array, e: Float64Array, basis: Float64Array, n: number): void {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(d[i]), Math.abs(e[i]));
  // Far below the rounding errors of the rest, or of so few digits that rotations by it are none.
  const vanishing = Math.max(Number.EPSILON ** 2 * largest, 1e-290);
  for (let low = 0; low < n; low++) {
    for (let step = 0; ; step++) {
      let m = low;
      while (m < n - 1) {
        const scale = Math.abs(d[m]) + Math.abs(d[m + 1]);
        if (Math.abs(e[m]) <= Math.max(Number.EPSILON * scale, vanishing)) break;
        m++;
      }
      if (m === low) break;
      if (step === MAX_STEPS) {
        throw new LabelsmithError('BAD_FILE', `the eigenvalues of a ${n} × ${n} matrix do not converge`, {
          hint: 'Its numbers are probably not finite: look at the vectors it was made of.',
        });
      }
      // Wilkinson's shift: the eigenvalue of the leading 2 × 2 block that is nearer to its corner.
      const half = (d[low + 1] - d[low]) / (2 * e[low]);
      const root = Math.hypot(half, 1);
      let g = d[m] - d[low] + e[low] / (half + (half < 0 ? -root : root));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= low; i--) {
        const f = s * e[i];
        const b = c * e[i];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) break;
        s = f / r;
        c = g / r;
        const shifted = d[i + 1] - p;
        const t = (d[i] - shifted) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = shifted + p;
        g = c * t - b;
        rotate(basis, i * n, n, c, s);
      }
      if (i >= low) {
        // A rotation that does nothing has split the matrix: start again on the smaller one.
        d[i + 1] = d[i + 1] - p;
        e[m] = 0;
        continue;
      }
      d[low] = d[low] - p;
      e[low] = g;
      e[m] = 0;
    }
  }
}

/** Turns the row that starts at `at` and the one behind it. */
function rotate(basis: Float64Array, at: number, n: number, c: number, s: number): void {
  for (let upper = at, lower = at + n, end = at + n; upper < end; upper++, lower++) {
    const x = basis[upper];
    const y = basis[lower];
    basis[lower] = s * x + c * y;
    basis[upper] = c * x - s * y;
  }
}
