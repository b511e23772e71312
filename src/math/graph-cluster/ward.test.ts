/** Costs and cuts against SciPy 1.10, `scipy.cluster.hierarchy.ward` (its heights h are √(2 · cost)) and `fcluster`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { matrix } from '../matrix.ts';
import { cutTree, wardTree } from './ward.ts';

const POINTS = matrix(
  Float32Array.from({ length: 36 }, (_, at) => {
    const i = Math.floor(at / 3);
    if (at % 3 === 0) return Math.sin(1.7 * i) + 3 * (i % 3);
    return at % 3 === 1 ? Math.cos(2.3 * i) + (i % 3 === 1 ? 2 : 0) : Math.sin(0.9 * i * i);
  }),
  12,
  3,
);
const COSTS = [
  0.152496, 0.188008, 0.436999, 0.511843, 0.733769, 1.072748, 2.360819, 2.493511, 2.510248, 23.018614, 66.539129,
];
const CUTS: Readonly<Record<number, readonly number[]>> = {
  2: [2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 1],
  3: [3, 2, 1, 3, 2, 1, 3, 2, 1, 3, 2, 1],
  5: [5, 2, 1, 4, 2, 1, 4, 3, 1, 5, 3, 1],
};

/** Which items share a cluster, whatever its number. */
function together(labels: ArrayLike<number>): boolean[] {
  return Array.from(labels).flatMap((a) => Array.from(labels).map((b) => a === b));
}

test('the tree and its cuts are those of SciPy', () => {
  const tree = wardTree(POINTS);
  for (const [i, cost] of COSTS.entries()) assert.ok(Math.abs(tree.costs[i] - cost) < 1e-4, `step ${i}`);
  for (const [k, labels] of Object.entries(CUTS)) {
    assert.deepEqual(together(cutTree(tree, Number(k))), together(labels), `cut into ${k}`);
  }
});

test('a point of weight three stands for three points at one place', () => {
  const data = Float32Array.from([0, 1, 5, 5, 5, 9]);
  const apart = wardTree(matrix(data, 6, 1));
  const weighed = wardTree(matrix(Float32Array.from([0, 1, 5, 9]), 4, 1), [1, 1, 3, 1]);
  assert.deepEqual([...weighed.costs], [...apart.costs].slice(2));
});

test('cuts nest: items that share a cluster share one in every coarser cut', () => {
  const random = seededRandom(3);
  const tree = wardTree(matrix(Float32Array.from({ length: 240 }, random), 60, 4));
  for (let k = 2; k < 60; k++) {
    const [coarse, fine] = [cutTree(tree, k - 1), cutTree(tree, k)];
    const parent = new Map<number, number>();
    for (let i = 0; i < 60; i++) {
      const above = parent.get(fine[i]) ?? coarse[i];
      assert.equal(coarse[i], above);
      parent.set(fine[i], above);
    }
    assert.equal(parent.size, k);
  }
});

test('one point is one cluster, and more clusters than points are the points', () => {
  const one = wardTree(matrix(Float32Array.of(1, 2), 1, 2));
  assert.deepEqual([...cutTree(one, 3)], [0]);
  assert.deepEqual([...cutTree(wardTree(matrix(Float32Array.of(1, 2, 3), 3, 1)), 9)], [0, 1, 2]);
});
