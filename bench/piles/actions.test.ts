/** Counted by hand from the rules at the top of `actions.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutTree, wardTree } from '../../src/math/graph-cluster/ward.ts';
import { matrix } from '../../src/math/matrix.ts';
import { actionsTo95 } from './actions.ts';

/** Forty items on a line, ten at each of four places; the tree joins 0 with 1 and 10 with 11. */
const places = [0, 1, 10, 11];
const items = places.flatMap((place) => Array.from({ length: 10 }, (_, i) => place + i / 1000));
const tree = wardTree(matrix(Float32Array.from(items), 40, 1));
const leafOf = Int32Array.from(items, (_, i) => i);
const truth = places.flatMap((_, c) => Array<number>(10).fill(c));
const at = (k: number, of = truth) => actionsTo95({ truth: of, labels: cutTree(tree, k), leafOf, tree });

test('clusters that are the classes are named; a missing split costs one more', () => {
  assert.equal(at(4), 4);
  assert.equal(at(3), 5);
  assert.equal(at(1), 7);
});

test('clusters of one class are each named', () => {
  assert.equal(at(4, Array<number>(40).fill(0)), 4);
});

test('two wrong of forty may stay; of four, two are moved, since to split each out would cost two', () => {
  const stray = (count: number) => truth.map((c, i) => (i % 10 === 5 && i / 10 < count ? (c + 2) % 4 : c));
  assert.equal(at(4, stray(2)), 4);
  assert.equal(at(4, stray(4)), 6);
});

test('junk needs nothing; a pile of nothing needs nothing', () => {
  assert.equal(
    at(
      4,
      truth.map((c) => (c === 3 ? -1 : c)),
    ),
    3,
  );
  assert.equal(
    at(
      4,
      truth.map(() => -1),
    ),
    0,
  );
});
