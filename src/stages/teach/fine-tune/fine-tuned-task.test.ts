/** The exit gate of fine-tuning. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../core/random.ts';
import { newSharedMatrix } from '../../../math/matrix.ts';
import { InferencePool } from '../../../onnx/pool.ts';
import type { Problem } from '../problem.ts';
import { isBetter, isSound } from './fine-tuned-task.ts';

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

const LABELS = 40;
const COLUMNS = 4;

/** Two classes, told apart by the first number as far as `apart` goes. */
function problemWith(apart: number): Problem {
  const random = seededRandom(0, 'gate');
  const features = newSharedMatrix(LABELS, COLUMNS);
  const labels = Int32Array.from({ length: LABELS }, (_, i) => i % 2);
  for (let i = 0; i < features.data.length; i++) features.data[i] = 2 * random() - 1;
  for (const [row, label] of labels.entries()) features.data[row * COLUMNS] += apart * (2 * label - 1);
  const labelled = Int32Array.from(labels, (_, i) => i);
  return { features, groups: Array.from(labels, (_, i) => `${i}`), labelled, labels, classes: 2 };
}

test('a network that was trained on all labels and tells nothing apart is not sound, whatever the folds say', async (t) => {
  const pool = await InferencePool.create({ threads: 1 });
  t.after(() => pool.close());
  const unchanged = { correct: new Uint8Array(LABELS).fill(1, 4), loss: 0.3 };
  const foldFeatures = [problemWith(3).features, problemWith(3).features, problemWith(3).features];
  const soundWith = (apart: number) => {
    const problem = problemWith(apart);
    return isSound(pool, { problem, sample: { ...problem, foldFeatures } }, unchanged, { seed: 0 });
  };
  assert.equal(await soundWith(3), true);
  assert.equal(await soundWith(0), false);
});
