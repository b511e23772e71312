import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobVectors, neighbourContract, neighboursByDefinition } from '../../../test/contracts/neighbours.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { matrix, normalisedRows, rowsOf } from '../matrix.ts';
import { exactIndex } from './exact.ts';
import { neighbourGraph } from './graph.ts';
import { noNeighbours, offer, recall } from './neighbours.ts';

neighbourContract('exact', { recall: 1, create: exactIndex });

test('cosines are those of scikit-learn', async () => {
  // scikit-learn 1.2.1, NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute") in double precision, on the
  // points of `kmeans.test.ts` scaled to length 1.
  const x = new Float32Array(600 * 16);
  for (let i = 0; i < 600; i++) {
    for (let j = 0; j < 16; j++) {
      x[i * 16 + j] = ((i * 7919 + j * 104729 + i * j * 31) % 997) / 997 + (((i % 7) * (j + 3)) % 5) * 0.5;
    }
  }
  await using pool = await InferencePool.create({ threads: 1 });
  const points = normalisedRows(matrix(x, 600, 16));
  const found = await exactIndex(pool, points).search(rowsOf(points, 0, 2), 5);
  assert.deepEqual([...found.indices], [0, 418, 257, 96, 224, 1, 321, 64, 482, 225]);
  const expected = [
    1, 0.99296308, 0.96253909, 0.93255059, 0.92369704, 1, 0.98669797, 0.98551334, 0.98516029, 0.98491163,
  ];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found.similarities[i] - value) < 1e-6);
});

test('several blocks of queries and vectors are put together', async () => {
  await using pool = await InferencePool.create({ threads: 2 });
  const points = blobVectors(9000, 12, 3);
  const found = await exactIndex(pool, points).search(rowsOf(points, 0, 300), 4);
  assert.deepEqual(found.indices, neighboursByDefinition(points, rowsOf(points, 0, 300), 4).indices);
});

test('the graph of neighbours leaves each vector itself out, but not its duplicates', async () => {
  await using pool = await InferencePool.create({ threads: 2 });
  const points = blobVectors(200, 5);
  points.data.copyWithin(40 * 7, 40 * 3, 40 * 4); // vector 7 is now vector 3
  const graph = await neighbourGraph(exactIndex(pool, points), points, 6);
  const truth = neighboursByDefinition(points, points, 7);
  for (let row = 0; row < 200; row++) {
    const own = [...truth.indices.subarray(row * 7, (row + 1) * 7)].filter((index) => index !== row);
    assert.deepEqual([...graph.indices.subarray(row * 6, (row + 1) * 6)], own.slice(0, 6));
  }
  assert.equal(graph.indices[3 * 6], 7);
  assert.equal(graph.indices[7 * 6], 3);
});

test('offers keep the best, equal ones in order of index', () => {
  const found = noNeighbours(1, 3);
  for (const [index, similarity] of [
    [4, 0.5],
    [9, 0.7],
    [2, 0.5],
    [1, 0.1],
    [7, 0.5],
  ] as const) {
    offer(found, 0, index, similarity);
  }
  assert.deepEqual([...found.indices], [9, 2, 4]);
});

test('recall counts true neighbours that were found', () => {
  const of = (...indices: number[]) => ({ ...noNeighbours(1, indices.length), indices: Int32Array.from(indices) });
  assert.equal(recall(of(1, 2, 3), of(3, 9, 1)), 2 / 3);
  assert.equal(recall(of(5), of(-1)), 1);
});
