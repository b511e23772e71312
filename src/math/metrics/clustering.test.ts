/** Expected values: scikit-learn 1.2.1 and scipy 1.10.1 on numbers drawn as `s ← 16807·s mod (2³¹ − 1)`. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/properties.ts';
import { assign } from './assignment.ts';
import { clusteringMetrics, silhouette } from './clustering.ts';

function drawFrom(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 16807) % 2147483647;
    return state % n;
  };
}

function close(actual: number | null, expected: number): void {
  assert.ok(actual !== null && Math.abs(actual - expected) < 1e-12, `expected ${expected}, got ${actual}`);
}

function costOf(costs: readonly number[], columns: number, chosen: Int32Array): number {
  return chosen.reduce((sum, column, row) => (column < 0 ? sum : sum + costs[row * columns + column]), 0);
}

describe('assign', () => {
  for (const [seed, rows, columns, best] of [
    [21, 7, 7, -998],
    [22, 5, 9, -1197],
    [23, 12, 6, -1613],
  ]) {
    test(`${rows} × ${columns} costs what scipy's linear_sum_assignment does`, () => {
      const draw = drawFrom(seed);
      const costs = Array.from({ length: rows * columns }, () => draw(1000) - 300);
      const chosen = assign(costs, rows, columns);
      assert.equal(costOf(costs, columns, chosen), best);
      const used = [...chosen].filter((c) => c >= 0);
      assert.equal(used.length, Math.min(rows, columns));
      assert.equal(new Set(used).size, used.length);
    });
  }

  test('is never beaten by trying all permutations of up to five', () => {
    const permutations = (items: number[]): number[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
    const square = fc
      .integer({ min: 1, max: 5 })
      .chain((n) => fc.array(fc.integer({ min: -9, max: 9 }), { minLength: n * n, maxLength: n * n }));
    fc.assert(
      fc.property(square, (costs) => {
        const n = Math.sqrt(costs.length);
        const least = Math.min(
          ...permutations(Array.from({ length: n }, (_, i) => i)).map((p) => costOf(costs, n, Int32Array.from(p))),
        );
        return costOf(costs, n, assign(costs, n, n)) === least;
      }),
    );
  });
});

describe('clusteringMetrics', () => {
  const recorded = [
    [7, 60, 4, 4, 0.7333333333333333, 0.43631956651722015, 0.4082077147933742, 0.7333333333333333, 4],
    [11, 200, 5, 9, 0.69, 0.4874619147717551, 0.4817694132273112, 0.76, 9],
    [13, 50, 6, 3, 0.5, 0.4447087504923802, 0.3189109481892303, 0.5, 3],
  ];
  for (const [seed, n, classes, clusters, accuracy, nmi, ari, purity, k] of recorded) {
    test(`${n} items, ${classes} classes, ${clusters} clusters`, () => {
      const draw = drawFrom(seed);
      const truth: number[] = [];
      const given: number[] = [];
      for (let i = 0; i < n; i++) {
        const a = draw(classes);
        truth.push(a);
        given.push(draw(3) ? a % clusters : draw(clusters));
      }
      const m = clusteringMetrics(truth, given);
      close(m.accuracy, accuracy);
      close(m.nmi, nmi);
      close(m.ari, ari);
      close(m.purity, purity);
      assert.equal(m.k, k);
    });
  }

  test('names of clusters do not matter; a perfect clustering scores 1 on all', () => {
    const perfect = clusteringMetrics([0, 0, 1, 1, 2], [50, 50, -3, -3, 8]);
    assert.deepEqual(
      [perfect.accuracy, perfect.purity, perfect.k].concat(
        [perfect.nmi, perfect.ari].map((x) => Math.round(x * 1e12) / 1e12),
      ),
      [1, 1, 3, 1, 1],
    );
  });

  test('the edge cases of scikit-learn: one class in one cluster is 1, one cluster over classes 0', () => {
    const one = clusteringMetrics([3, 3, 3], [0, 0, 0]);
    assert.deepEqual([one.nmi, one.ari], [1, 1]);
    const lumped = clusteringMetrics([0, 1, 2], [0, 0, 0]);
    assert.deepEqual([lumped.nmi, lumped.ari], [0, 0]);
  });

  test('nothing to compare is an error', () => {
    assert.throws(() => clusteringMetrics([], []), RangeError);
  });
});

describe('silhouette', () => {
  test('as scikit-learn, with one item alone in its cluster', () => {
    const draw = drawFrom(5);
    const vectors = Array.from({ length: 160 }, (_, i) => draw(1000) / 100 + (Math.floor(i / 4) % 3) * 4);
    const clusters = Array.from({ length: 40 }, (_, i) => (i === 39 ? 7 : i % 3));
    close(silhouette(vectors, 4, clusters), 0.1581670239412062);
  });

  test('a sample is the same for the same seed; one cluster has none', () => {
    const draw = drawFrom(1);
    const vectors = Array.from({ length: 600 }, () => draw(1000));
    const clusters = Array.from({ length: 300 }, (_, i) => i % 2);
    const options = { sample: 50, seed: 4 };
    assert.equal(silhouette(vectors, 2, clusters, options), silhouette(vectors, 2, clusters, options));
    assert.equal(silhouette([1, 2, 3], 1, [0, 0, 0]), null);
  });
});
