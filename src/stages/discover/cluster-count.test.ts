/** The rule on trees whose number of clusters is beyond doubt: made-up places on a sphere, far apart and tight. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { matrix, normalisedRows } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { chosenCount, clusterCounts, likelyRange } from './cluster-count.ts';
import { cutHierarchy, type Hierarchy, hierarchyOf } from './hierarchy.ts';
import { levelsOf, suggestedK, suggestedRange } from './levels.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

/** `sizes[c]` items around a random place each, in 32 dimensions. */
async function treeOf(sizes: readonly number[], spread = 0.05): Promise<Hierarchy> {
  const random = seededRandom(5);
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
  const rows = sizes.flatMap((size) => {
    const centre = Array.from({ length: 32 }, normal);
    return Array.from({ length: size }, () => centre.map((one) => one + spread * 5.6 * normal()));
  });
  const vectors = normalisedRows(matrix(Float32Array.from(rows.flat()), rows.length, 32));
  return hierarchyOf(pool, vectors, { method: 'graph', seed: 0 });
}

for (const [what, sizes] of Object.entries({
  'three of thirty': [30, 30, 30],
  'eight of twenty': Array<number>(8).fill(20),
  'twenty-five of sixteen': Array<number>(25).fill(16),
  'skewed ones': [80, 50, 30, 20, 12],
})) {
  test(`${what} are found, and said to be likely`, async () => {
    const hierarchy = await treeOf(sizes);
    const k = suggestedK(hierarchy);
    assert.ok(Math.max(k / sizes.length, sizes.length / k) <= 1.35, `${k} for ${sizes.length}`);
    const range = suggestedRange(hierarchy);
    assert.ok(range && range.least <= k && k <= range.most);
    assert.equal(new Set(cutHierarchy(hierarchy, k)).size, k);
    assert.ok(levelsOf(hierarchy).includes(k));
  });
}

test('levels ascend, the coarser and the finer well apart from the classes', async () => {
  const hierarchy = await treeOf(Array<number>(12).fill(25));
  const levels = levelsOf(hierarchy);
  assert.ok(levels.length >= 2 && levels.length <= 3, levels.join());
  for (let i = 1; i < levels.length; i++) assert.ok(levels[i] >= 1.7 * levels[i - 1], levels.join());
});

test('chances sum to one; the range leaves out a fiftieth of them below and .15 above, and holds the number that is shown', () => {
  const evidence = { ks: [1, 2, 3, 4], measures: Float64Array.from({ length: 32 }, (_, i) => Math.sin(i)) };
  const counts = clusterCounts(evidence, 100);
  for (const parts of [counts.chances, counts.shares]) {
    assert.ok(Math.abs(parts.reduce((sum, one) => sum + one, 0) - 1) < 1e-12);
  }
  // Sums by hand: .01, .25, .75, .95, 1.
  const chances = [0.01, 0.24, 0.5, 0.2, 0.05];
  assert.deepEqual(likelyRange({ ks: [2, 4, 6, 8, 10], chances, shares: chances }), { least: 4, most: 8 });
  // Surer than the chances, the shares may put what is shown outside of that.
  const sure = { ks: [2, 4, 6, 8, 10], chances, shares: [0, 0, 0, 0.1, 0.9] };
  assert.deepEqual(likelyRange(sure), { least: 4, most: 10 });
});

test('rather more clusters than fewer: three fifths of the shares lie at the number shown or below it', () => {
  const ks = [2, 4, 6, 8, 10];
  assert.equal(chosenCount({ ks, shares: [0.05, 0.2, 0.5, 0.2, 0.05] }), 6);
  // The likeliest is 2, but more than half say that it is too few.
  assert.equal(chosenCount({ ks, shares: [0.4, 0.15, 0.25, 0.1, 0.1] }), 6);
  assert.equal(chosenCount({ ks, shares: [0.4, 0.15, 0.25, 0.1, 0.1] }, 0.5), 4);
  assert.equal(chosenCount({ ks, shares: [1, 0, 0, 0, 0] }), 2);
  // Sums that rounding leaves below what was asked for.
  assert.equal(chosenCount({ ks, shares: [0.2, 0.2, 0.2, 0.2, 0.2] }, 1 + 1e-12), 10);
});

