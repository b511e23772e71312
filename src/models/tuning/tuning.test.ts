/** Tuning on a small network with random weights: what can be cut and trained, and what training makes of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomTensor } from '../../../test/random-tensor.ts';
import { seededRandom } from '../../core/random.ts';
import { oneHot } from '../../math/heads/linear-head.ts';
import { matrix } from '../../math/matrix.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { decodeModel, encodeModel, type ModelProto } from '../../onnx/proto.ts';
import { Session, type Tensors } from '../../onnx/session.ts';
import { float32, int32, sizeOf, tensor, uint8 } from '../../onnx/tensor.ts';
import type { TuningSet } from './batches.ts';
import { floatNetwork } from './float-network.ts';
import { graphBelow, reachOf, stepGraph } from './training-graph.ts';
import { type Cut, parametersOf, type TunableNetwork, tunableNetwork, withParameters } from './tunable-network.ts';
import { averaged, marginsOf, type TuneOptions, tuneNetwork } from './tune.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

const SIDE = 8;
const PORTS = { input: 'input', inputShape: [3, SIDE, SIDE], features: 'features', dimensions: 6 };

/** A stem, a block with a way round it, a last convolution, a pool. */
function smallNetwork(): ModelProto {
  const g = new Graph('small');
  const conv = (x: ReturnType<Graph['value']>, name: string, dims: readonly number[], group = 1) => {
    const half = ((dims[2] ?? 1) - 1) / 2;
    const weights = g.constant(randomTensor(dims, name), `${name}.weight`);
    const bias = g.constant(randomTensor([dims[0] ?? 1], `${name}b`), `${name}.bias`);
    return g.conv(x, weights, bias, { pads: [half, half, half, half], group, name });
  };
  const stem = g.relu(conv(g.input('input', 'float32', ['n', 3, SIDE, SIDE]), 'stem', [4, 3, 3, 3]));
  const inner = g.hardSwish(conv(stem, 'depthwise', [4, 1, 3, 3], 4));
  const sum = g.op('Add', [conv(inner, 'project', [4, 4, 1, 1]), stem], {}, 'block');
  const last = g.hardSwish(conv(sum, 'last', [6, 4, 1, 1]));
  g.output(g.op('Flatten', [g.globalAveragePool(last)], { axis: 1 }, 'features'));
  return decodeModel(g.toModel());
}

test('a network is cut where one value holds everything, and what stands behind can be trained', () => {
  const { cuts, model } = tunableNetwork(smallNetwork(), PORTS);
  const summary = cuts.map(({ value, shape, trainables }) => [value, shape, trainables.length]);
  assert.deepEqual(summary, [
    ['input', [3, SIDE, SIDE], 8],
    ['stem', [4, SIDE, SIDE], 6],
    ['Relu_0', [4, SIDE, SIDE], 6],
    ['block', [4, SIDE, SIDE], 2],
  ]);
  assert.deepEqual(
    cuts.at(-1)?.trainables.map(({ name, kind }) => [name, kind]),
    [
      ['last.weight', 'weight'],
      ['last.bias', 'bias'],
    ],
  );
  assert.equal(model.graph?.output?.[0]?.name, 'features');
});

async function featuresOf(model: ModelProto, pixels: Uint8Array, images: number): Promise<Float32Array> {
  const session = await Session.create(encodeModel(model));
  const planes = new Float32Array(pixels.length);
  const area = SIDE * SIDE;
  for (let i = 0; i < pixels.length; i++) {
    const [image, place, channel] = [Math.floor(i / (3 * area)), Math.floor(i / 3) % area, i % 3];
    planes[(image * 3 + channel) * area + place] = (pixels[i] ?? 0) / 255;
  }
  const { features } = await session.run({ input: float32(planes, [images, 3, SIDE, SIDE]) });
  await session.close();
  return Float32Array.from(features?.data ?? [], Number);
}

const IMAGES = 24;
const CLASSES = 2;
const LABELS = Int32Array.from({ length: IMAGES }, (_, i) => i % CLASSES);

/** Stripes that lie or stand, of any brightness: no mean of pixels tells them apart. */
function stripes(): Uint8Array {
  const next = seededRandom(1, 'stripes');
  const pixels = new Uint8Array(new SharedArrayBuffer(IMAGES * SIDE * SIDE * 3));
  for (let image = 0; image < IMAGES; image++) {
    const [low, high, phase] = [80 * next(), 120 + 130 * next(), Math.floor(2 * next())];
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const bright = ((LABELS[image] === 0 ? x : y) + phase) % 2 === 0;
        pixels.fill(bright ? high : low, ((image * SIDE + y) * SIDE + x) * 3, ((image * SIDE + y) * SIDE + x + 1) * 3);
      }
    }
  }
  return pixels;
}

