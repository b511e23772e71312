/** Against what the rules say, over random trees, and against the plain cut where there are no groups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { newSharedMatrix } from '../matrix.ts';
import { constrainedCut, joinsAround } from './constrained-cut.ts';
import { cutTree, wardTree } from './ward.ts';

function randomTree(points: number, seed: number) {
  const random = seededRandom(seed, 'points');
  const matrix = newSharedMatrix(points, 3);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = random();
  return { tree: wardTree(matrix), random };
}

test('without groups it is the plain cut', () => {
  const { tree } = randomTree(60, 1);
  const none = new Int32Array(60).fill(-1);
  for (const k of [1, 2, 7, 30, 60]) {
    assert.deepEqual(constrainedCut(tree, none, { clusters: k }).clusters, cutTree(tree, k));
    assert.deepEqual(constrainedCut(tree, none, { stepsOf: k }).clusters, cutTree(tree, k));
  }
});

test('points of one group stay together, of two never meet, and k is kept wherever the groups allow it', () => {
  for (let seed = 0; seed < 200; seed++) {
    const points = 5 + (seed % 40);
    const { tree, random } = randomTree(points, seed);
    const groups = 1 + Math.floor(random() * 4);
    const groupOf = Int32Array.from({ length: points }, () => Math.floor(random() * (groups + 3)) - 3).map((g) =>
      Math.max(-1, g),
    );
    const used = new Set(groupOf.filter((group) => group >= 0));
    for (const clusters of [1, 3, groups, points]) {
      const cut = constrainedCut(tree, groupOf, { clusters });
      const found = cut.groups.length;
      for (const group of used) {
        const of = new Set(cut.clusters.filter((_, point) => groupOf[point] === group));
        assert.equal(of.size, 1, 'one group, one cluster');
        assert.equal(cut.groups[[...of][0]], group);
      }
      assert.equal(cut.groups.filter((group) => group >= 0).length, used.size, 'no cluster holds two');
      const united = points - groupOf.filter((group) => group >= 0).length + used.size;
      // With no rule in the way there are as many as were asked for; several groups may keep a rest apart.
      if (used.size <= 1) assert.equal(found, Math.max(1, Math.min(clusters, united)));
      else assert.ok(found >= Math.min(clusters, united) && found <= united);
    }
  }
});

test('two groups in one cluster of the plain cut: what lies between goes with the one it is joined to first', () => {
  // On a line: 0 1 2 | 10 11 12; one group at 0, the other at 2.
  const matrix = newSharedMatrix(6, 1);
  matrix.data.set([0, 1.1, 2.1, 10, 11, 12]);
  const tree = wardTree(matrix);
  const { clusters, groups } = constrainedCut(tree, [0, -1, 1, -1, -1, -1], { stepsOf: 2 });
  assert.deepEqual([...clusters], [0, 1, 1, 2, 2, 2]);
  assert.deepEqual([...groups], [0, 1, -1]);
});

test('joins around groups: one fewer cluster each, from as many as the groups leave, at what the tree pays for them', () => {
  for (let seed = 0; seed < 60; seed++) {
    const points = 5 + (seed % 40);
    const { tree, random } = randomTree(points, seed);
    assert.deepEqual(joinsAround(tree, new Int32Array(points).fill(-1)), { points, costs: tree.costs });
    const groupOf = Int32Array.from({ length: points }, () => Math.max(-1, Math.floor(random() * 6) - 3));
    const joins = joinsAround(tree, groupOf);
    const most = constrainedCut(tree, groupOf, { clusters: points }).groups.length;
    const least = constrainedCut(tree, groupOf, { clusters: 1 }).groups.length;
    assert.deepEqual([joins.points, joins.points - joins.costs.length], [most, least]);
    const costs = [...tree.costs];
    let from = 0;
    for (const cost of joins.costs) {
      from = costs.indexOf(cost, from) + 1;
      assert.ok(from > 0, 'in their order');
    }
  }
});
