/**
 * The estimator's promise is its coverage, so it is checked on simulated piles whose truth is known, with confidences that
 * are right, too high and too low; the plain figures against numpy.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../core/random.ts';
import { type PileAccuracy, pileAccuracy, pileConfidence } from './pile-accuracy.ts';

type Drawn = 'audit' | 'random' | 'picked';

/** A pile whose items are right with chance c^power where c is what the machine claims. */
function simulated(
  random: Random,
  { power, count, drawn }: { readonly power: number; readonly count: number; readonly drawn: Drawn },
): { found: PileAccuracy; truth: number } {
  const items = Array.from({ length: 800 }, () => {
    const confidence = 0.3 + 0.7 * random();
    return { confidence, correct: Number(random() < confidence ** power) };
  });
  const known = items.splice(0, count);
  const found = pileAccuracy(pileConfidence(items.map(({ confidence }) => confidence)), {
    confidence: known.map(({ confidence }) => confidence),
    correct: known.map(({ correct }) => correct),
    drawn,
  });
  assert.ok(found);
  return { found, truth: items.reduce((sum, { correct }) => sum + correct, 0) / items.length };
}

for (const [what, power, least] of [
  ['right', 1, 0.95],
  ['somewhat too high', 1.4, 0.92],
  ['somewhat too low', 0.75, 0.92],
  // Out by 20 points, which no calibrated confidence was: few items are not enough to tell.
  ['far too high', 2.5, 0.8],
  ['far too low', 0.4, 0.8],
] as const) {
  test(`confidences that are ${what}: ${100 * least} of 100 intervals hold the truth, at 20 and at 100 known items`, () => {
    const random = seededRandom(7, what);
    for (const drawn of ['audit', 'random'] as const) {
      for (const count of [20, 100]) {
        let inside = 0;
        for (let i = 0; i < 1000; i++) {
          const { found, truth } = simulated(random, { power, count, drawn });
          const [low, high] = found.interval;
          if (low <= truth && truth <= high) inside++;
        }
        assert.ok(inside / 1000 >= least, `${inside} of 1000 with ${count}, ${drawn}`);
      }
    }
  });
}

test('good confidences make the interval narrower than the known items alone', () => {
  const random = seededRandom(1);
  const width = (count: number) => {
    const { interval } = simulated(random, { power: 1, count, drawn: 'audit' }).found;
    return interval[1] - interval[0];
  };
  assert.ok(width(60) < 2 * 1.96 * Math.sqrt(0.25 / 60));
  assert.ok(width(400) < width(60) / 1.5);
});

test('by hand: the estimate, the widths by how items came to be known; nothing asked gives nothing', () => {
  const known = { confidence: [0.9, 0.5], correct: [1, 0] };
  const [audit, random, picked] = (['audit', 'random', 'picked'] as const).map((drawn) => {
    const found = pileAccuracy(pileConfidence([0.5, 0.6]), { ...known, drawn });
    assert.ok(found);
    return found;
  });
  // numpy: s = .55 + (n / (n + 15)) * mean([.1, -.5]) with n = 2 and 2 / 1.5; i = 1 / (1 / (n + 15) + 1 / 2);
  // (s * i + .5) / (i + 1)
  assert.ok(Math.abs(audit.accuracy - 0.5169811320754717) < 1e-12);
  assert.ok(Math.abs(random.accuracy - 0.5215686274509804) < 1e-12);
  assert.ok(picked.interval[0] < random.interval[0] && picked.interval[1] > random.interval[1]);
  assert.equal(pileAccuracy(pileConfidence([]), { ...known, drawn: 'random' }), null);
  const unknown = pileAccuracy(pileConfidence([0.5, 0.7]), { confidence: [], correct: [], drawn: 'random' });
  // Wilson, statsmodels: 9 of 15, and two items of chance of their own make 15 a little fewer.
  assert.ok(unknown && Math.abs(unknown.accuracy - 0.5638297872340425) < 1e-12 && unknown.count === 0);
  assert.ok(unknown.interval[0] < 0.357 && unknown.interval[1] > 0.802);
});

test('where all known items are wrong, confidences count for little', () => {
  const pile = pileConfidence(Array<number>(500).fill(0.95));
  const found = pileAccuracy(pile, { confidence: Array(40).fill(0.95), correct: Array(40).fill(0), drawn: 'random' });
  assert.ok(found && found.accuracy < 0.07, `${found?.accuracy}`);
});
