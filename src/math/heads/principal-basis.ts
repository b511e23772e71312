/**
 * An orthonormal basis of (nearly) the span of the first principal components, by subspace iteration from a random start
 * (Halko, Martinsson and Tropp, SIAM Review 53, 2011, algorithm 4.4). For what is the same in any basis of that span it
 * does as well as the components themselves, at 2 · rounds · d² · k flops instead of the 4 · d³ of an eigenproblem.
 */
import { seededRandom } from '../../core/random.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { orthonormalise } from '../gram-schmidt.ts';
import { type Matrix, newSharedMatrix, shareMatrix } from '../matrix.ts';
import { logitsOf } from './linear-head.ts';
import { withinClassCovariance } from './within-class.ts';

/** Each round separates the span from the rest by another factor of the ratio of their variances. */
const ROUNDS = 4;

/** @returns orthonormal rows, shape [k, columns], in shared memory. */
export async function principalBasis(pool: InferencePool, sample: Matrix, k: number, seed: number): Promise<Matrix> {
  const { rows, columns: d } = sample;
  const one = newSharedMatrix(rows, 1);
  one.data.fill(1);
  const covariance = await withinClassCovariance(pool, shareMatrix(sample), one);
  const table = newSharedMatrix(d, d);
  table.data.set(covariance);
  const random = seededRandom(seed, 'principal-basis');
  const basis = newSharedMatrix(k, d);
  for (let i = 0; i < basis.data.length; i++) basis.data[i] = random() - 0.5;
  for (let round = 0; round < ROUNDS; round++) {
    basis.data.set((await multiplied(pool, basis, table)).data);
    orthonormaliseRows(basis);
  }
  return basis;
}

/** points · basisᵀ, shape [rows, k], in shared memory. */
export function onBasis(pool: InferencePool, points: Matrix, basis: Matrix): Promise<Matrix> {
  return multiplied(pool, points, basis);
}

/** a · bᵀ. */
function multiplied(pool: InferencePool, a: Matrix, b: Matrix): Promise<Matrix> {
  return logitsOf(pool, { weights: b, bias: new Float32Array(b.rows) }, a);
}

/** A row that depends on those before it becomes zero. */
function orthonormaliseRows({ data, rows, columns }: Matrix): void {
  const exact = Float64Array.from(data);
  const vectors = Array.from({ length: rows }, (_, i) => exact.subarray(i * columns, (i + 1) * columns));
  orthonormalise(vectors, { zeroBelow: 1e-9 });
  data.set(exact);
}