const PIXELS = { scale: 1 / 255 };
const HEAD = {
  weights: matrix(new Float32Array(CLASSES * PORTS.dimensions), CLASSES, PORTS.dimensions),
  bias: new Float32Array(CLASSES),
};
const OPTIONS: TuneOptions = { trains: 'all', samples: 600, learningRate: 0.03, headRate: 0.1, batch: 12, seed: 3 };

/** The set at a cut: pixels where that is the input, else what the part below makes of each image. */
async function setAt(network: TunableNetwork, cut: Cut): Promise<TuningSet> {
  const pixels = stripes();
  const rest = {
    cut,
    views: 1,
    targets: oneHot(LABELS, CLASSES).data,
    weights: new Float32Array(IMAGES).fill(1),
    classes: CLASSES,
  };
  if (cut === network.cuts[0]) return { ...rest, values: pixels, pixels: PIXELS };
  const session = await Session.create(graphBelow(network, cut, { ...PIXELS, height: SIDE, width: SIDE }));
  const values = new Float32Array(IMAGES * sizeOf(cut.shape));
  const size = SIDE * SIDE * 3;
  for (let i = 0; i < IMAGES; i++) {
    const image = Uint8Array.from(pixels.subarray(i * size, (i + 1) * size));
    const { x } = await session.run({ pixels: uint8(image, [1, SIDE, SIDE, 3]) });
    values.set(Float32Array.from(x?.data ?? [], Number), i * sizeOf(cut.shape));
  }
  await session.close();
  return { ...rest, values };
}

test('training from the pixels on learns what the network did not tell apart', async () => {
  const network = tunableNetwork(smallNetwork(), PORTS);
  const set = await setAt(network, network.cuts[0] as Cut);
  const { losses, parameters, stopped } = await tuneNetwork(pool, network, set, HEAD, OPTIONS);
  assert.equal(stopped, null);
  assert.ok((losses.at(-1) ?? 1) < 0.1 * (losses[0] ?? 0), `${losses[0]} to ${losses.at(-1)}`);
  const before = await featuresOf(smallNetwork(), set.values as Uint8Array, IMAGES);
  const after = await featuresOf(withParameters(smallNetwork(), parameters), set.values as Uint8Array, IMAGES);
  assert.equal(before.length, after.length);
  assert.notDeepEqual(before, after);
});

test('above a cut, on values that were computed before, a step is the same as from the pixels', async () => {
  const network = tunableNetwork(smallNetwork(), PORTS);
  const above = network.cuts.at(-1) as Cut;
  const first = { ...(network.cuts[0] as Cut), trainables: above.trainables };
  const whole = { ...network, cuts: [first, ...network.cuts.slice(1)] };
  const byPixels = await tuneNetwork(pool, whole, await setAt(whole, first), HEAD, { ...OPTIONS, samples: 96 });
  const byValues = await tuneNetwork(pool, network, await setAt(network, above), HEAD, { ...OPTIONS, samples: 96 });
  for (const [i, loss] of byPixels.losses.entries()) assert.ok(Math.abs(loss - (byValues.losses[i] ?? 0)) < 1e-4);
});

test('what is kept of the forward pass, or computed a second time, leads to the same bytes', async () => {
  const network = tunableNetwork(smallNetwork(), PORTS);
  const set = await setAt(network, network.cuts[0] as Cut);
  const request = { cut: set.cut, trained: set.cut.trainables, classes: CLASSES, items: 16, pixels: PIXELS };
  const [kept, again] = [false, true].map((recompute) => stepGraph(network, { ...request, recompute }));
  assert.ok((again?.keptBytes ?? 1) < 0.7 * (kept?.keptBytes ?? 0), `${again?.keptBytes} of ${kept?.keptBytes}`);
  const options = { ...OPTIONS, samples: 96 };
  const whole = await tuneNetwork(pool, network, set, HEAD, { ...options, keptBytes: Number.POSITIVE_INFINITY });
  const short = await tuneNetwork(pool, network, set, HEAD, { ...options, keptBytes: 0 });
  assert.deepEqual(short, whole);
});

