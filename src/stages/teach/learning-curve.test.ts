/** Curves made by the power law itself, so slope and answer are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extrapolated } from './learning-curve.ts';

const curve = (a: number, b: number) => (labels: number) => ({ labels, accuracy: 1 - a * labels ** -b });

test('the labels that a power law needs are found, with an interval around them', () => {
  const at = curve(2, 0.5);
  // error .2 at 100 labels; .1 at 400.
  const { slope, more, moreInterval, limit } = extrapolated([25, 50, 75, 100].map(at), at(100), 10_000);
  assert.ok(Math.abs(slope - 0.5) < 1e-9);
  assert.ok(more !== null && Math.abs(more - 300) <= 1);
  assert.ok(moreInterval && moreInterval[0] < 300 && (moreInterval[1] === null || moreInterval[1] > 300));
  assert.ok(Math.abs(limit - 0.98) < 1e-9);
});

test('out of reach: the pile ends before, or the curve is flat; the limit says what all labels would give', () => {
  const at = curve(2, 0.5);
  const small = extrapolated([25, 50, 75, 100].map(at), at(100), 200);
  assert.equal(small.more, null);
  assert.ok(Math.abs(small.limit - (1 - 2 * 200 ** -0.5)) < 1e-9);
  const flat = extrapolated([25, 50, 75, 100].map(curve(0.3, 0.01)), curve(0.3, 0.01)(100), 1e6);
  assert.equal(flat.more, null);
});

test('a goal that is reached needs nothing more', () => {
  const at = curve(1, 0.6);
  assert.deepEqual(extrapolated([25, 50, 75, 100].map(at), at(100), 1000).more, 0);
});
