import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { deviationsOf, tailsOf } from './tails.ts';

test('limits by median and median absolute deviation of the logarithms', () => {
  // numpy 1.24 and scipy 1.10: x = exp(arange(-10, 11) / 10); m = median(log x) = 0, median_abs_deviation(log x) = .5,
  // exp(−3.5 · 1.4826 · .5) and exp(3 · 1.4826 · .5).
  const { low, high } = tailsOf(Array.from({ length: 21 }, (_, i) => Math.exp((i - 10) / 10)));
  assert.ok(Math.abs(low - 0.07467947) < 1e-7, String(low));
  assert.ok(Math.abs(high - 9.2433096) < 1e-4, String(high));
});

test('of distances like those of neighbours few are in a tail, and what is put there is', () => {
  const random = seededRandom(5);
  const usual = Array.from({ length: 2000 }, () => 0.3 * Math.exp((random() + random() + random() - 1.5) / 2));
  const { low, high } = tailsOf([...usual, 0.001, 0.002, 2]);
  assert.ok(usual.filter((distance) => distance <= low || distance >= high).length <= 5);
  assert.ok(low > 0.002 && high < 2);
});

test('of few distances, or of distances that are all the same, none is in a tail', () => {
  for (const distances of [[], [1, 2, 3], new Array(50).fill(0.2), new Array(50).fill(0)]) {
    const { low, high } = tailsOf(distances);
    assert.ok(distances.every((distance) => distance > low && distance < high));
  }
});

test('robust deviations are those by which the tails are told, and end at six', () => {
  const distances = [...Array.from({ length: 21 }, (_, i) => Math.exp((i - 10) / 10)), 1e9];
  const { high } = tailsOf(distances);
  const deviations = deviationsOf(distances);
  for (const [i, deviation] of deviations.entries()) assert.equal(deviation >= 3, distances[i] >= high);
  assert.equal(deviations.at(-1), 6);
  assert.deepEqual([...deviationsOf([1, 1, 1])], [0, 0, 0]);
  assert.deepEqual([...deviationsOf([])], []);
});
