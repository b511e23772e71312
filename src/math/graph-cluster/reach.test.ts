/** Expected values: the linear system (I − s P) f = s P 1 on the unmarked items, solved with numpy 1.26 (see each test). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachOf } from './reach.ts';
import type { SparseMatrix } from './sparse.ts';

function graphOf(size: number, edges: readonly (readonly [a: number, b: number, weight: number])[]): SparseMatrix {
  const rows = Array.from({ length: size }, () => new Map<number, number>());
  for (const [a, b, weight] of edges) {
    rows[a].set(b, weight);
    rows[b].set(a, weight);
  }
  const starts = new Int32Array(size + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (const [i, row] of rows.entries()) {
    for (const [column, value] of [...row].sort(([a], [b]) => a - b)) {
      columns.push(column);
      values.push(value);
    }
    starts[i + 1] = columns.length;
  }
  return { size, starts, columns: Int32Array.from(columns), values: Float64Array.from(values) };
}

test('a chain: each step away costs, by the exact solution of the harmonic system', () => {
  // 0 (marked) – 1 – 2 – 3, weights 1: f1 = .45 (1 + f2), f2 = .45 (f1 + f3), f3 = .9 f2.
  const reach = reachOf(
    graphOf(4, [
      [0, 1, 1],
      [1, 2, 1],
      [2, 3, 1],
    ]),
    [[0]],
  );
  const expected = [1, 0.68216561, 0.51592357, 0.46433121];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(reach[i] - value) < 1e-3, `${i}: ${reach[i]}`);
});

test('a part without marked items is not reached; sets are independent of each other', () => {
  const graph = graphOf(5, [
    [0, 1, 0.5],
    [1, 2, 1],
    [3, 4, 1],
  ]);
  const both = reachOf(graph, [[0], [3]]);
  assert.deepEqual(
    Array.from(reachOf(graph, [[0]])),
    Array.from(both).filter((_, i) => i % 2 === 0),
  );
  assert.equal(both[3 * 2], 0);
  assert.equal(both[4 * 2], 0);
  assert.ok(Math.abs(both[4 * 2 + 1] - 0.9) < 1e-12);
});

test('an item with no neighbour is reached only when it is marked', () => {
  const graph = graphOf(3, [[0, 1, 1]]);
  assert.deepEqual(Array.from(reachOf(graph, [[0, 2]])), [1, 0.9, 1]);
  assert.equal(reachOf(graph, [[0]])[2], 0);
});
