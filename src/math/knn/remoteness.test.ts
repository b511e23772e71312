import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { subgraph } from './graph.ts';
import { remoteness, remotenessInGraph } from './remoteness.ts';

/** The definition: of vectors of length 1, the mean of 1 less their cosine, whatever was taken off them before. */
test('it is the cosine distance of the vectors as they were before they were centred and scaled', () => {
  const random = seededRandom(3);
  const unit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));
  const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, j) => sum + value * b[j], 0);
  const vectors = Array.from({ length: 5 }, () => unit(Array.from({ length: 8 }, random)));
  const mean = vectors[0].map((_, j) => vectors.reduce((sum, vector) => sum + vector[j] / 5, 0));
  const centred = vectors.map((vector) => vector.map((value, j) => value - mean[j]));
  const fromMean = centred.map((vector) => Math.hypot(...vector));
  const cosine = (a: number, b: number) => product(unit(centred[a]), unit(centred[b]));
  const others = [1, 2, 3, 4];
  const wanted = others.reduce((sum, b) => sum + (1 - product(vectors[0], vectors[b])) / 4, 0);
  const similarities = others.map((b) => cosine(0, b));
  const found = remoteness({ fromMean: fromMean[0], neighboursFromMean: fromMean.slice(1), similarities });
  assert.ok(Math.abs(found - wanted) < 1e-6, `${found}, expected ${wanted}`);
  const graph = { indices: Int32Array.of(1, 2, 3, 4), similarities: Float32Array.from(similarities), n: 4 };
  assert.ok(Math.abs(remotenessInGraph(graph, fromMean, 0, 4) - wanted) < 1e-6);
});

test('an item with no neighbours is not far from any', () => {
  const graph = { indices: Int32Array.of(-1), similarities: Float32Array.of(Number.NEGATIVE_INFINITY), n: 1 };
  assert.equal(remotenessInGraph(graph, [0.5], 0, 10), 0);
});

test('the graph of some rows keeps their order and leaves out neighbours that are gone', () => {
  const graph = {
    indices: Int32Array.of(1, 2, 2, 0, 0, 3, 1, -1),
    similarities: Float32Array.of(0.75, 0.5, 0.75, 0.25, 0.5, 0.25, 0.5, 0),
    n: 2,
  };
  const { indices, similarities } = subgraph(graph, [0, 2, 3]);
  assert.deepEqual([...indices], [1, -1, 0, 2, -1, -1]);
  assert.deepEqual([...similarities.filter(Number.isFinite)], [0.5, 0.5, 0.25]);
});
