import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inlineModel, pixelsToModelInput } from './compose.ts';
import { Graph } from './ops.ts';
import { decodeModel, type ModelProto } from './proto.ts';
import { Session } from './session.ts';
import { float32, tensorToProto, uint8 } from './tensor.ts';

const MODELS = new URL('../../../shared/models/', import.meta.url);

/** A model as an older exporter writes it: one node, attributes as given. */
function oldModel(opset: number, opType: string, attribute: object[], outputs = 1): ModelProto {
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return {
    irVersion: 6n,
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: {
      name: 'old',
      node: [
        { opType: 'Mul', input: ['x', 'two'], output: ['doubled'] },
        { opType, input: ['doubled'], output: names, attribute },
        { opType: 'NoSuchOperator', input: ['x'], output: ['unused'] },
      ],
      initializer: [tensorToProto('two', float32([2], []))],
      input: [{ name: 'x' }, { name: 'two' }],
      output: names.map((name) => ({ name })),
    },
  };
}

async function runOld(model: ModelProto, data: number[], dims: number[], outputs?: string[]) {
  const g = new Graph();
  const values = inlineModel(g, model, { prefix: 'old', feeds: { x: g.input('x', 'float32', dims) }, outputs });
  for (const [name, value] of Object.entries(values)) g.output(value, name);
  const session = await Session.create(g.toModel());
  const result = await session.run({ x: float32(data, dims) });
  return Object.values(result).map((one) => ({ dims: one.dims, data: Array.from(one.data as Float32Array) }));
}

test('operators of older opsets mean what they meant', async () => {
  const ints = (name: string, ...values: bigint[]) => ({ name, type: 7, ints: values });
  const int = (name: string, i: bigint) => ({ name, type: 2, i });
  assert.deepEqual(await runOld(oldModel(11, 'Unsqueeze', [ints('axes', 0n)]), [1, 2], [2]), [
    { dims: [1, 2], data: [2, 4] },
  ]);
  assert.deepEqual(
    await runOld(oldModel(11, 'ReduceSum', [ints('axes', 1n), int('keepdims', 0n)]), [1, 2, 3, 4], [2, 2]),
    [{ dims: [2], data: [6, 14] }],
  );
  assert.deepEqual(await runOld(oldModel(13, 'ReduceMean', [ints('axes', 0n)]), [1, 2, 3, 4], [2, 2]), [
    { dims: [1, 2], data: [4, 6] },
  ]);
  assert.deepEqual(await runOld(oldModel(11, 'Split', [int('axis', 0n)], 2), [1, 2], [2]), [
    { dims: [1], data: [2] },
    { dims: [1], data: [4] },
  ]);
  assert.deepEqual(await runOld(oldModel(11, 'Split', [ints('split', 1n, 2n)], 2), [1, 2, 3], [3]), [
    { dims: [1], data: [2] },
    { dims: [2], data: [4, 6] },
  ]);
  assert.deepEqual(await runOld(oldModel(11, 'Dropout', []), [1, 2], [2]), [{ dims: [2], data: [2, 4] }]);
  // Old softmax ran over everything from its axis (1) on: four equal values are a quarter each.
  assert.deepEqual(await runOld(oldModel(11, 'Softmax', []), [1, 1, 1, 1], [1, 2, 2]), [
    { dims: [1, 2, 2], data: [0.25, 0.25, 0.25, 0.25] },
  ]);
});

