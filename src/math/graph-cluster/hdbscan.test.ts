/** Clusters of known density among scattered points. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import type { NeighbourGraph } from '../knn/graph.ts';
import { hdbscan } from './hdbscan.ts';

/** Similarity 1 − d²/2, so that √(2 − 2·similarity) is the distance in the plane. */
function planeGraph(points: readonly (readonly [number, number])[], n: number): NeighbourGraph {
  const indices = new Int32Array(points.length * n);
  const similarities = new Float32Array(points.length * n);
  points.forEach(([x, y], i) => {
    const others = points.map(([a, b], j) => ({ j, d2: (a - x) ** 2 + (b - y) ** 2 })).filter(({ j }) => j !== i);
    others.sort((a, b) => a.d2 - b.d2 || a.j - b.j);
    others.slice(0, n).forEach(({ j, d2 }, e) => {
      indices[i * n + e] = j;
      similarities[i * n + e] = 1 - d2 / 2;
    });
  });
  return { indices, similarities, n };
}

const random = seededRandom(11);
const near = (x: number, y: number, spread: number, count: number) =>
  Array.from({ length: count }, () => [x + spread * (random() - 0.5), y + spread * (random() - 0.5)] as const);

test('two dense groups and a thin one are found, scattered points are noise', () => {
  const groups = [near(0, 0, 0.2, 40), near(1, 0, 0.2, 40), near(0.5, 3, 0.8, 40)];
  const scattered = Array.from({ length: 12 }, (_, i) => [8 + 3 * i, -9 + ((7 * i) % 5)] as const);
  const points = [...groups.flat(), ...scattered];
  const { labels, strengths } = hdbscan(planeGraph(points, 12), { minClusterSize: 13 }, [planeGraph(points, 131)]);
  for (let group = 0; group < 3; group++) {
    const own = labels.subarray(40 * group, 40 * (group + 1));
    assert.ok(own.filter((label) => label === group).length >= 36, `group ${group}: ${own}`);
    assert.ok(
      own.every((label) => label === group || label === -1),
      `group ${group} is not mixed`,
    );
  }
  assert.ok(
    labels.subarray(120).every((label) => label === -1),
    `noise: ${labels.subarray(120)}`,
  );
  for (const [i, label] of labels.entries()) assert.equal(strengths[i] > 0, label >= 0);
});

test('fewer items than a cluster needs are one cluster; parts that no edge joins are apart', () => {
  assert.deepEqual([...hdbscan(planeGraph(near(0, 0, 1, 6), 3), { minClusterSize: 8 }).labels], [0, 0, 0, 0, 0, 0]);
  const far = [...near(0, 0, 0.1, 20), ...near(1e3, 0, 0.1, 20)];
  const { labels } = hdbscan(planeGraph(far, 5), { minClusterSize: 5, minSamples: 2 });
  const [first, second] = [new Set(labels.subarray(0, 20)), new Set(labels.subarray(20))];
  for (const label of first) assert.ok(label === -1 || !second.has(label));
});
