/** Against a search for the mode of the posterior on a fine grid, and against data whose share is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../core/random.ts';
import { chanceRight, type PriorShift, shareRight } from './prior-shift.ts';

/** log p(share | scores), up to a constant: a mixture's likelihood times a Beta(1 + strength·prior, 1 + strength·(1 − prior)). */
function logPosterior({ logRatios, counts, prior, strength }: PriorShift, share: number): number {
  let sum = strength * (prior * Math.log(share) + (1 - prior) * Math.log(1 - share));
  for (let i = 0; i < counts.length; i++) sum += counts[i] * Math.log(share * Math.exp(logRatios[i]) + 1 - share);
  return sum;
}

test('the share is the mode of its posterior', () => {
  const random = seededRandom(3, 'shares');
  for (let round = 0; round < 30; round++) {
    const bins = 2 + Math.floor(random() * 20);
    const shift: PriorShift = {
      logRatios: Array.from({ length: bins }, () => 8 * random() - 5),
      counts: Array.from({ length: bins }, () => Math.floor(random() * 40)),
      prior: 0.02 + 0.5 * random(),
      strength: 5 + 100 * random(),
    };
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let share = 0.0005; share < 1; share += 0.0005) {
      const value = logPosterior(shift, share);
      if (value > most) [best, most] = [share, value];
    }
    assert.ok(Math.abs(shareRight(shift) - best) < 0.002, `${shareRight(shift)} and ${best}`);
  }
});

test('a known share comes back, and with no scores the prior stays', () => {
  const random = seededRandom(5, 'mixture');
  for (const share of [0.01, 0.1, 0.5]) {
    // Scores from 0 to 1 with densities 2x of the right and 2(1 − x) of the wrong.
    const scores = Array.from({ length: 20_000 }, () => {
      const root = Math.sqrt(random());
      return random() < share ? root : 1 - root;
    });
    const logRatios = scores.map((x) => Math.log(x / (1 - x)));
    const found = shareRight({ logRatios, counts: scores.map(() => 1), prior: 0.3, strength: 1 });
    assert.ok(Math.abs(found - share) < 0.015, `${found} for ${share}`);
  }
  assert.equal(shareRight({ logRatios: [], counts: [], prior: 0.07, strength: 0 }), 0.07);
});

test('at even odds the chance is the share', () => {
  assert.equal(chanceRight(0, 0.3), 0.3);
  assert.ok(chanceRight(1e9, 0.3) > 0.999 && chanceRight(-1e9, 0.3) < 0.001);
});
