import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../core/random.ts';
import { dot } from './dot.ts';
import { orthonormalise } from './gram-schmidt.ts';

test('vectors become orthonormal, nearly dependent ones too, and the first keeps its direction', () => {
  const random = seededRandom(1, 'gram-schmidt');
  const vectors = Array.from({ length: 6 }, () => Float64Array.from({ length: 40 }, () => random() - 0.5));
  vectors[3] = vectors[1].map((value) => value + 1e-7 * (random() - 0.5));
  const first = vectors[0].slice();
  orthonormalise(vectors);
  for (const [i, a] of vectors.entries()) {
    for (const [j, b] of vectors.entries()) assert.ok(Math.abs(dot(a, b) - Number(i === j)) < 1e-12, `${i} ${j}`);
  }
  const length = Math.sqrt(dot(first, first));
  for (const [i, value] of first.entries()) assert.ok(Math.abs(vectors[0][i] - value / length) < 1e-15);
});

test('a vector that depends on those before it becomes zero where that is asked for', () => {
  const vectors = [
    Float64Array.of(3, 0, 4),
    Float64Array.of(6, 0, 8),
    Float64Array.of(0, 5, 0),
    Float64Array.of(0, 0, 0),
  ];
  orthonormalise(vectors, { zeroBelow: 1e-9 });
  assert.deepEqual(
    vectors.map((vector) => [...vector]),
    [
      [0.6000000000000001, 0, 0.8],
      [0, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ],
  );
});
