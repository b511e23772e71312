/**
 * The estimator's promise is its coverage, so it is checked on simulated piles whose truth is known, with confidences that
 * are right, too high and too low; the plain figures against numpy.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../core/random.ts';
import { type PileAccuracy, pileAccuracy } from './pile-accuracy.ts';

/** A pile whose items are right with chance c^power where c is what the machine claims. */
function simulated(random: Random, power: number, count: number): { found: PileAccuracy; truth: number } {
  const items = Array.from({ length: 800 }, () => {
    const confidence = 0.3 + 0.7 * random();
    return { confidence, correct: Number(random() < confidence ** power) };
  });
  const known = items.splice(0, count);
  const found = pileAccuracy(
    items.map(({ confidence }) => confidence),
    {
      confidence: known.map(({ confidence }) => confidence),
      correct: known.map(({ correct }) => correct),
      drawn: 'random',
    },
  );
  assert.ok(found);
  return { found, truth: items.reduce((sum, { correct }) => sum + correct, 0) / items.length };
}

for (const [what, power] of [
  ['right', 1],
  ['too high', 2.5],
  ['too low', 0.4],
] as const) {
  test(`confidences that are ${what}: at least 92 of 100 intervals hold the truth, at 20 and at 100 known items`, () => {
    const random = seededRandom(7, what);
    for (const count of [20, 100]) {
      let inside = 0;
      for (let i = 0; i < 1000; i++) {
        const { found, truth } = simulated(random, power, count);
        const [low, high] = found.interval;
        if (low <= truth && truth <= high) inside++;
      }
      assert.ok(inside / 1000 >= 0.92, `${inside} of 1000 with ${count}`);
    }
  });
}

test('good confidences make the interval narrower than the known items alone', () => {
  const { found } = simulated(seededRandom(1), 1, 60);
  const width = found.interval[1] - found.interval[0];
  assert.ok(width < 2 * 1.96 * Math.sqrt(0.25 / 60));
});

test('picked items leave more room above; nothing known or asked gives nothing', () => {
  const known = { confidence: [0.9, 0.5], correct: [1, 0] };
  const random = pileAccuracy([0.5, 0.6], { ...known, drawn: 'random' });
  const picked = pileAccuracy([0.5, 0.6], { ...known, drawn: 'picked' });
  // numpy: .55 + (2 / 4) * mean([.1, -.5]) = .45
  assert.ok(random && picked && Math.abs(random.accuracy - 0.45) < 1e-12);
  assert.ok(picked.interval[1] >= random.interval[1] && picked.interval[0] === random.interval[0]);
  assert.equal(pileAccuracy([], { ...known, drawn: 'random' }), null);
  assert.equal(pileAccuracy([0.5], { confidence: [], correct: [], drawn: 'random' }), null);
});
