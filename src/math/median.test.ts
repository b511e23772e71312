import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf } from './median.ts';

test('the median of an odd and an even number of values, in any order, is that of NumPy', () => {
  // numpy.median
  assert.equal(medianOf([7, -1, 30, 2, 10]), 7);
  assert.equal(medianOf(Float32Array.of(4, 1, 10, 2)), 3);
  assert.equal(medianOf([5]), 5);
  assert.ok(Number.isNaN(medianOf([])));
  const given = [3, 1, 2];
  medianOf(given);
  assert.deepEqual(given, [3, 1, 2], 'what is given stays in its order');
});