// Expected: PyTorch in 64-bit floats, `test/oracles/logit_adjustment.py`.
test('with margins, rare classes need a larger lead: the loss is that of adjusted logits', async () => {
  const network = tunableNetwork(smallNetwork(), PORTS);
  const cut = network.cuts.at(-1) as Cut;
  const labels = (counts: readonly number[]) => Int32Array.from(counts.flatMap((n, c) => new Array<number>(n).fill(c)));
  const images = {
    cut,
    values: new Float32Array(),
    views: 1,
    classes: CLASSES,
    targets: oneHot(labels([20, 4]), CLASSES).data,
    weights: new Float32Array(24).fill(1),
  };
  const margins = marginsOf(images, 1);
  const { model } = stepGraph(network, { cut, trained: [], classes: CLASSES, items: 16, margins });
  const session = await Session.create(model);
  const results = await session.run({
    x: randomTensor([16, ...cut.shape], 'x'),
    targets: float32(oneHot(labels([12, 4]), CLASSES).data, [16, CLASSES]),
    weights: float32(new Float32Array(16).fill(1), [16, 1]),
    'head/weights': float32(new Float32Array(CLASSES * PORTS.dimensions), [CLASSES, PORTS.dimensions]),
    'head/bias': float32([0.3, -0.2], [CLASSES]),
  });
  await session.close();
  assert.ok(Math.abs(Number(results.loss?.data[0]) - 10.26965877) < 1e-4);
  for (const [i, expected] of [2.269073845, -2.269073845].entries()) {
    assert.ok(Math.abs(Number(results['d:head/bias']?.data[i]) - expected) < 1e-4);
  }
  // A class of which nothing is trained on has a margin too.
  const missing = marginsOf({ ...images, members: [0, 1, 2] }, 1);
  assert.deepEqual([...missing], [Math.log(3 / 4), Math.log(1 / 4)].map(Math.fround));
});

test('only biases move where only they are trained, and a mean of before and after lies between', async () => {
  const network = tunableNetwork(smallNetwork(), PORTS);
  const set = await setAt(network, network.cuts[0] as Cut);
  const { parameters } = await tuneNetwork(pool, network, set, HEAD, { ...OPTIONS, trains: 'bias', samples: 72 });
  assert.deepEqual([...parameters.keys()].sort(), ['depthwise.bias', 'last.bias', 'project.bias', 'stem.bias']);
  const old = parametersOf(network, network.cuts[0]?.trainables ?? []);
  const mean = averaged(old, parameters, 0.25).get('last.bias') ?? new Float32Array();
  for (const [i, value] of mean.entries()) {
    const [from, to] = [old.get('last.bias')?.[i] ?? 0, parameters.get('last.bias')?.[i] ?? 0];
    assert.ok(Math.abs(value - (0.75 * from + 0.25 * to)) < 1e-6);
  }
});

test('what gradients reach: a flat node ends them too, and is named', () => {
  const through = (operator: string, isLast: boolean) => {
    const g = new Graph('flat');
    const x = g.input('input', 'float32', ['n', 3, SIDE, SIDE]);
    const low = g.conv(x, g.constant(randomTensor([4, 3, 1, 1], 'low'), 'low'));
    const flat = isLast ? low : g.op(operator, [low]);
    const high = g.conv(flat, g.constant(randomTensor([6, 4, 1, 1], 'high'), 'high'));
    const end = isLast ? g.op(operator, [high]) : high;
    g.output(g.op('Flatten', [g.globalAveragePool(end)], { axis: 1 }, 'features'));
    const { share, obstacles } = reachOf(tunableNetwork(decodeModel(g.toModel()), PORTS));
    return { share, operators: obstacles.map((one) => one.operator) };
  };
  assert.deepEqual(through('Round', true), { share: 0, operators: ['Round'] });
  // Of 12 and 24 numbers, the 24 behind it.
  assert.deepEqual(through('Round', false), { share: 24 / 36, operators: ['Round'] });
  assert.deepEqual(through('Relu', false), { share: 1, operators: [] });
});

test('an operator without a gradient freezes what is below; where nothing is left, that is said', () => {
  const g = new Graph('frozen');
  const x = g.input('input', 'float32', ['n', 3, SIDE, SIDE]);
  const low = g.conv(x, g.constant(randomTensor([4, 3, 1, 1], 'low'), 'low'));
  const summed = g.op('CumSum', [low, g.scalar(1, 'int64')], {}, 'summed');
  const high = g.conv(summed, g.constant(randomTensor([6, 4, 1, 1], 'high'), 'high'));
  g.output(g.op('Flatten', [g.globalAveragePool(high)], { axis: 1 }, 'features'));
  const network = tunableNetwork(decodeModel(g.toModel()), PORTS);
  const cut = network.cuts[0] as Cut;
  const { trained, obstacles } = stepGraph(network, { cut, trained: cut.trainables, classes: 2, items: 4 });
  assert.deepEqual(
    trained.map(({ name }) => name),
    ['high'],
  );
  assert.deepEqual(
    obstacles.map(({ operator }) => operator),
    ['CumSum'],
  );
});

