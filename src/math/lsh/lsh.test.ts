import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobVectors, neighbourContract } from '../../../test/contracts/neighbours.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { rowsOf } from '../matrix.ts';
import { fitHashing, hashVectors } from './family.ts';
import { decodeLsh, encodeLsh } from './lsh-file.ts';
import { LshIndex } from './lsh-index.ts';
import { probeKeys, probeOrder } from './probing.ts';

neighbourContract('LSH', { recall: 0.95, create: (pool, points) => LshIndex.fit(pool, points, { seed: 4 }) });

test('codes are the sides of hyperplanes: Hamming distance grows with the angle', async () => {
  await using pool = await InferencePool.create({ threads: 1 });
  const points = blobVectors(400, 4);
  const family = await fitHashing(pool, points, { codeBits: 64 });
  const { codes } = await hashVectors(pool, family, points);
  for (let row = 0; row < 400; row += 37) {
    for (let plane = 0; plane < 64; plane += 5) {
      let margin = -family.offsets[plane];
      for (let j = 0; j < 40; j++) {
        margin += points.data[row * 40 + j] * family.planes.data[plane * 40 + j];
      }
      const bit = (codes[row * 2 + (plane >> 5)] >>> (plane & 31)) & 1;
      if (Math.abs(margin) > 1e-5) assert.equal(bit, margin > 0 ? 1 : 0);
    }
  }
  const distance = (a: number, b: number) => {
    let bits = 0;
    for (let w = 0; w < 2; w++) {
      for (let x = (codes[a * 2 + w] ^ codes[b * 2 + w]) >>> 0; x > 0; x = Math.floor(x / 2)) {
        bits += x % 2;
      }
    }
    return bits;
  };
  let within = 0;
  let across = 0;
  for (let i = 0; i < 100; i++) {
    within += distance(i, i + 4);
    across += distance(i, i + 1);
  }
  assert.ok(within < across / 2, `${within} within blobs, ${across} across`);
});

test('buckets come in order of the sum of squared margins, each once', () => {
  const bits = 6;
  // The margins whose squares the order is made for: it must then be exact.
  const margins = Float32Array.from({ length: bits }, (_, j) => Math.sqrt(((j + 1) * (j + 2)) / (4 * 7 * 8)));
  const shuffled = Float32Array.of(margins[3], -margins[0], margins[5], margins[1], -margins[4], margins[2]);
  const order = probeOrder(bits, 1000);
  const keys = new Uint32Array(order.parents.length);
  const distances = new Float64Array(keys.length);
  probeKeys(order, shuffled, 0, keys, distances, 0);
  assert.equal(keys.length, 64);
  assert.equal(new Set(keys).size, 64);
  assert.equal(keys[0], 0b101101);
  const score = (key: number) => {
    let sum = 0;
    for (let b = 0; b < bits; b++) if (((key ^ keys[0]) >> b) & 1) sum += shuffled[b] ** 2;
    return sum;
  };
  for (let i = 1; i < 64; i++) assert.ok(score(keys[i]) >= score(keys[i - 1]) - 1e-6);
  for (const [i, key] of keys.entries()) assert.ok(Math.abs(distances[i] - score(key)) < 1e-6);
});

test('an index goes through its file and grows: the same answers as one made at once', async () => {
  await using pool = await InferencePool.create({ threads: 2 });
  const points = blobVectors(2000, 20);
  const [first, second] = [rowsOf(points, 0, 1500), rowsOf(points, 1500, 2000)];
  const whole = new LshIndex(pool, await fitHashing(pool, first, { seed: 2 }));
  await whole.add(first);
  const bytes = encodeLsh(whole);
  assert.deepEqual(encodeLsh(whole), bytes);
  await whole.add(second);

  const stored = decodeLsh(bytes);
  assert.equal(stored.size, 1500);
  const grown = new LshIndex(pool, stored.family);
  await grown.add(first, stored.hashed);
  await grown.add(second);
  assert.equal(grown.size, 2000);
  assert.deepEqual(encodeLsh(grown), encodeLsh(whole));
  const queries = rowsOf(points, 1400, 1600);
  const [a, b] = [await whole.search(queries, 5), await grown.search(queries, 5)];
  assert.deepEqual(a.indices, b.indices);
  for (let q = 0; q < 200; q++) assert.equal(a.indices[q * 5], 1400 + q, 'new and old vectors find themselves');
});

test('the seed decides the hyperplanes', async () => {
  await using pool = await InferencePool.create({ threads: 1 });
  const points = blobVectors(500, 5);
  const [a, same, other] = [
    await fitHashing(pool, points, { seed: 1 }),
    await fitHashing(pool, points, { seed: 1 }),
    await fitHashing(pool, points, { seed: 2 }),
  ];
  assert.deepEqual(a, same);
  assert.notDeepEqual(a.planes.data, other.planes.data);
});

test('a heap of identical vectors does not make a query read them all', async () => {
  await using pool = await InferencePool.create({ threads: 1 });
  const points = blobVectors(2000, 20);
  for (let i = 500; i < 2000; i++) points.data.copyWithin(i * 40, 0, 40);
  const index = await LshIndex.fit(pool, points, { maxCodes: 300 });
  const found = await index.search(rowsOf(points, 0, 4), 3);
  assert.ok(found.read.codes <= 4 * 300);
});

test('a damaged or foreign file is told', async () => {
  await using pool = await InferencePool.create({ threads: 1 });
  const bytes = encodeLsh(await LshIndex.fit(pool, blobVectors(100, 2)));
  assert.throws(() => decodeLsh(bytes.subarray(0, bytes.length - 1)), /cut or changed/);
  assert.throws(() => decodeLsh(Buffer.from('something else altogether')), /does not start like one/);
  const { family, hashed } = decodeLsh(bytes);
  await assert.rejects(new LshIndex(pool, family).add(blobVectors(99, 2), hashed), /not of these 99 vectors/);
});
