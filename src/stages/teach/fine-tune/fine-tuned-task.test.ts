/** The exit gate of fine-tuning. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBetter } from './fine-tuned-task.ts';

/** Of 60 labels, those from `first` on are wrong. */
const right = (first: number, loss: number) => ({
  correct: Uint8Array.from({ length: 60 }, (_, i) => Number(i < first)),
  loss,
});

test('within one standard error of the same labels the loss decides, beyond it the labels', () => {
  const frozen = right(50, 0.6);
  // One label more or less is one standard error.
  assert.ok(isBetter(right(49, 0.5), frozen));
  assert.ok(isBetter(right(50, 0.5), frozen));
  assert.ok(!isBetter(right(51, 0.7), frozen));
  assert.ok(!isBetter(right(45, 0.3), frozen), 'five labels fewer are more than chance');
  assert.ok(isBetter(right(55, 0.9), frozen), 'five labels more are, too');
  assert.ok(!isBetter(frozen, frozen), 'of equals the frozen one stays');
});
