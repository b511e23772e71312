/** The exit gate of fine-tuning. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../../test/properties.ts';
import { seededRandom } from '../../../core/random.ts';
import { newSharedMatrix } from '../../../math/matrix.ts';
import { InferencePool } from '../../../onnx/pool.ts';
import type { Problem } from '../problem.ts';
import {
  baseFigures,
  type GateFigures,
  isBetter,
  isSound,
  spoiledText,
  verdictText,
  withoutAStep,
} from './exit-gate.ts';
import { isWorthTrying } from './fine-tuned-task.ts';

/** Of 60 labels, those from `first` on are wrong. */
const right = (first: number, loss: number) => ({
  correct: Uint8Array.from({ length: 60 }, (_, i) => Number(i < first)),
  loss,
});

test('fewer labels right are never kept, within one standard error the loss decides, beyond it the labels', () => {
  const frozen = right(50, 0.6);
  assert.ok(!isBetter(right(49, 0.5), frozen), 'one label fewer is chance, and not taken all the same');
  // One label more or less is one standard error.
  assert.ok(isBetter(right(50, 0.5), frozen));
  assert.ok(isBetter(right(51, 0.5), frozen));
  assert.ok(!isBetter(right(51, 0.7), frozen));
  assert.ok(!isBetter(right(45, 0.3), frozen));
  assert.ok(isBetter(right(55, 0.9), frozen), 'five labels more are more than chance');
  assert.ok(!isBetter(frozen, frozen), 'of equals the frozen one stays');
});

test('where every held-out label is right, only a depth that is named is tried', () => {
  const choices = ['auto', 'bias', 'last', 'all'] as const;
  const tried = (figures: GateFigures) => choices.filter((choice) => isWorthTrying(choice, figures));
  assert.deepEqual(tried(right(60, 0.1)), ['bias', 'last', 'all']);
  assert.deepEqual(tried(right(59, 0.1)), choices);
});

test('whatever the depths come to, one after the other, what is kept is never below the frozen embedder', () => {
  const figures = fc.record({
    correct: fc.uint8Array({ minLength: 40, maxLength: 40, max: 1 }),
    loss: fc.double({ min: 0, max: 3, noNaN: true }),
  });
  const rightIn = ({ correct }: GateFigures) => correct.reduce((sum, one) => sum + one, 0);
  fc.assert(
    fc.property(figures, fc.array(figures, { maxLength: 4 }), (frozen, depths) => {
      const kept = depths.reduce<GateFigures>((best, one) => (isBetter(one, best) ? one : best), frozen);
      return rightIn(kept) >= rightIn(frozen);
    }),
  );
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
  const frozen = await baseFigures(pool, problemWith(0.8), { seed: 0 });
  const foldFeatures = [problemWith(3).features, problemWith(3).features, problemWith(3).features];
  const soundWith = (apart: number) =>
    isSound(pool, { sample: { ...problemWith(apart), foldFeatures } }, frozen, { seed: 0 });
  assert.equal(await soundWith(3), true);
  assert.equal(await soundWith(0.8), true, 'the same vectors are as good as themselves');
  assert.equal(await soundWith(0), false);
});

test('the words on a depth have the figures that decided over it', () => {
  const frozen = right(50, 0.6);
  const text = (figures: GateFigures) => verdictText(figures, frozen, 'the embedder as it is');
  assert.equal(text(right(49, 0.5)), '49 held-out labels right, 50 with the embedder as it is');
  assert.match(text(right(51, 0.5)), /^51 .* and less loss \(0\.500 against 0\.600\)$/);
  assert.match(text(right(51, 0.7)), /no less loss \(0\.700 against 0\.600\)$/);
  assert.match(text(right(55, 0.9)), /more than one standard error apart$/);
});

test('a training that made no step is told from one that ended early', () => {
  const training = { training: 2, of: 4, accuracies: [], stopped: 'gradient not a number' as const };
  const early = { ...training, losses: [1, 2] };
  const idle = { ...training, training: 3, losses: [] };
  assert.equal(withoutAStep([early, idle]), idle);
  assert.equal(withoutAStep([early]), undefined);
  assert.equal(spoiledText(early), 'training 2 of 4 ended early, after 2 steps, since its gradient was no number');
  assert.equal(spoiledText(idle), 'training 3 of 4 made no step, since its gradient was no number');
});
