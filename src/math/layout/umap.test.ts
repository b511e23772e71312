import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobVectors } from '../../../test/contracts/neighbours.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { fuzzyGraph } from '../graph-cluster/fuzzy-graph.ts';
import { exactIndex } from '../knn/exact.ts';
import { neighbourGraph } from '../knn/graph.ts';
import { layOut } from './umap.ts';

/** Rows of one blob follow each other at a distance of the number of blobs. */
async function blobGraph(rows: number, blobs: number) {
  await using pool = await InferencePool.create({ threads: 1 });
  const points = blobVectors(rows, blobs);
  const neighbours = await neighbourGraph(exactIndex(pool, points), points, 10);
  return { neighbours, graph: fuzzyGraph(neighbours) };
}

/**
 * How well neighbourhoods are kept, 0 to 1: trustworthiness (Venna and Kaski, "Neighborhood preservation in nonlinear
 * projection methods", ICANN 2001), with n neighbours on the plane and ranks by cosine.
 */
function trustworthiness(places: Float32Array, similarity: (a: number, b: number) => number, n: number): number {
  const size = places.length / 2;
  let penalty = 0;
  for (let i = 0; i < size; i++) {
    const others = Array.from({ length: size }, (_, j) => j).filter((j) => j !== i);
    const rank = new Map(
      others
        .toSorted((a, b) => similarity(i, b) - similarity(i, a))
        .map((j, place): [number, number] => [j, place + 1]),
    );
    const distance = (j: number) => Math.hypot(places[2 * i] - places[2 * j], places[2 * i + 1] - places[2 * j + 1]);
    for (const j of others.toSorted((a, b) => distance(a) - distance(b)).slice(0, n)) {
      penalty += Math.max(0, (rank.get(j) as number) - n);
    }
  }
  return 1 - (2 * penalty) / (size * n * (2 * size - 3 * n - 1));
}

test('neighbours stay neighbours, blobs stay apart', async () => {
  const { graph } = await blobGraph(300, 5);
  const places = layOut(graph, { seed: 3 });
  const points = blobVectors(300, 5);
  const similarity = (a: number, b: number) => {
    let sum = 0;
    for (let j = 0; j < 40; j++) sum += points.data[a * 40 + j] * points.data[b * 40 + j];
    return sum;
  };
  // Places drawn at random have about .5.
  const kept = trustworthiness(places, similarity, 10);
  assert.ok(kept > 0.85, `trustworthiness ${kept}`);
  let own = 0;
  for (let i = 0; i < 300; i++) {
    let [nearest, least] = [-1, Number.POSITIVE_INFINITY];
    for (let j = 0; j < 300; j++) {
      const distance = Math.hypot(places[2 * i] - places[2 * j], places[2 * i + 1] - places[2 * j + 1]);
      if (j !== i && distance < least) [nearest, least] = [j, distance];
    }
    if (nearest % 5 === i % 5) own++;
  }
  assert.equal(own, 300);
});

test('the seed decides the layout; no two items share a place', async () => {
  const { graph } = await blobGraph(120, 3);
  const places = layOut(graph, { seed: 1 });
  assert.deepEqual(layOut(graph, { seed: 1 }), places);
  assert.notDeepEqual(layOut(graph, { seed: 2 }), places);
  const seen = new Set(Array.from({ length: 120 }, (_, i) => `${places[2 * i]} ${places[2 * i + 1]}`));
  assert.equal(seen.size, 120);
  assert.ok(places.every(Number.isFinite));
});

test('none, one and two items, and items without neighbours, have places', () => {
  const lonely = (size: number) => ({
    size,
    starts: new Int32Array(size + 1),
    columns: new Int32Array(0),
    values: new Float64Array(0),
  });
  for (const size of [0, 1, 2, 5]) {
    const places = layOut(lonely(size));
    assert.equal(places.length, 2 * size);
    assert.ok(places.every(Number.isFinite));
  }
});
