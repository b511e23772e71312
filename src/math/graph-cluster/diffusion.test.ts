/** The neighbour graph, its eigenvectors and the map, against definitions and a dense decomposition. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import type { NeighbourGraph } from '../knn/graph.ts';
import { symmetricEigen } from '../pca/eigen.ts';
import { diffusionMap } from './diffusion.ts';
import { fuzzyGraph, normalisedGraph } from './fuzzy-graph.ts';
import { dense } from './sparse.ts';
import { topEigen } from './top-eigen.ts';

/** Points on the unit circle in `groups` arcs that do not touch; brute-force neighbours by cosine. */
function arcs(size: number, groups: number, n: number): NeighbourGraph {
  const random = seededRandom(1);
  const angle = Array.from({ length: size }, (_, i) => ((i % groups) + 0.3 * random()) * ((2 * Math.PI) / groups));
  const indices = new Int32Array(size * n);
  const similarities = new Float32Array(size * n);
  for (let i = 0; i < size; i++) {
    const others = angle.map((a, j) => ({ j, similarity: Math.cos(a - angle[i]) })).filter(({ j }) => j !== i);
    others.sort((a, b) => b.similarity - a.similarity || a.j - b.j);
    for (let e = 0; e < n; e++) {
      indices[i * n + e] = others[e]?.j;
      similarities[i * n + e] = others[e]?.similarity;
    }
  }
  return { indices, similarities, n };
}

test('weights: the nearest neighbour counts 1, the sum of the rest is as the formula asks, and the union is symmetric', () => {
  const graph = fuzzyGraph(arcs(60, 3, 8));
  const all = dense(graph);
  for (let i = 0; i < 60; i++) {
    assert.equal(all[i * 60 + i], 0);
    let most = 0;
    for (let j = 0; j < 60; j++) {
      assert.equal(all[i * 60 + j], all[j * 60 + i]);
      most = Math.max(most, all[i * 60 + j]);
    }
    assert.ok(Math.abs(most - 1) < 1e-12);
  }
  // Two items that are each other's only neighbours: both directions are 1, and 1 + 1 − 1 · 1 = 1.
  const pair = fuzzyGraph({ indices: Int32Array.of(1, 0), similarities: Float32Array.of(0.5, 0.5), n: 1 });
  assert.deepEqual([...dense(pair)], [0, 1, 1, 0]);
});

test('the filtered subspace finds what a dense decomposition finds, equal eigenvalues included', () => {
  const size = 320;
  // Four parts that no edge joins: the eigenvalue 1 four times.
  const graph = normalisedGraph(fuzzyGraph(arcs(size, 4, 10)));
  const found = topEigen(graph, { count: 30, tolerance: 1e-7 });
  const truth = symmetricEigen(dense(graph), size);
  assert.ok(found.residual > 0 && found.residual <= 1e-7, `iterated to ${found.residual}`);
  for (let j = 0; j < 30; j++) assert.ok(Math.abs(found.values[j] - truth.values[j]) < 1e-9);
  assert.ok(found.values[3] > 1 - 1e-9);
  for (let a = 0; a < 30; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let i = 0; i < size; i++) dot += found.vectors[i * 30 + a] * found.vectors[i * 30 + b];
      assert.ok(Math.abs(dot - (a === b ? 1 : 0)) < 1e-9, `columns ${a} and ${b}`);
    }
  }
});

test('of more parts than are asked for, which all have the eigenvalue 1, some are found in few rounds', () => {
  // As often as there are parts: von Luxburg, "A tutorial on spectral clustering", Stat. Comput. 17, 2007, proposition 4.
  const [size, parts] = [720, 60];
  const graph = normalisedGraph(fuzzyGraph(arcs(size, parts, 6)));
  const found = topEigen(graph, { count: 30, maxRounds: 12 });
  assert.ok(found.residual <= 1e-5, `left ${found.residual}`);
  for (const value of found.values) assert.ok(Math.abs(value - 1) < 1e-9, `${value}`);
});

test('in the map, parts that no edge joins stand at right angles, and an item has length 1', () => {
  const { coordinates } = diffusionMap(arcs(90, 3, 6), { dimensions: 3 });
  const { data, columns } = coordinates;
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += data[a * columns + j] * data[b * columns + j];
    return sum;
  };
  for (let a = 0; a < 90; a++) {
    for (let b = 0; b < 90; b++) {
      assert.ok(Math.abs(dot(a, b) - (a % 3 === b % 3 ? 1 : 0)) < 1e-4, `items ${a} and ${b}: ${dot(a, b)}`);
    }
  }
});

test('the same seed gives the same bytes', () => {
  const once = diffusionMap(arcs(400, 5, 10), { seed: 7, dimensions: 12 });
  const again = diffusionMap(arcs(400, 5, 10), { seed: 7, dimensions: 12 });
  assert.deepEqual(again.coordinates.data, once.coordinates.data);
});
