/** What the runs of a step hold: images of one colour each, so that what was mixed can be read from the pixels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneHot } from '../../math/heads/linear-head.ts';
import type { MicroBatch } from '../../math/training/train.ts';
import { type BatchOptions, batches, ITEMS_A_RUN, type TuningSet } from './batches.ts';

const [IMAGES, SIDE, CLASSES] = [6, 8, 3];
const SIZE = SIDE * SIDE * 3;
const LABELS = Int32Array.from({ length: IMAGES }, (_, i) => i % CLASSES);

/** Image i has the value 40 · i everywhere; the last one counts half. */
function setOfColours(): TuningSet {
  const values = new Uint8Array(new SharedArrayBuffer(IMAGES * SIZE)).map((_, at) => 40 * Math.floor(at / SIZE));
  return {
    cut: { value: 'input', shape: [3, SIDE, SIDE], trainables: [] },
    values,
    pixels: { scale: 1 / 255 },
    views: 1,
    classes: CLASSES,
    targets: oneHot(LABELS, CLASSES).data,
    weights: Float32Array.of(1, 1, 1, 1, 1, 0.5),
  };
}

function runOf(changes: Partial<BatchOptions>, step = 0): MicroBatch {
  const [run] = batches(setOfColours(), { seed: 1, stepsAnEpoch: 1, ...changes })(step);
  assert.ok(run);
  return run;
}

const numbers = (run: MicroBatch, name: string) => Array.from(run.feeds[name]?.data ?? [], Number);

/** Of each place: its target, its weight and the colours of its pixels. */
function placesOf(run: MicroBatch) {
  const [x, targets, weights] = ['x', 'targets', 'weights'].map((name) => numbers(run, name));
  return Array.from({ length: IMAGES }, (_, i) => ({
    target: (targets ?? []).slice(i * CLASSES, (i + 1) * CLASSES),
    weight: weights?.[i] ?? 0,
    colours: (x ?? []).slice(i * SIZE, (i + 1) * SIZE),
  }));
}

const near = (one: number, other: number, within: number) =>
  assert.ok(Math.abs(one - other) <= within, `${one}, ${other}`);

test('without mixing each place has its image, target and weight; places beyond the last weigh nothing', () => {
  const run = runOf({});
  const places = placesOf(run);
  for (const { target, weight, colours } of places) {
    const image = (colours[0] ?? 0) / 40;
    assert.ok(colours.every((one) => one === 40 * image));
    assert.equal(target.indexOf(1), LABELS[image]);
    assert.equal(weight, image === 5 ? 0.5 : 1);
  }
  assert.deepEqual(numbers(run, 'weights').slice(IMAGES), new Array(ITEMS_A_RUN - IMAGES).fill(0));
  // They hold the first image: one of zeros may have no gradient.
  const x = numbers(run, 'x');
  for (let place = IMAGES; place < ITEMS_A_RUN; place++)
    assert.deepEqual(x.slice(place * SIZE, (place + 1) * SIZE), x.slice(0, SIZE));
  assert.equal(run.weight, 5.5);
});

for (const mixing of ['mixup', 'cutmix'] as const) {
  test(`${mixing}: a target has as much of each image as its pixels have, by what the two count`, () => {
    const plain = placesOf(runOf({}));
    let changed = 0;
    for (const [i, { target, weight, colours }] of placesOf(runOf({ mixing })).entries()) {
      const [one, other] = [plain[i], plain[(i + 1) % IMAGES]];
      assert.ok(one && other);
      const [a, b] = [one.colours[0] ?? 0, other.colours[0] ?? 0];
      const mean = colours.reduce((sum, colour) => sum + colour, 0) / colours.length;
      const share = (mean - b) / (a - b);
      if (share < 0.999) changed++;
      // A pixel's value is a whole number.
      const within = 0.6 / Math.abs(a - b);
      near(weight, share * one.weight + (1 - share) * other.weight, within);
      for (const [c, value] of target.entries()) {
        const own = share * one.weight * (one.target[c] ?? 0);
        const others = (1 - share) * other.weight * (other.target[c] ?? 0);
        near(value, (own + others) / weight, 3 * within);
      }
      if (mixing === 'cutmix') assert.ok(colours.every((colour) => colour === a || colour === b));
    }
    assert.ok(changed > 0);
  });

  test(`${mixing}: a step is the same each time it is asked for, and another step another`, () => {
    assert.deepEqual(placesOf(runOf({ mixing }, 3)), placesOf(runOf({ mixing }, 3)));
    assert.notDeepEqual(placesOf(runOf({ mixing }, 3)), placesOf(runOf({ mixing }, 4)));
  });
}

test('values that are no pixels are thinned, and cannot be cut into', () => {
  const { cut, ...set } = setOfColours();
  const floats = { ...set, cut: { ...cut, shape: [SIZE] }, pixels: undefined, values: Float32Array.from(set.values) };
  const options = { seed: 1, stepsAnEpoch: 1 };
  assert.equal(batches(floats, { ...options, mixing: 'mixup' })(0).length, 1);
  assert.throws(() => batches(floats, { ...options, mixing: 'cutmix' })(0), /only pixels can be cut into/);
});

test('smoothing spreads its share over all classes', () => {
  for (const { target } of placesOf(runOf({ smoothing: 0.3 }))) {
    assert.deepEqual(
      [...target].sort((a, b) => a - b).map((one) => Math.round(100 * one)),
      [10, 10, 80],
    );
  }
});
