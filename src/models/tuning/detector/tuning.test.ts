/** A head for further classes: what it is taught, on a network with random weights whose head is known. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomTensor } from '../../../../test/random-tensor.ts';
import { Graph } from '../../../onnx/ops.ts';
import { InferencePool } from '../../../onnx/pool.ts';
import { Session } from '../../../onnx/session.ts';
import { float32, uint8 } from '../../../onnx/tensor.ts';
import type { DetectorEntry } from '../../bundle.ts';
import { composeModel, SINGLE } from '../../compose-model.ts';
import { heatmapLoss, heatmapTargets } from './heatmap.ts';
import { priorOf } from './row-prior.ts';
import { joinedPoints, type TaughtPoints } from './taught-points.ts';
import { tunableDetectorOf } from './tunable-detector.ts';
import { tuneDetector } from './tune-detector.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

const CHANNELS = 6;
const NAMES = Array.from({ length: 10 }, (_, i) => `c${i}`);
const SIDE = 32;

const ENTRY: DetectorEntry = {
  id: 'tiny',
  role: 'detector',
  licence: 'MIT',
  description: 'a tiny CenterNet',
  source: { files: [{ reference: 'file:tiny.onnx' }], converter: 'onnx' },
  input: {
    name: 'image',
    width: SIDE,
    height: SIDE,
    fit: 'letterbox',
    kernel: 'linear',
    pad: [0, 0, 0],
    scale: 1 / 255,
  },
  decoder: { kind: 'centernet', heatmap: 'heat', distances: 'sides', stride: 4 },
  classNames: NAMES,
};

function tinyCenterNet(): Uint8Array {
  const g = new Graph('tiny');
  const image = g.input('image', 'float32', [1, 3, SIDE, SIDE]);
  const map = g.relu(
    g.conv(image, g.constant(randomTensor([CHANNELS, 3, 4, 4], 'stem'), 'stem'), undefined, { strides: [4, 4] }),
  );
  const weights = g.constant(randomTensor([NAMES.length, CHANNELS, 1, 1], 'rows', 4), 'rows');
  const bias = g.constant(randomTensor([NAMES.length], 'bias'), 'bias');
  g.output(g.op('Conv', [map, weights, bias], {}, 'heat'), 'heat');
  const sides = g.constant(randomTensor([4, CHANNELS, 1, 1], 'sides', 9), 'side-rows');
  g.output(g.op('Abs', [g.conv(map, sides)], {}, 'sides'), 'sides');
  return g.toModel();
}

const PIXELS = uint8(
  Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 7919) % 256),
  [1, SIDE, SIDE, 3],
);

async function detections(entry: DetectorEntry, network: Uint8Array) {
  const session = await Session.create(composeModel(entry, network, SINGLE));
  const { boxes, scores, classes } = await session.run({ pixels: PIXELS });
  await session.close();
  const numbers = (value: typeof boxes) => Array.from(value?.data ?? [], Number);
  const [corners, likely] = [numbers(boxes), numbers(scores)];
  return numbers(classes).map((one, i) => ({
    class: entry.classNames[one] ?? '',
    score: likely[i],
    box: corners.slice(4 * i, 4 * i + 4),
  }));
}

test('what is found of the classes that there were does not change by a bit; classes taught anew are gone', async () => {
  const whole = await detections(ENTRY, tinyCenterNet());
  assert.ok(whole.length > 20);
  const anew = ['c3', 'c7'];
  const detector = tunableDetectorOf(ENTRY, tinyCenterNet(), anew);
  const never = { weights: new Float32Array(2 * CHANNELS), bias: Float32Array.of(-20, -20) };
  const { entry, network } = detector.withClasses('more', ['c3', 'new'], never);
  assert.deepEqual(entry.classNames, [...NAMES.filter((name) => !anew.includes(name)), 'c3', 'new']);
  const found = await detections({ ...entry, source: ENTRY.source }, network);
  assert.deepEqual(
    found,
    whole.filter((one) => !anew.includes(one.class)),
  );
});

test('the map and its best logit are what the head takes and gives', async () => {
  const { below, head, channels } = tunableDetectorOf(ENTRY, tinyCenterNet(), ['c0']);
  const session = await Session.create(below);
  const { map, best } = await session.run({ pixels: PIXELS });
  await session.close();
  const [values, most] = [map?.data as Float32Array, best?.data as Float32Array];
  const places = most.length;
  assert.equal(head.bias.length, NAMES.length - 1);
  for (let place = 0; place < places; place++) {
    const logits = Array.from(head.bias, (bias, c) => {
      let sum = bias;
      for (let i = 0; i < channels; i++) sum += head.weights[c * channels + i] * values[i * places + place];
      return sum;
    });
    assert.ok(Math.abs(Math.max(...logits) - most[place]) < 1e-4);
  }
});

test('another kind of head, and a head of too few classes, are refused by name', () => {
  const other = { ...ENTRY, decoder: { kind: 'yolox', output: 'heat', strides: [8], boxes: 'cells' } as const };
  assert.throws(() => tunableDetectorOf(other, tinyCenterNet()), /cannot be added to tiny: it is read as yolox/);
  assert.throws(() => tunableDetectorOf(ENTRY, tinyCenterNet(), NAMES.slice(3)), /it would know 3 classes/);
});

// Objects as Points, equation 1: 1 at the middle; (1 − Y)^4 around it, with Y of the Gaussian; crowds count for nothing.
test('heatmap targets: the middle, the Gaussian around it, a crowd', () => {
  const shape = { classes: 2, rows: 8, columns: 8, stride: 4 };
  const { objects, background, count } = heatmapTargets(
    [
      { box: [4, 8, 20, 24], class: 1, crowd: false },
      { box: [0, 0, 8, 8], class: 0, crowd: true },
    ],
    shape,
  );
  assert.equal(count, 1);
  // The middle (12, 16) is the point (3, 4); the box has 4 points a side, so the Gaussian reaches 1 and has σ = 1/2.
  const at = (c: number, y: number, x: number) => c * 64 + y * 8 + x;
  assert.deepEqual(
    [...objects.entries()].filter(([, value]) => value !== 0),
    [[at(1, 4, 3), 1]],
  );
  assert.equal(background[at(1, 4, 3)], 0);
  assert.ok(Math.abs(background[at(1, 4, 4)] - (1 - Math.exp(-2)) ** 4) < 1e-6);
  assert.ok(Math.abs(background[at(1, 5, 4)] - (1 - Math.exp(-4)) ** 4) < 1e-6);
  assert.equal(background[at(1, 4, 5)], 1);
  assert.equal(background[at(0, 1, 1)], 0);
  assert.equal(background[at(0, 4, 4)], 1);
});

test('the loss is that of the formula', async () => {
  const g = new Graph('loss');
  const [logits, objects, background] = ['l', 'o', 'b'].map((name) => g.input(name, 'float32', [2, 2]));
  g.output(heatmapLoss(g, logits, objects, background), 'loss');
  const session = await Session.create(g.toModel());
  const [l, o, b] = [
    [-2, 0.5, 3, -0.1],
    [1, 0, 1, 0],
    [0, 0.4, 0, 1],
  ];
  const { loss } = await session.run({ l: float32(l, [2, 2]), o: float32(o, [2, 2]), b: float32(b, [2, 2]) });
  await session.close();
  const expected = l.reduce((sum, z, i) => {
    const p = 1 / (1 + Math.exp(-z));
    return sum - o[i] * (1 - p) ** 2 * Math.log(p) - b[i] * p ** 2 * Math.log(1 - p);
  }, 0);
  assert.ok(Math.abs(Number(loss?.data[0]) - expected) < 1e-5);
});

test('the prior is the normal distribution of the rows: its mean, and a covariance of full rank', () => {
  const weights = randomTensor([NAMES.length, CHANNELS], 'prior').data as Float32Array;
  const { mean, factor } = priorOf({ weights, bias: new Float32Array(NAMES.length) });
  const column = (i: number) => NAMES.map((_, c) => weights[c * CHANNELS + i] - mean[i]);
  for (let i = 0; i < CHANNELS; i++) {
    assert.ok(Math.abs(column(i).reduce((a, b) => a + b, 0)) < 1e-5);
    for (let j = 0; j < i; j++) {
      // Off the diagonal, four fifths of the rows' own covariance.
      const own = column(i).reduce((sum, one, c) => sum + (one * (column(j)[c] ?? 0)) / NAMES.length, 0);
      let ours = 0;
      for (let k = 0; k < CHANNELS; k++) ours += factor[i * CHANNELS + k] * factor[j * CHANNELS + k];
      assert.ok(Math.abs(ours - 0.8 * own) < 1e-5, `${i}, ${j}`);
    }
  }
});

/** Points of which an object is where a hidden row says so. */
function pointsOf(row: readonly number[], count: number, stream: string): TaughtPoints {
  const features = randomTensor([count, CHANNELS], stream).data as Float32Array;
  const objects = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let sum = -1;
    for (let c = 0; c < CHANNELS; c++) sum += row[c] * features[i * CHANNELS + c];
    objects[i] = Number(sum > 0);
  }
  return { features, objects, background: objects.map((one) => 1 - one) };
}

