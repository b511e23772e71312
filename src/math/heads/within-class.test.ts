import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { cholesky, invertLower } from '../cholesky.ts';
import { matrix, newSharedMatrix } from '../matrix.ts';
import { principalBasis } from './principal-basis.ts';
import { withinClassCovariance, withinClassNormalised } from './within-class.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

test('a 3 × 3 Cholesky factor and its inverse by hand', () => {
  // Golub and Van Loan's kind of example: L = [2 0 0; 1 3 0; 4 -1 5], A = L Lᵀ.
  const lower = [2, 0, 0, 1, 3, 0, 4, -1, 5];
  const a = Float64Array.of(4, 2, 8, 2, 10, 1, 8, 1, 42);
  assert.deepEqual([...cholesky(a, 3)], lower);
  const inverse = invertLower(Float64Array.from(lower), 3);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += lower[i * 3 + k] * inverse[k * 3 + j];
      assert.ok(Math.abs(sum - Number(i === j)) < 1e-12);
    }
  }
});

test('hard labels: the pooled covariance within two classes, by hand', async () => {
  // Class 0: (0,0), (2,0); class 1: (5,1), (5,3). Within: first column varies in class 0, second in class 1.
  const x = matrix(Float32Array.of(0, 0, 2, 0, 5, 1, 5, 3), 4, 2);
  const soft = matrix(Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1), 4, 2);
  assert.deepEqual([...(await withinClassCovariance(pool, x, soft))], [0.5, 0, 0, 0.5]);
});

test('a direction that only varies within classes loses its weight', async () => {
  const n = 40;
  const x = newSharedMatrix(n, 2);
  const soft = newSharedMatrix(n, 2);
  for (let i = 0; i < n; i++) {
    x.data.set([i % 2 === 0 ? 0.3 : -0.3, Math.sin(i * 1.3)], i * 2);
    soft.data[i * 2 + (i % 2)] = 1;
  }
  const z = await withinClassNormalised(pool, x, soft, { shrinkage: 0.01 });
  for (let i = 0; i < n; i++) {
    const [a, b] = [z.data[2 * i], z.data[2 * i + 1]];
    assert.ok(Math.abs(Math.hypot(a, b) - 1) < 1e-5);
    assert.ok(Math.abs(a) > 0.9, `row ${i}: ${a}, ${b}`);
  }
});

test('the basis spans the directions of most variance, orthonormal, the same with any number of threads', async () => {
  const rows = 300;
  const random = seededRandom(4);
  const points = newSharedMatrix(rows, 20);
  for (let i = 0; i < points.data.length; i++) {
    // Columns 3, 8 and 15 vary a hundred times as much as the others.
    points.data[i] = (random() - 0.5) * ([3, 8, 15].includes(i % 20) ? 1 : 0.01);
  }
  const basis = await principalBasis(pool, points, 3, 1);
  for (let i = 0; i < 3; i++) {
    const row = basis.data.subarray(i * 20, (i + 1) * 20);
    const inside = [3, 8, 15].reduce((sum, j) => sum + row[j] ** 2, 0);
    assert.ok(Math.abs(inside - 1) < 1e-3, `${inside}`);
    for (let j = 0; j < i; j++) {
      const other = basis.data.subarray(j * 20, (j + 1) * 20);
      assert.ok(Math.abs(row.reduce((sum, value, c) => sum + value * other[c], 0)) < 1e-6);
    }
  }
  const one = await InferencePool.create({ threads: 1 });
  try {
    assert.deepEqual(await principalBasis(one, points, 3, 1), basis);
  } finally {
    await one.close();
  }
});
