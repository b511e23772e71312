import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../core/random.ts';
import { clopperPearson, type StratumSample, stratifiedInterval } from './interval.ts';

// scipy.stats.binomtest(x, n).proportion_ci(0.95, method='exact'), SciPy 1.10.1.
const EXACT: readonly (readonly [right: number, checked: number, low: number, high: number])[] = [
  [0, 10, 0.0, 0.30849710781876294],
  [10, 10, 0.6915028921812371, 1.0],
  [1, 20, 0.0012650894979560337, 0.24873276277202772],
  [7, 15, 0.21266672951931515, 0.7341386527226034],
  [181, 200, 0.8556233600231474, 0.9418303902748808],
  [199, 200, 0.9724581015424416, 0.9998734189719902],
  [950, 1000, 0.9346095120845064, 0.9626646023953394],
  [99990, 100000, 0.9998161041546235, 0.9999520451048671],
];

test('Clopper and Pearson’s bounds are those of SciPy', () => {
  for (const [right, checked, low, high] of EXACT) {
    const bounds = clopperPearson(right, checked);
    assert.ok(Math.abs(bounds.low - low) < 1e-9, `${right} of ${checked}: ${bounds.low}, not ${low}`);
    assert.ok(Math.abs(bounds.high - high) < 1e-9, `${right} of ${checked}: ${bounds.high}, not ${high}`);
  }
});

test('the estimate weighs strata by what there is, not by what was looked at', () => {
  const found = stratifiedInterval([
    { population: 900, checked: 50, right: 50 },
    { population: 100, checked: 50, right: 25 },
  ]);
  assert.ok(Math.abs((found?.estimate ?? 0) - 0.95) < 1e-12);
  assert.ok((found?.low ?? 1) < 0.95 && (found?.high ?? 0) > 0.95 && (found?.high ?? 1) < 1);
});

test('all looked at leaves no doubt, nothing looked at says nothing', () => {
  assert.deepEqual(stratifiedInterval([{ population: 8, checked: 8, right: 6 }]), {
    estimate: 0.75,
    low: 0.75,
    high: 0.75,
  });
  assert.equal(stratifiedInterval([{ population: 8, checked: 0, right: 0 }]), null);
});

test('one stratum of a large population is Clopper and Pearson but for n − 1', () => {
  const found = stratifiedInterval([{ population: 1e9, checked: 201, right: 181 }]);
  const plain = clopperPearson((181 / 201) * 200, 200);
  assert.ok(Math.abs((found?.low ?? 0) - plain.low) < 1e-6 && Math.abs((found?.high ?? 0) - plain.high) < 1e-6);
});

/** Strata with their share of right labels. */
const WORLDS: readonly {
  readonly name: string;
  readonly strata: readonly (readonly [number, number])[];
  readonly n: number;
}[] = [
  {
    name: 'confidence means what it says',
    strata: [0.35, 0.5, 0.7, 0.85, 0.97].map((p) => [2000, p] as const),
    n: 200,
  },
  { name: 'a small audit', strata: [0.35, 0.5, 0.7, 0.85, 0.97].map((p) => [2000, p] as const), n: 50 },
  { name: 'nearly all right', strata: [0.85, 0.92, 0.97, 0.99, 1].map((p) => [2000, p] as const), n: 200 },
  { name: 'hardly a mistake', strata: [0.95, 0.98, 0.99, 1, 1].map((p) => [2000, p] as const), n: 100 },
  { name: 'confidence says nothing', strata: [0.5, 0.5, 0.5, 0.5, 0.5].map((p) => [2000, p] as const), n: 200 },
  { name: 'nearly all wrong', strata: [0.02, 0.05, 0.1, 0.2, 0.3].map((p) => [2000, p] as const), n: 100 },
  { name: 'confidence tells right from wrong', strata: [0.05, 0.2, 0.9, 1, 1].map((p) => [2000, p] as const), n: 200 },
  { name: 'a third of everything', strata: [0.4, 0.6, 0.8, 0.9, 1].map((p) => [60, p] as const), n: 100 },
  { name: 'a class with few answers', strata: [0.4, 0.6, 0.8, 0.9, 1].map((p) => [30, p] as const), n: 15 },
];
const AUDITS = 1500;

for (const { name, strata, n } of WORLDS) {
  test(`of ${AUDITS} audits, 93 in 100 or more hold the truth: ${name}`, (t) => {
    const random = seededRandom(7, name);
    const total = strata.reduce((sum, [population]) => sum + population, 0);
    const truth = strata.reduce((sum, [population, p]) => sum + Math.round(population * p), 0) / total;
    let [held, width, estimates] = [0, 0, 0];
    for (let i = 0; i < AUDITS; i++) {
      const found = stratifiedInterval(
        strata.map(([population, p]) => draw(random, population, p, (n * population) / total)),
      );
      assert.ok(found);
      if (found.low <= truth && truth <= found.high) held++;
      width += found.high - found.low;
      estimates += found.estimate;
    }
    t.diagnostic(
      `holds ${((100 * held) / AUDITS).toFixed(1)} %, mean width ${((100 * width) / AUDITS).toFixed(1)} points`,
    );
    assert.ok(held / AUDITS >= 0.93, `${held} of ${AUDITS}`);
    assert.ok(held / AUDITS <= 0.995, `${held} of ${AUDITS}: needlessly wide`);
    assert.ok(Math.abs(estimates / AUDITS - truth) < 0.01, 'the estimate is not biased');
  });
}

/** `checked` items without replacement, of which those of the first `p` of the population are right. */
function draw(random: Random, population: number, p: number, share: number): StratumSample {
  const checked = Math.round(share);
  let [good, right] = [Math.round(population * p), 0];
  for (let i = 0; i < checked; i++) {
    if (random() * (population - i) >= good) continue;
    good--;
    right++;
  }
  return { population, checked, right };
}