test('a point where an object is counts as three where none is', async () => {
  const { head } = tunableDetectorOf(ENTRY, tinyCenterNet());
  // Without features the bias alone is learned, and it has no prior: where the formula's slope is 0, found by halving.
  const [objects, others] = [5, 400];
  const slopeAt = (z: number) => {
    const loss = (logit: number) => {
      const p = 1 / (1 + Math.exp(-logit));
      return -3 * objects * (1 - p) ** 2 * Math.log(p) - others * p ** 2 * Math.log(1 - p);
    };
    return loss(z + 1e-4) - loss(z - 1e-4);
  };
  let [low, high] = [-10, 10];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (slopeAt(middle) > 0) high = middle;
    else low = middle;
  }
  const count = objects + others;
  const isObject = Float32Array.from({ length: count }, (_, i) => Number(i < objects));
  const points = {
    features: new Float32Array(count * CHANNELS),
    objects: isObject,
    background: isObject.map((one) => 1 - one),
  };
  const { head: taught } = await tuneDetector(pool, head, points, { classes: 1 });
  assert.ok(Math.abs(taught.bias[0] - low) < 0.02, `${taught.bias[0]}, not ${low}`);
});

test('a class is learned from its points, the same with any number of threads and points apart', async () => {
  const { head } = tunableDetectorOf(ENTRY, tinyCenterNet());
  const row = [3, -2, 0, 1, 0, 2];
  const [one, two] = [pointsOf(row, 500, 'one'), pointsOf(row, 300, 'two')];
  const { head: taught, losses } = await tuneDetector(pool, head, joinedPoints([one, two]), { classes: 1 });
  assert.ok((losses.at(-1) ?? 1) < 0.3 * (losses[0] ?? 0), `${losses[0]} to ${losses.at(-1)}`);
  const test = pointsOf(row, 1000, 'test');
  let right = 0;
  for (const [i, truth] of test.objects.entries()) {
    let logit = taught.bias[0];
    for (let c = 0; c < CHANNELS; c++) logit += taught.weights[c] * test.features[i * CHANNELS + c];
    right += Number(logit > 0 === (truth === 1));
  }
  assert.ok(right > 930, `${right} of 1000`);
  const single = await InferencePool.create({ threads: 1 });
  const again = await tuneDetector(single, head, joinedPoints([one, two]), { classes: 1 });
  await single.close();
  assert.deepEqual(again.head, taught);
});