test('a quantised network in floats gives what it gave, to half a step of its rounding', async () => {
  const g = new Graph('quantised');
  const x = g.input('input', 'float32', [1, 2, 3, 3]);
  const scale = (value: number) => g.scalar(value);
  const zero = (value: number) => g.constant(tensor('uint8', Uint8Array.of(value), []), 'zero');
  const rounded = (value: typeof x, step: number, name: string) => {
    const quantised = g.op('QuantizeLinear', [value, scale(step), zero(0)]);
    return g.op('DequantizeLinear', [quantised, scale(step), zero(0)], {}, name);
  };
  const whole = g.constant(tensor('int8', Int8Array.of(60, -35, 20, 80, -11, 7), [3, 2, 1, 1]), 'weights');
  const scales = g.constant(float32([0.01, 0.02, 0.05]), 'scales');
  const zeros = g.constant(tensor('int8', new Int8Array(3), [3]), 'zeros');
  const weights = g.op('DequantizeLinear', [whole, scales, zeros], { axis: 0 }, 'w');
  const bias = g.op('DequantizeLinear', [g.constant(int32([10, -20, 5]), 'bias'), scale(0.01)], {}, 'b');
  const y = g.conv(rounded(x, 0.01, 'x'), weights, bias);
  g.output(rounded(y, 0.02, 'features'));
  const model = decodeModel(g.toModel());
  const plain = floatNetwork(model);
  assert.ok(!plain.graph?.node?.some(({ opType }) => /Quantize/.test(opType ?? '')));
  const feeds: Tensors = { input: randomTensor([1, 2, 3, 3], 'quantised', 2) };
  const outputs = await Promise.all(
    [model, plain].map(async (one) => {
      const session = await Session.create(encodeModel(one));
      const { features } = await session.run(feeds);
      await session.close();
      return Array.from(features?.data ?? [], Number);
    }),
  );
  const [expected = [], found = []] = outputs;
  assert.equal(found.length, 27);
  // Half a step of the output, and what half a step of the input comes to.
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(value - (found[i] ?? 0)) < 0.01 + 0.005 * 1.6, `${i}`);
});

test('a network without biases trains though places of a run are empty: they have no gradient, and spoil none', async () => {
  const g = new Graph('no biases');
  const conv = (x: ReturnType<Graph['value']>, name: string, dims: readonly number[]) =>
    g.relu(g.conv(x, g.constant(randomTensor(dims, name), name), undefined, { pads: [1, 1, 1, 1] }));
  const low = conv(g.input('input', 'float32', ['n', 3, SIDE, SIDE]), 'low', [4, 3, 3, 3]);
  g.output(g.op('Flatten', [g.globalAveragePool(conv(low, 'high', [6, 4, 3, 3]))], { axis: 1 }, 'features'));
  const network = tunableNetwork(decodeModel(g.toModel()), PORTS);
  const cut = network.cuts[0] as Cut;
  const set = await setAt(network, cut);
  const { model } = stepGraph(network, { cut, trained: cut.trainables, classes: CLASSES, items: 2, pixels: PIXELS });
  const session = await Session.create(model);
  const size = 3 * SIDE * SIDE;
  const image = Uint8Array.from([...set.values.subarray(0, size), ...new Uint8Array(size)]);
  const results = await session.run({
    ...Object.fromEntries(cut.trainables.map(({ name, dims }) => [name, randomTensor(dims, name)])),
    x: uint8(image, [2, SIDE, SIDE, 3]),
    targets: float32([1, 0, 0, 1], [2, CLASSES]),
    weights: float32([1, 0], [2, 1]),
    'head/weights': randomTensor([CLASSES, PORTS.dimensions], 'head'),
    'head/bias': float32([0, 0], [CLASSES]),
  });
  await session.close();
  for (const { data } of Object.values(results)) assert.ok(Array.from(data, Number).every(Number.isFinite));
  const { stopped, losses } = await tuneNetwork(pool, network, set, HEAD, { ...OPTIONS, samples: 72 });
  assert.equal(stopped, null);
  assert.ok(losses.length > 0);
});