test('what people said is followed: parts that they call one class make a coarser cut, clusters that they part a finer one', async () => {
  // Four places around each of four: 16 kinds of 4 classes, apart or not so much.
  const kindOf = (item: number) => Math.floor(item / 10);
  const classOf = (item: number) => Math.floor(item / 40);
  for (const [spread, unsaid] of [
    [0.3, 16],
    [0.36, 4],
  ] as const) {
    const random = seededRandom(7);
    const normal = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
    const around = (centre: readonly number[], by: number) => centre.map((one) => one + by * normal());
    const classes = Array.from({ length: 4 }, () => around(Array<number>(32).fill(0), 1));
    const kinds = classes.flatMap((centre) => Array.from({ length: 4 }, () => around(centre, 0.3)));
    const rows = kinds.flatMap((centre) => Array.from({ length: 10 }, () => around(centre, spread)));
    const vectors = normalisedRows(matrix(Float32Array.from(rows.flat()), rows.length, 32));
    const hierarchy = await hierarchyOf(pool, vectors, { method: 'graph', seed: 0 });
    /** Of the first half of the items, which are two classes of four kinds. */
    const said = (of: (item: number) => number) => Int32Array.from(rows, (_, item) => (item < 80 ? of(item) : -1));
    assert.equal(suggestedK(hierarchy), unsaid);
    assert.equal(suggestedK(hierarchy, said(classOf)), 4);
    assert.equal(suggestedK(hierarchy, said(kindOf)), 16);
    assert.equal(suggestedK(hierarchy, new Int32Array(rows.length).fill(-1)), unsaid);
    // One cluster of those shown, with two of another in it, together or not, says nothing of how many there are.
    const [size] = unsaid === 16 ? [10] : [40];
    for (const strays of [[size], [size, size + 1], [size, 159]]) {
      const one = Int32Array.from(rows, (_, item) => (item < size || strays.includes(item) ? 0 : -1));
      assert.equal(suggestedK(hierarchy, one), unsaid, `${strays} among ${size}`);
    }
    // Nor do a few images of two classes of many say how the others are parted.
    const few = Int32Array.from(rows, (_, item) => (item < 80 && item % 10 < 2 ? classOf(item) : -1));
    assert.equal(suggestedK(hierarchy, few), unsaid);
    const range = suggestedRange(hierarchy, said(classOf));
    assert.ok(range && range.least <= 4 && range.most < 16);
    assert.ok(levelsOf(hierarchy, said(classOf)).includes(4));
  }
});

test('a tree with no evidence, as earlier versions saved it, is cut at its longest step', async () => {
  const { leafOf, tree } = await treeOf([30, 30, 30]);
  assert.equal(suggestedK({ leafOf, tree }), 3);
  assert.equal(suggestedRange({ leafOf, tree }), undefined);
});

test('few items, one place, and places for each item give an answer', async () => {
  for (const count of [2, 3, 5, 10, 20]) {
    for (const sizes of [[count], Array<number>(count).fill(1)]) {
      const hierarchy = await treeOf(sizes);
      const k = suggestedK(hierarchy);
      assert.ok(k >= 1 && k <= count, `${k} of ${count}`);
      assert.equal(cutHierarchy(hierarchy, k).length, count);
    }
  }
  const alike = normalisedRows(matrix(new Float32Array(20 * 8).fill(1), 20, 8));
  const k = suggestedK(await hierarchyOf(pool, alike, { method: 'graph', seed: 0 }));
  assert.ok(k >= 1 && k <= 10);
});
