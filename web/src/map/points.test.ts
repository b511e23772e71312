import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insideOf } from './points.ts';

test('a lasso holds what is inside of it, and not what its bays leave out', () => {
  const [x, y] = [Float32Array.of(1, 5, 9, 5, -1), Float32Array.of(1, 1, 1, 8, 1)];
  // The letter U, ten wide and ten high, open at the top from 3 to 7.
  const outline = [
    [0, 0],
    [10, 0],
    [10, 10],
    [7, 10],
    [7, 3],
    [3, 3],
    [3, 10],
    [0, 10],
  ].map(([px, py]) => ({ x: px ?? 0, y: py ?? 0 }));
  assert.deepEqual(insideOf({ x, y, count: 5 }, outline), [0, 1, 2]);
  assert.deepEqual(insideOf({ x, y, count: 5 }, outline.slice(0, 2)), []);
});
