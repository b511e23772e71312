/** Graphs for devices, against ONNX Runtime running the graph that they were made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { Graph } from '../../onnx/ops.ts';
import { decodeModel, encodeModel, type ModelProto } from '../../onnx/proto.ts';
import { Session } from '../../onnx/session.ts';
import { float32, numbersOf, type Tensor } from '../../onnx/tensor.ts';
import { withFloatPorts } from './float-ports.ts';
import { halfModel } from './half-model.ts';

/** Pixels, a convolution, what is decoded behind it: places of numbers above 2,048, which halves do not tell apart. */
function network(): Uint8Array {
  const random = seededRandom(1);
  const g = new Graph('test');
  const pixels = g.input('pixels', 'uint8', [1, 16, 16, 3]);
  const planes = g.mul(g.cast(g.transpose(pixels, [0, 3, 1, 2]), 'float32'), g.scalar(1 / 255));
  const weights = float32(
    Float32Array.from({ length: 8 * 27 }, () => random() - 0.5),
    [8, 3, 3, 3],
  );
  const found = g.op('Conv', [planes, g.constant(weights, 'weights')], { pads: [1, 1, 1, 1] });
  const mean = g.reduceMean(found, [1, 2, 3]);
  g.output(g.add(g.mul(mean, g.scalar(0)), g.scalar(4001)), 'place');
  g.output(mean, 'mean');
  g.output(g.cast(g.op('ArgMax', [g.reshape(found, [1, -1])], { axis: 1 }), 'int32'), 'best');
  return g.toModel();
}

async function run(model: ModelProto | Uint8Array, pixels: Tensor) {
  const session = await Session.create(model instanceof Uint8Array ? model : encodeModel(model));
  try {
    return await session.run({ pixels });
  } finally {
    await session.close();
  }
}

test('float ports change no number; in half precision only the network is of halves', async () => {
  const bytes = network();
  const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 37) % 256);
  const dims = [1, 16, 16, 3];
  const floats = { dtype: 'float32', data: Float32Array.from(data), dims } as const;
  const expected = await run(bytes, { dtype: 'uint8', data, dims });
  const single = withFloatPorts(decodeModel(bytes));
  const found = await run(single, floats);
  for (const [name, tensor] of Object.entries(found)) {
    assert.equal(tensor.dtype, 'float32', name);
    assert.deepEqual(numbersOf(tensor), numbersOf(expected[name]!), name);
  }
  const half = halfModel(single);
  assert.ok(half.kind === 'made');
  const small = encodeModel(half.model);
  const halves = await run(small, floats);
  assert.deepEqual(numbersOf(halves.place!), [4001], 'what is behind the network is as exact as before');
  const difference = Math.abs(numbersOf(halves.mean!)[0]! - numbersOf(expected.mean!)[0]!);
  assert.ok(difference > 0 && difference < 1e-3, `halves differ a little, here by ${difference}`);
  assert.equal((half.model.graph?.initializer ?? []).find(({ name }) => name?.startsWith('weights'))?.dataType, 10);
});

test('what is quantised, or has no large weights, has no half precision, and it is said why', () => {
  const g = new Graph('plain');
  g.output(g.cast(g.input('pixels', 'uint8', [1, 4, 4, 3]), 'float32'), 'same');
  const plain = halfModel(withFloatPorts(decodeModel(g.toModel())));
  assert.ok(plain.kind === 'not' && /no large weights/.test(plain.because));
  const model = withFloatPorts(decodeModel(network()));
  const node = { opType: 'QLinearAdd', domain: 'com.microsoft', name: 'q', input: ['a'], output: ['b'] };
  const nodes = (model.graph?.node ?? []).map((one) =>
    one.opType === 'Mul' ? { ...node, input: one.input, output: one.output } : one,
  );
  const quantised = halfModel({ ...model, graph: { ...model.graph, node: nodes } });
  assert.ok(quantised.kind === 'not' && /quantised/.test(quantised.because), JSON.stringify(quantised).slice(0, 200));
});