test('forms from before opset 11 are brought up: what was an attribute then is an input now', async () => {
  const ints = (name: string, ...values: bigint[]) => ({ name, type: 7, ints: values });
  const float = (name: string, f: number) => ({ name, type: 1, f });
  const string = (name: string, s: string) => ({ name, type: 3, s: new TextEncoder().encode(s) });
  const [one] = await runOld(oldModel(7, 'Clip', [float('min', 3), float('max', 5)]), [1, 2, 3], [3]);
  assert.deepEqual(one?.data, [3, 4, 5]);
  const [open] = await runOld(oldModel(9, 'Clip', [float('max', 5)]), [1, 2, 3], [3]);
  assert.deepEqual(open?.data, [2, 4, 5]);
  const [padded] = await runOld(oldModel(9, 'Pad', [ints('pads', 1n, 2n), float('value', 9)]), [1], [1]);
  assert.deepEqual(padded?.data, [9, 2, 9, 9]);
  const slice = [ints('starts', 1n), ints('ends', 3n)];
  assert.deepEqual((await runOld(oldModel(9, 'Slice', slice), [1, 2, 3, 4], [4]))[0]?.data, [4, 6]);
  const columns = [...slice, ints('axes', 1n)];
  assert.deepEqual((await runOld(oldModel(7, 'Slice', columns), [1, 2, 3, 4], [1, 4]))[0]?.data, [4, 6]);
  const [most] = await runOld(oldModel(9, 'TopK', [{ name: 'k', type: 2, i: 2n }], 2), [1, 3, 2], [3], ['y0']);
  assert.deepEqual(most?.data, [6, 4]);
  const scales = { name: 'scales', type: 6, floats: [1, 1, 2, 2] };
  const [larger] = await runOld(oldModel(7, 'Upsample', [scales, string('mode', 'nearest')]), [1, 2], [1, 1, 1, 2]);
  assert.deepEqual(larger, { dims: [1, 1, 2, 4], data: [2, 2, 4, 4, 2, 2, 4, 4] });
  assert.throws(() => decodeAt(oldModel(8, 'BatchNormalization', [{ name: 'spatial', type: 2, i: 0n }])), {
    message: /statistics for each place/,
  });
});

test('the bodies of If and Loop are brought up too', async () => {
  const body = (opType: string, attribute: object[]) => ({
    name: opType,
    node: [{ opType, input: ['doubled'], output: ['inside'], attribute }],
    output: [{ name: 'inside' }],
  });
  const axes = [{ name: 'axes', type: 7, ints: [0n] }];
  const branches = (then: object, otherwise: object) => {
    const model = oldModel(11, 'If', [
      { name: 'then_branch', type: 5, g: then },
      { name: 'else_branch', type: 5, g: otherwise },
    ]);
    const node = model.graph?.node?.[1];
    if (node) node.input = ['yes'];
    model.graph?.initializer?.push({ name: 'yes', dataType: 9, dims: [], rawData: Uint8Array.of(1) });
    return model;
  };
  const [found] = await runOld(branches(body('Unsqueeze', axes), body('Unsqueeze', axes)), [1, 2], [2]);
  assert.deepEqual(found, { dims: [1, 2], data: [2, 4] });
  const softmax = branches(body('Softmax', []), body('Softmax', []));
  await assert.rejects(runOld(softmax, [1, 2], [2]), { message: /Softmax .* is of opset 11 and means something else/ });
});

function decodeAt(model: ModelProto): void {
  const g = new Graph();
  inlineModel(g, model, { prefix: 'm', feeds: { x: g.input('x', 'float32', [1, 1, 2, 2]) } });
}

test('inner values can be had by name, and what they do not need is left out', async () => {
  assert.deepEqual(await runOld(oldModel(11, 'Relu', []), [-1, 2], [2], ['doubled', 'y0']), [
    { dims: [2], data: [-2, 4] },
    { dims: [2], data: [0, 4] },
  ]);
});

test('what cannot be joined is refused by name', () => {
  const join = (model: ModelProto, outputs?: string[], fed = true) => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    return inlineModel(g, model, { prefix: 'm', feeds: fed ? { x } : {}, outputs });
  };
  assert.throws(() => join(oldModel(6, 'Relu', [])), { code: 'BAD_MODEL', message: /opset 6/ });
  assert.throws(() => join(oldModel(99, 'Relu', [])), { code: 'BAD_MODEL', message: /opset 99/ });
  const newer = new Graph();
  newer.raiseOpset(20);
  const sample = oldModel(16, 'GridSample', []);
  const feeds = { x: newer.input('x', 'float32', [2]) };
  assert.throws(() => inlineModel(newer, sample, { prefix: 'm', feeds }), { message: /GridSample .* of opset 16/ });
  const older = new Graph();
  const x = older.input('x', 'float32', [2]);
  inlineModel(older, sample, { prefix: 'm', feeds: { x } });
  assert.throws(() => inlineModel(older, oldModel(21, 'Relu', []), { prefix: 'n', feeds: { x } }), {
    message: /GridSample, already in the graph/,
  });
  assert.throws(() => join(oldModel(11, 'Relu', []), undefined, false), { code: 'BAD_MODEL', message: /input x/ });
  assert.throws(() => join(oldModel(11, 'Relu', []), ['nothing']), { message: /no value named nothing/ });
});

