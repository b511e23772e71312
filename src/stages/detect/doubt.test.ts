/** Which classes are believed, on candidates whose right share is known because they were made with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { DEFAULT_ACCEPT_RULES } from '../../corpus/accept.ts';
import { certaintyOf, classDoubts, rulesInDoubt, ScoreHistograms } from './doubt.ts';

/** Of right and wrong candidates with logits that are normal about 0.5 and −2.5, with deviation 1, and one right in five. */
const ODDS = { slope: 3, intercept: 3 - Math.log(4), share: 0.2 };

function made(classes: readonly { readonly right: number; readonly wrong: number }[]): ScoreHistograms {
  const random = seededRandom(11, 'scores');
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const scoreAbout = (centre: number) => 1 / (1 + Math.exp(-(centre + normal())));
  const histograms = new ScoreHistograms();
  for (const [index, { right, wrong }] of classes.entries()) {
    const scores = [
      ...Array.from({ length: right }, () => scoreAbout(0.5)),
      ...Array.from({ length: wrong }, () => scoreAbout(-2.5)),
    ].filter((score) => score >= 0.05);
    const count = scores.length;
    histograms.add(
      {
        count,
        boxes: new Float32Array(4 * count),
        scores: Float32Array.from(scores),
        classes: new Int32Array(count).fill(index),
      },
      (at) => ['dog', 'clock', 'cup', 'bus'][at],
    );
  }
  return histograms;
}

test('what is there is believed, and noise over the threshold is not', () => {
  const doubts = classDoubts(
    made([
      { right: 60, wrong: 300 },
      { right: 0, wrong: 3000 },
    ]),
    ODDS,
  );
  const [clock, dog] = doubts;
  assert.deepEqual(
    doubts.map(({ name }) => name),
    ['clock', 'dog'],
  );
  assert.equal(dog.threshold, 0.3);
  assert.equal(certaintyOf(dog), 'surely');
  assert.ok(Math.abs(dog.share - 60 / 330) < 0.08, `${dog.share}`);
  assert.ok(clock.threshold > 0.4, `${clock.threshold}`);
  assert.ok(clock.doubtful > 3 * clock.regions, `${clock.doubtful} and ${clock.regions}`);
  assert.ok(clock.share < 0.03, `${clock.share}`);
});

test('a class with few candidates is judged by the pile, and a pile with few by what is usual', () => {
  const few = { right: 1, wrong: 6 };
  const [alone] = classDoubts(made([few]), ODDS);
  assert.equal(alone?.threshold, 0.3, 'nothing speaks against what is usual');
  const amongNoise = classDoubts(made([few, { right: 0, wrong: 6000 }]), ODDS);
  assert.ok((amongNoise.find(({ name }) => name === 'dog')?.threshold ?? 0) > 0.3, 'in a pile of noise it takes more');
});

test('no candidate, no doubt; what somebody said of a class stays', () => {
  assert.deepEqual(classDoubts(new ScoreHistograms(), ODDS), []);
  const doubts = classDoubts(made([{ right: 0, wrong: 3000 }]), ODDS);
  const rules = rulesInDoubt(DEFAULT_ACCEPT_RULES, doubts);
  assert.deepEqual(Object.keys(rules.classThresholds), ['dog']);
  const own = { ...DEFAULT_ACCEPT_RULES, classThresholds: { dog: 0.35 } };
  assert.deepEqual(rulesInDoubt(own, doubts).classThresholds, { dog: 0.35 });
  assert.equal(rulesInDoubt(DEFAULT_ACCEPT_RULES, []), DEFAULT_ACCEPT_RULES);
});
