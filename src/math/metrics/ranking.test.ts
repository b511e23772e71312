/** Expected values: scikit-learn 1.2.1 (`roc_auc_score`, `average_precision_score`) and hand-worked cases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auroc, averagePrecision } from './ranking.ts';

function close(actual: number | null, expected: number): void {
  assert.ok(actual !== null && Math.abs(actual - expected) < 1e-12, `expected ${expected}, got ${actual}`);
}

test('as scikit-learn, with many ties', () => {
  let state = 3;
  const draw = (n: number) => {
    state = (state * 16807) % 2147483647;
    return state % n;
  };
  const positive: number[] = [];
  const scores: number[] = [];
  for (let i = 0; i < 80; i++) {
    const a = draw(3) === 0 ? 1 : 0;
    positive.push(a);
    scores.push((draw(20) + 6 * a) / 30);
  }
  close(auroc(positive, scores), 0.5737179487179487);
  close(averagePrecision(positive, scores), 0.4386812282739885);
});

test('by hand: one pair of four is the wrong way round', () => {
  // Descending: +, −, +, −. Of the 4 pairs 3 are right; precision at the positives is 1 and 2/3.
  close(auroc([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6]), 0.75);
  close(averagePrecision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6]), (1 + 2 / 3) / 2);
  close(auroc([1, 0], [0.5, 0.5]), 0.5);
});

test('one kind alone ranks nothing', () => {
  assert.equal(auroc([1, 1], [0.1, 0.2]), null);
  assert.equal(auroc([], []), null);
  assert.equal(averagePrecision([0, 0], [0.1, 0.2]), null);
});