test('the same model can be inlined twice', async () => {
  const g = new Graph();
  const x = g.input('x', 'float32', [2]);
  const model = oldModel(11, 'Relu', []);
  const once = inlineModel(g, model, { prefix: 'm', feeds: { x } });
  const twice = inlineModel(g, model, { prefix: 'm', feeds: { x: once.y0 } });
  g.output(twice.y0, 'y');
  const session = await Session.create(g.toModel());
  assert.deepEqual((await session.run({ x: float32([1, 2]) })).y?.data, Float32Array.of(4, 8));
});

test('pixels are scaled, shifted, reordered and laid out as the model wants', async () => {
  const g = new Graph();
  const pixels = g.input('pixels', 'uint8', ['n', 1, 2, 3]);
  g.output(pixelsToModelInput(g, pixels), 'plain');
  const mean = [0.1, 0.2, 0.3];
  const std = [0.5, 0.25, 2];
  g.output(pixelsToModelInput(g, pixels, { colours: 'BGR', scale: 0.1, mean, std }), 'bgr');
  g.output(pixelsToModelInput(g, pixels, { layout: 'NHWC', colours: 'BGR', dtype: 'int32' }), 'ints');
  const session = await Session.create(g.toModel());
  const y = await session.run({ pixels: uint8([1, 2, 3, 4, 5, 6], [1, 1, 2, 3]) });
  assert.deepEqual(Array.from(y.plain?.data as Float32Array), [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(y.plain?.dims, [1, 3, 1, 2]);
  const expected = [0.4, 1, 0, 1.2, -0.1, 0.05];
  Array.from(y.bgr?.data as Float32Array).forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-6, `${i}: ${value}`);
  });
  assert.deepEqual(Array.from(y.ints?.data as Int32Array), [3, 2, 1, 6, 5, 4]);
});

/** Models that other tools exported, with opsets 11 and 12, float and int8. */
const IMPORTED = [
  { file: 'yolox_nano.onnx', input: 'images', size: 416, tolerance: 1e-3 },
  { file: 'mobilenetv2-12-qdq.onnx', input: 'input', size: 224, tolerance: 1e-4 },
  { file: 'FastestDet.onnx', input: 'input.1', size: 352, tolerance: 1e-4 },
];

for (const { file, input, size, tolerance } of IMPORTED) {
  const path = new URL(file, MODELS);
  const skip = existsSync(path) ? false : `${file} is not at ../shared/models`;
  test(`${file} gives the same inside a graph from pixels as alone`, { skip }, async () => {
    const bytes = new Uint8Array(readFileSync(path));
    const g = new Graph();
    const x = pixelsToModelInput(g, g.input('pixels', 'uint8', [1, size, size, 3]), { colours: 'BGR' });
    const values = inlineModel(g, bytes, { prefix: 'model', feeds: { [input]: x } });
    for (const [name, value] of Object.entries(values)) g.output(value, name);
    const pixels = new Uint8Array(size * size * 3).map((_, i) => (i * 7919) % 251);
    const planes = new Float32Array(pixels.length);
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < size * size; i++) planes[c * size * size + i] = pixels[3 * i + 2 - c];
    }
    const joined = await Session.create(g.toModel());
    const alone = await Session.create(bytes);
    const a = await joined.run({ pixels: uint8(pixels, [1, size, size, 3]) });
    const b = await alone.run({ [input]: float32(planes, [1, 3, size, size]) });
    assert.deepEqual(
      Object.keys(a),
      decodeModel(bytes).graph?.output?.map(({ name }) => name),
    );
    for (const name of Object.keys(a)) {
      const [left, right] = [a[name]?.data as Float32Array, b[name]?.data as Float32Array];
      assert.equal(left.length, right.length);
      let worst = 0;
      left.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - right[i]));
      });
      assert.ok(worst <= tolerance, `${name} differs by ${worst}`);
    }
  });
}
