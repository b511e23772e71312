/**
 * The largest eigenvalues of a sparse symmetric matrix with eigenvalues in [−1, 1], and their eigenvectors: subspace
 * iteration with a Chebyshev filter (Zhou, Saad, Tiago and Chelikowsky, "Self-consistent-field calculations using
 * Chebyshev-filtered subspace iteration", J. Comput. Phys. 219, 2006). A block finds eigenvalues of any multiplicity,
 * which graphs of several parts have; a single Lanczos chain would not.
 *
 * Each round costs degree · entries · width for the filter and 6 · size · width² for the rest; 5 to 15 rounds.
 */
import { seededRandom } from '../../core/random.ts';
import { dot } from '../dot.ts';
import { orthonormalise } from '../gram-schmidt.ts';
import { symmetricEigen } from '../pca/eigen.ts';
import { dense, multiply, type SparseMatrix } from './sparse.ts';

export interface TopEigenOptions {
  /** Eigenpairs wanted, at most the size. */
  readonly count: number;
  /** Default 0. */
  readonly seed?: number;
  /** Largest ‖A v − λ v‖ of a wanted pair (default 1e-5). */
  readonly tolerance?: number;
  /** Default 60. */
  readonly maxRounds?: number;
  readonly signal?: AbortSignal;
}

export interface TopEigen {
  /** Descending, [count]. */
  readonly values: Float64Array;
  /** Shape [size, count], row after row: column j belongs to value j. */
  readonly vectors: Float64Array;
  readonly count: number;
  /** What was reached; 0 where a dense method gave them all. */
  readonly residual: number;
}

/** Below this a dense decomposition takes less than a second. */
const DENSE_SIZE = 256;
/** Of the filter polynomial: higher takes fewer rounds, each with more products. */
const DEGREE = 12;
/**
 * The filter lets through what is within so much of the largest eigenvalue, even where all values of the block are: a graph of
 * more parts than the block is wide has 1 more often than that, and a filter from there on would hold back nothing. Within it
 * the polynomial is 5.6 times what it is below.
 */
const MIN_PASS = 0.02;

export function topEigen(matrix: SparseMatrix, options: TopEigenOptions): TopEigen {
  const { size } = matrix;
  const count = Math.min(options.count, size);
  // Columns beside those wanted: they converge last, and speed up the others.
  const width = Math.min(size, count + Math.max(8, Math.ceil(count / 5)));
  if (size <= DENSE_SIZE || 2 * width > size) return denseEigen(matrix, count);
  const { seed = 0, tolerance = 1e-5, maxRounds = 60, signal } = options;
  let block: Float64Array = randomBlock(size, width, seed);
  let product: Float64Array = new Float64Array(size * width);
  let spare: Float64Array = new Float64Array(size * width);
  for (let round = 1; ; round++) {
    signal?.throwIfAborted();
    orthonormaliseColumns(block, size, width);
    multiply(matrix, block, width, product);
    const { values, vectors } = symmetricEigen(gram(block, product, size, width), width);
    [block, spare] = [rotated(block, vectors, size, width, spare), block];
    [product, spare] = [rotated(product, vectors, size, width, spare), product];
    const residual = worstResidual(block, product, values, size, width, count);
    if (residual <= tolerance || round === maxRounds) {
      return { values: values.slice(0, count), vectors: firstColumns(block, size, width, count), count, residual };
    }
    const cut = Math.min(values[width - 1], values[0] - MIN_PASS);
    [block, product, spare] = filtered(matrix, block, product, spare, width, cut);
  }
}

function denseEigen(matrix: SparseMatrix, count: number): TopEigen {
  const { size } = matrix;
  const all = symmetricEigen(dense(matrix), size);
  const vectors = new Float64Array(size * count);
  for (let row = 0; row < size; row++) {
    for (let j = 0; j < count; j++) vectors[row * count + j] = all.vectors[j * size + row];
  }
  return { values: all.values.slice(0, count), vectors, count, residual: 0 };
}

function randomBlock(size: number, width: number, seed: number): Float64Array {
  const random = seededRandom(seed, 'top-eigen');
  return Float64Array.from({ length: size * width }, () => random() - 0.5);
}

/**
 * T_degree((A − c) / e) · block, which shrinks everything with eigenvalues in [−1, cut] and blows up the rest.
 * @param product A · block.
 */
function filtered(
  matrix: SparseMatrix,
  block: Float64Array,
  product: Float64Array,
  spare: Float64Array,
  width: number,
  cut: number,
): [Float64Array, Float64Array, Float64Array] {
  const centre = (cut - 1) / 2;
  const half = Math.max(1e-6, (cut + 1) / 2);
  let [before, now, next] = [block, product, spare];
  for (let i = 0; i < now.length; i++) now[i] = (now[i] - centre * before[i]) / half;
  for (let degree = 2; degree <= DEGREE; degree++) {
    multiply(matrix, now, width, next);
    for (let i = 0; i < now.length; i++) {
      next[i] = (2 * (next[i] - centre * now[i])) / half - before[i];
    }
    [before, now, next] = [now, next, before];
  }
  return [now, before, next];
}

/** In place. @param block shape [size, width] */
function orthonormaliseColumns(block: Float64Array, size: number, width: number): void {
  const columns = Array.from({ length: width }, (_, j) =>
    Float64Array.from({ length: size }, (_, i) => block[i * width + j]),
  );
  orthonormalise(columns);
  for (const [j, column] of columns.entries()) {
    for (let i = 0; i < size; i++) block[i * width + j] = column[i];
  }
}

/** blockᵀ · product, shape [width, width]. */
function gram(block: Float64Array, product: Float64Array, size: number, width: number): Float64Array {
  const result = new Float64Array(width * width);
  for (let row = 0; row < size; row++) {
    const at = row * width;
    for (let i = 0; i < width; i++) {
      const value = block[at + i];
      for (let j = 0; j <= i; j++) {
        result[i * width + j] = result[i * width + j] + value * product[at + j];
      }
    }
  }
  return result;
}

/** block · rotationᵀ. @param rotation shape [width, width], a new column's parts a row. */
function rotated(block: Float64Array, rotation: Float64Array, size: number, width: number, into: Float64Array) {
  const parts = Array.from({ length: width }, (_, j) => rotation.subarray(j * width, (j + 1) * width));
  for (let row = 0; row < size; row++) {
    const at = row * width;
    const old = block.subarray(at, at + width);
    for (let j = 0; j < width; j++) into[at + j] = dot(old, parts[j]);
  }
  return into;
}

function worstResidual(
  block: Float64Array,
  product: Float64Array,
  values: Float64Array,
  size: number,
  width: number,
  count: number,
): number {
  const squares = new Float64Array(count);
  for (let row = 0; row < size; row++) {
    for (let j = 0; j < count; j++) {
      const rest = product[row * width + j] - values[j] * block[row * width + j];
      squares[j] = squares[j] + rest * rest;
    }
  }
  return Math.sqrt(squares.reduce((most, square) => Math.max(most, square), 0));
}

function firstColumns(block: Float64Array, size: number, width: number, count: number): Float64Array {
  const result = new Float64Array(size * count);
  for (let row = 0; row < size; row++) result.set(block.subarray(row * width, row * width + count), row * count);
  return result;
}
