/** Expected values are those of the whole models, run by themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomTensor } from '../../../test/random-tensor.ts';
import { Graph } from '../../onnx/ops.ts';
import { Session } from '../../onnx/session.ts';
import { float32Data, uint8 } from '../../onnx/tensor.ts';
import { sharedPart } from './shared-part.ts';

const DIMS = [1, 8, 8, 3];
const PORTS = { input: { name: 'pixels', dims: DIMS }, output: 'embedding' };

/** Three convolutions; what is read from low down stands beside what comes out on top. */
function model(low: string, high: string, activation: 'Relu' | 'Tanh' = 'Relu'): Uint8Array {
  const g = new Graph('three convolutions');
  const conv = (x: ReturnType<Graph['value']>, name: string, stream: string, channels: readonly [number, number]) =>
    g.op(activation, [
      g.conv(x, g.constant(randomTensor([...channels, 3, 3], stream, 0.5), name), undefined, { pads: [1, 1, 1, 1] }),
    ]);
  const pixels = g.cast(g.input('pixels', 'uint8', DIMS), 'float32');
  const first = conv(g.transpose(pixels, [0, 3, 1, 2]), 'w0', low, [4, 3]);
  const second = conv(first, 'w1', 'same', [5, 4]);
  const third = conv(second, 'w2', high, [6, 5]);
  const both = g.concat([g.globalAveragePool(first), g.globalAveragePool(third)], 1);
  g.output(g.op('Flatten', [both], { axis: 1 }, 'embedding'));
  return g.toModel();
}

async function run(bytes: Uint8Array, feeds: Parameters<Session['run']>[0]) {
  const session = await Session.create(bytes);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

test('what models have in common is computed once, and each gives what it gives by itself', async () => {
  const models = ['a', 'b', 'c'].map((high) => model('low', high));
  const shared = sharedPart(models, PORTS);
  assert.ok(shared);
  const pixels = uint8(
    Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 37) % 256),
    DIMS,
  );
  const given = await run(shared.below, { pixels });
  assert.deepEqual(Object.keys(given).sort(), ['x0', 'x1'], 'the pooled first layer, and the second one');
  for (const [i, whole] of models.entries()) {
    const { embedding } = await run(shared.above[i] as Uint8Array, given);
    assert.deepEqual(
      float32Data(embedding, 'embedding'),
      float32Data((await run(whole, { pixels })).embedding, 'embedding'),
    );
  }
  assert.ok(Math.max(...shared.above.map(({ length }) => length)) < (models[0]?.length ?? 0));
});

test('models that differ low down, in their operators, or that are one alone have nothing to share', () => {
  assert.equal(sharedPart([model('low', 'a'), model('other', 'a')], PORTS), null);
  assert.equal(sharedPart([model('low', 'a'), model('low', 'b', 'Tanh')], PORTS), null);
  assert.equal(sharedPart([model('low', 'a')], PORTS), null);
});
