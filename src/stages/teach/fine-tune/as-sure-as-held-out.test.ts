/** Two classes, so that a softened probability is known by hand: its log odds divided by the factor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrix } from '../../../math/matrix.ts';
import { asSureAsHeldOut } from './as-sure-as-held-out.ts';

const rowsOf = (...largest: readonly number[]) =>
  matrix(Float32Array.from(largest.flatMap((one) => [one, 1 - one])), largest.length, 2);
/** Row 0 is labelled, and was .75 while it was held out; the network is .9 sure of the others. */
const LEARNED = {
  probabilities: rowsOf(0.75, 0.9, 0.9),
  heldOut: {
    logits: matrix(Float32Array.of(Math.log(3), 0), 1, 2),
    places: [0],
    correct: Uint8Array.of(1),
    accuracy: 1,
    loss: 0,
  },
  temperature: 0.5,
  restTemperature: 1,
};
const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? 0) - expected) < 1e-5, `${actual} for ${expected}`);

test('as sure of what it was trained on as the folds are of what they never saw', () => {
  const { probabilities, heldOut, temperature, restTemperature } = asSureAsHeldOut(
    LEARNED,
    Int32Array.of(0),
    rowsOf(0.6, 0.6, 0.6),
  );
  // ln 9 / ln 3
  near(restTemperature, 2);
  near(temperature, 1);
  for (const row of [0, 1, 2]) near(probabilities.data[2 * row], 0.75);
  near(heldOut.logits.data[0] / restTemperature, Math.log(3));
});

test('less of images that the frozen embedder is less sure of, and never surer than it was', () => {
  const harder = asSureAsHeldOut(LEARNED, Int32Array.of(0), rowsOf(0.8, 0.7, 0.6));
  near(harder.probabilities.data[2], 0.6);
  near(harder.probabilities.data[0], 0.75);
  assert.equal(asSureAsHeldOut(LEARNED, Int32Array.of(0), rowsOf(0.6, 0.8, 0.8)), LEARNED);
  assert.equal(
    asSureAsHeldOut(LEARNED, Int32Array.of(0, 1, 2), rowsOf(0.6, 0.6, 0.6)),
    LEARNED,
    'nothing is left to be labelled',
  );
});
