import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankLabelErrors } from './label-errors.ts';
import { matrix } from './matrix.ts';

// Thresholds by hand: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1 (0.8 + 0.6) / 2 = 0.7.
const PROBABILITIES = matrix(Float32Array.of(0.9, 0.1, 0.7, 0.3, 0.2, 0.8, 0.2, 0.8, 0.4, 0.6), 5, 2);
const LABELS = Int32Array.of(0, 0, 0, 1, 1);

test('ranked by the probability of the given label; flagged where another class reaches its own mean', () => {
  const doubts = rankLabelErrors(PROBABILITIES, LABELS);
  assert.deepEqual(
    doubts.map(({ place }) => place),
    [2, 4, 1, 3, 0],
  );
  assert.deepEqual(
    doubts.map(({ flagged }) => flagged),
    [true, false, false, false, false],
  );
  assert.equal(doubts[0]?.suggested, 1);
});

test('a class that nobody was labelled with is never confidently suggested', () => {
  const wide = matrix(Float32Array.of(0.3, 0.1, 0.6, 0.1, 0.5, 0.4), 2, 3);
  assert.ok(rankLabelErrors(wide, Int32Array.of(0, 1)).every(({ flagged }) => !flagged));
});

test('a label that is the likeliest class is not flagged, though another class reaches its own low mean', () => {
  // Class 0's mean is 0.7; of class 1, hard to tell, 0.25.
  const doubts = rankLabelErrors(matrix(Float32Array.of(0.6, 0.4, 0.8, 0.2, 0.75, 0.25), 3, 2), Int32Array.of(0, 0, 1));
  assert.deepEqual(doubts.map(({ place, flagged }) => [place, flagged]).sort(), [
    [0, false],
    [1, false],
    [2, true],
  ]);
});
