import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/properties.ts';
import { float16ToFloat32, float32ToFloat16 } from '../math/float16.ts';
import { Graph } from './ops.ts';
import { decodeModel, encodeModel } from './proto.ts';
import { Runner, Session } from './session.ts';
import { bool, float32, int64, tensorFromProto, uint8 } from './tensor.ts';

test('a model survives decoding and encoding, 64-bit numbers included', () => {
  const g = new Graph();
  const x = g.input('x', 'float32', ['n', 3]);
  g.output(g.slice(x, [0], [Number.MAX_SAFE_INTEGER], [0]), 'y');
  g.output(g.add(x, g.constant(float32([1, 2, 3]))), 'z');
  const bytes = g.toModel({ source: 'test' });
  const model = decodeModel(bytes);
  const limit = { ...model.graph?.initializer?.[0], rawData: undefined, dims: [1n], int64Data: [2n ** 63n - 1n] };
  model.graph?.initializer?.push({ ...limit, dataType: 7, name: 'limit' });
  const again = decodeModel(encodeModel(model));
  assert.deepEqual(again.metadataProps, [{ key: 'source', value: 'test' }]);
  assert.deepEqual(again.opsetImport, [{ domain: '', version: 18n }]);
  const read = tensorFromProto(again.graph?.initializer?.at(-1) ?? {});
  assert.deepEqual(read.data, BigInt64Array.of(2n ** 63n - 1n));
  assert.deepEqual(encodeModel(decodeModel(bytes)), bytes);
});

test('bytes that are no model are refused with a reason', () => {
  assert.throws(() => decodeModel(new Uint8Array([1, 2, 3])), { code: 'BAD_MODEL' });
  assert.throws(() => decodeModel(new Uint8Array(0)), { code: 'BAD_MODEL', message: /no graph/ });
});

test('the same calls make the same bytes', () => {
  const build = () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2, 2]);
    g.output(g.relu(g.matmul(x, g.constant(float32([1, 2, 3, 4], [2, 2])))), 'y');
    return g.toModel({ b: '2', a: '1' });
  };
  assert.deepEqual(build(), build());
});

test('operators of the builder run under the opset they are written for', async () => {
  const g = new Graph();
  const x = g.input('x', 'float32', [2, 3]);
  g.output(g.reduceSum(x, [1], { keepDims: false }), 'sum');
  g.output(g.reduceMax(x, [0]), 'max');
  g.output(g.argMax(x, 1), 'argMax');
  const [values, indices] = g.topK(x, 2);
  g.output(values, 'values');
  g.output(indices, 'indices');
  const [left, right] = g.split(x, [1, 2], 1);
  g.output(g.concat([right, left], 1), 'rotated');
  g.output(g.clip(x, undefined, 4), 'clipped');
  g.output(g.oneHot(g.argMax(x, 1), g.ints([3])), 'oneHot');
  g.output(g.where(g.greater(x, g.scalar(3)), x, g.scalar(0)), 'where');
  g.output(g.squeeze(g.unsqueeze(x, [0, 1]), [1]), 'shaped');
  g.output(g.softmax(x), 'softmax');
  g.output(
    g.resize(g.reshape(x, [1, 1, 2, 3]), [1, 1, 4, 3], { mode: 'linear', coordinates: 'asymmetric' }),
    'resized',
  );
  const session = await Session.create(g.toModel());
  const y = await session.run({ x: float32([1, 5, 3, 6, 2, 4], [2, 3]) });
  const list = (name: string) => Array.from(y[name]?.data as Float32Array, Number);
  assert.deepEqual(list('sum'), [9, 12]);
  assert.deepEqual(y.sum?.dims, [2]);
  assert.deepEqual(list('max'), [6, 5, 4]);
  assert.deepEqual(list('argMax'), [1, 0]);
  assert.deepEqual(list('values'), [5, 3, 6, 4]);
  assert.deepEqual(list('indices'), [1, 2, 0, 2]);
  assert.deepEqual(list('rotated'), [5, 3, 1, 2, 4, 6]);
  assert.deepEqual(list('clipped'), [1, 4, 3, 4, 2, 4]);
  assert.deepEqual(list('oneHot'), [0, 1, 0, 1, 0, 0]);
  assert.deepEqual(list('where'), [0, 5, 0, 6, 0, 4]);
  assert.deepEqual(y.shaped?.dims, [1, 2, 3]);
  // Legacy bilinear: output row r is input row r / 2, the last one clamped.
  assert.deepEqual(list('resized'), [1, 5, 3, 3.5, 3.5, 3.5, 6, 2, 4, 6, 2, 4]);
  const softmax = list('softmax');
  assert.ok(Math.abs((softmax[0] ?? 0) - Math.exp(1) / (Math.exp(1) + Math.exp(5) + Math.exp(3))) < 1e-6);
  await session.close();
});

