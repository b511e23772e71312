/** What rounding to 8 bits may cost, by its own bounds: half a step of the range, and sums of two products within 16 bits. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Graph } from '../../onnx/ops.ts';
import { Session } from '../../onnx/session.ts';
import { float32, float32Data, type Tensor, tensorFromProto } from '../../onnx/tensor.ts';
import { efficientNetLiteToOnnx } from './efficientnet-lite.ts';
import { filtersIn8Bits, type Range, type Ranges, roundTo8Bits } from './eight-bits.ts';

async function rounded(values: readonly number[], range: Range): Promise<number[]> {
  const graph = new Graph('round');
  graph.output(roundTo8Bits(graph, graph.input('x', 'float32', [values.length]), range), 'y');
  const session = await Session.create(graph.toModel());
  const { y } = await session.run({ x: float32(values) });
  await session.close();
  return [...float32Data(y, 'y')];
}

test('a value is off by half a step at most, zero is exact, and what is beyond the range is its end', async () => {
  const range = [-1, 3] as const;
  const step = 4 / 255;
  const values = Array.from({ length: 100 }, (_, i) => -1 + i * 0.04);
  for (const [i, value] of (await rounded(values, range)).entries()) {
    assert.ok(Math.abs(value - values[i]) <= 0.51 * step, `${values[i]} became ${value}`);
  }
  assert.deepEqual(await rounded([0], range), [0]);
  const [low, high] = await rounded([-9, 9], range);
  assert.ok(Math.abs(low + 1) <= step && Math.abs(high - 3) <= step);
  // A range of nothing but positive numbers begins at zero, which fills borders.
  assert.deepEqual(await rounded([0], [2, 5]), [0]);
});

/** The whole numbers of a filter, read off the graph, and what they stand for. */
async function filtersOf(weights: Tensor, bias: Tensor): Promise<{ whole: number[]; plain: number[]; bias: number[] }> {
  const graph = new Graph('filters');
  const [w, b] = filtersIn8Bits(graph, { weights, bias, name: 'layer', input: [0, 6] });
  graph.output(w, 'w');
  graph.output(b, 'b');
  const proto = graph.toProto().graph?.initializer?.find(({ name }) => name === 'layer.weight');
  assert.ok(proto);
  const session = await Session.create(graph.toModel());
  const found = await session.run({});
  await session.close();
  const whole = Array.from(tensorFromProto(proto).data, Number);
  return { whole, plain: [...float32Data(found.w, 'w')], bias: [...float32Data(found.b, 'b')] };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(1 + 7 * i) * (1 + (i % 3)));

test('filters over channels: two neighbours add up to 128 at most, each number is off by half a step', async () => {
  const given = numbers(4 * 6);
  const { whole, plain, bias } = await filtersOf(float32(given, [4, 6, 1, 1]), float32([1, -2, 0.5, 0]));
  for (let i = 0; i < whole.length; i += 2) assert.ok(Math.abs(whole[i]) + Math.abs(whole[i + 1]) <= 129);
  for (const [i, value] of plain.entries())
    assert.ok(Math.abs(value - given[i]) < 3 / 64, `${given[i]} became ${value}`);
  for (const [i, value] of [1, -2, 0.5, 0].entries()) assert.ok(Math.abs(bias[i] - value) < 1e-2);
});

test('depthwise filters have all steps, others over places half of them', async () => {
  const most = ({ whole }: { whole: number[] }) => Math.max(...whole.map(Math.abs));
  assert.equal(most(await filtersOf(float32(numbers(18), [2, 1, 3, 3]), float32([0, 0]))), 127);
  assert.equal(most(await filtersOf(float32(numbers(54), [2, 3, 3, 3]), float32([0, 0]))), 64);
});

const TINY = new URL('../../../test/fixtures/efficientnet-lite-tiny.pth', import.meta.url);

test('a network in 8 bits says nearly what it says in 32, and the same in a batch', async () => {
  const file = new Uint8Array(await readFile(TINY));
  const data = Float32Array.from({ length: 3 * 33 * 33 }, (_, i) => ((i * 7919) % 251) / 125 - 1);
  const run = async (model: Uint8Array, count = 1) => {
    const session = await Session.create(model);
    const all = new Float32Array(count * data.length);
    for (let i = 0; i < count; i++) all.set(data, i * data.length);
    const results = await session.run({ input: float32(all, [count, 3, 33, 33]) });
    await session.close();
    return results;
  };
  const seen = await run(efficientNetLiteToOnnx(file, { observed: true }));
  const ranges: Record<string, Range> = {};
  for (const [name, value] of Object.entries(seen)) {
    if (!name.startsWith('range/')) continue;
    const all = float32Data(value, name);
    ranges[name.slice('range/'.length)] = [Math.min(...all), Math.max(...all)];
  }
  const whole = efficientNetLiteToOnnx(file, { ranges: ranges satisfies Ranges });
  const { features } = await run(whole);
  const [a, b] = [float32Data(features, 'features'), float32Data(seen.features, 'features')];
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  assert.ok(cosine > 0.98, `cosine ${cosine}`);
  const two = float32Data((await run(whole, 2)).features, 'features');
  assert.deepEqual(two.slice(0, two.length / 2), float32Data((await run(whole)).features, 'features'));
  assert.throws(() => efficientNetLiteToOnnx(file, { ranges: {} }), { message: /range of image is not known/ });
});