test('a runner makes one session a key and closes the least recently used', async () => {
  const runner = new Runner({ maxSessions: 2 });
  let made = 0;
  const model = (factor: number) => () => {
    made++;
    const g = new Graph();
    g.output(g.mul(g.input('x', 'float32', ['n']), g.scalar(factor)), 'y');
    return g.toModel();
  };
  const run = async (factor: number) =>
    Array.from((await runner.run(`times ${factor}`, model(factor), { x: float32([1, 2]) })).y?.data as Float32Array);
  const both = await Promise.all([run(2), run(2)]);
  assert.deepEqual(both, [
    [2, 4],
    [2, 4],
  ]);
  assert.equal(made, 1);
  await run(3);
  await run(2);
  await run(4);
  await run(2);
  assert.equal(made, 3);
  await run(3);
  assert.equal(made, 4);
  await runner.close();
});

test('other element types go in and come out', async () => {
  const g = new Graph();
  g.output(g.cast(g.input('a', 'uint8', [2]), 'int64'), 'wide');
  g.output(g.not(g.input('b', 'bool', [2])), 'not');
  g.output(g.cast(g.input('c', 'int64', [2]), 'float16'), 'half');
  const session = await Session.create(g.toModel());
  const y = await session.run({ a: uint8([3, 255]), b: bool([1, 0]), c: int64([1, -2]) });
  assert.deepEqual(y.wide?.data, BigInt64Array.of(3n, 255n));
  assert.deepEqual(Array.from(y.not?.data as Uint8Array), [0, 1]);
  assert.deepEqual(float16ToFloat32(y.half?.data as Uint16Array), Float32Array.of(1, -2));
});

test('a broken graph and a wrong feed are BAD_MODEL with the reason', async () => {
  const g = new Graph();
  g.output(g.op('NoSuchOperator', [g.input('x', 'float32', [1])]));
  await assert.rejects(Session.create(g.toModel()), { code: 'BAD_MODEL', message: /NoSuchOperator/ });
  const h = new Graph();
  h.output(h.relu(h.input('x', 'float32', [2])), 'y');
  const session = await Session.create(h.toModel());
  await assert.rejects(session.run({ x: float32([1, 2, 3]) }), { code: 'BAD_MODEL' });
  assert.throws(() => h.input('x', 'float32', [2]), { code: 'UNSUPPORTED', message: /named x/ });
});

test('half precision: every half comes back from single, and rounding is to the nearest, ties to even', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((bits) => (bits & 0x7c00) !== 0x7c00);
  assert.deepEqual(float32ToFloat16(float16ToFloat32(all)), all);
  const nearest = (x: number) => float16ToFloat32(float32ToFloat16(Float32Array.of(x)))[0];
  assert.equal(nearest(65520), Number.POSITIVE_INFINITY);
  assert.equal(nearest(65519), 65504);
  assert.equal(nearest(2049), 2048);
  assert.equal(nearest(2051), 2052);
  assert.ok(Number.isNaN(nearest(Number.NaN)));
  fc.assert(
    fc.property(fc.float({ min: -60000, max: 60000, noNaN: true }), (x) => {
      const unit = Math.max(2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 10), 2 ** -24);
      return Math.abs(nearest(x) - x) <= unit / 2;
    }),
  );
});
