/** Against every labelling there is of small pictures, and against the largest flow (Edmonds and Karp) of larger ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/properties.ts';
import { seededRandom } from '../../core/random.ts';
import { FORWARD, type GridCosts, minimumCut } from './cut.ts';

function costOf({ width, height, unary, weights }: GridCosts, labels: ArrayLike<number>): number {
  let cost = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (labels[i]) cost += unary[i];
      for (const [d, [dx, dy]] of FORWARD.entries()) {
        if (x + dx < 0 || x + dx >= width || y + dy >= height) continue;
        if (labels[i] !== labels[(y + dy) * width + x + dx]) cost += weights[d][i];
      }
    }
  }
  return cost;
}

const grid = (width: number, height: number): fc.Arbitrary<GridCosts> => {
  const n = width * height;
  const numbers = (min: number, max: number) =>
    fc.array(fc.integer({ min, max }), { minLength: n, maxLength: n }).map((list) => Int32Array.from(list));
  const weights = fc.tuple(numbers(0, 6), numbers(0, 6), numbers(0, 6), numbers(0, 6));
  return fc.tuple(numbers(-10, 10), weights).map(([unary, w]) => ({ width, height, unary, weights: w }));
};

test('no labelling of a small picture costs less', () => {
  const sizes = fc.constantFrom([1, 1], [4, 1], [1, 5], [3, 3], [4, 3]);
  fc.assert(
    fc.property(
      sizes.chain(([width, height]) => grid(width as number, height as number)),
      (costs) => {
        const n = costs.width * costs.height;
        let least = Number.POSITIVE_INFINITY;
        for (let code = 0; code < 1 << n; code++) {
          const labels = Array.from({ length: n }, (_, i) => (code >> i) & 1);
          least = Math.min(least, costOf(costs, labels));
        }
        assert.equal(costOf(costs, minimumCut(costs).object), least);
      },
    ),
    { numRuns: 150 },
  );
});

/** The least cost as the largest flow, found by shortest augmenting paths (Edmonds and Karp) on plain lists. */
function largestFlow({ width, height, unary, weights }: GridCosts): number {
  const n = width * height;
  const [source, sink] = [n, n + 1];
  const room: Map<number, number>[] = Array.from({ length: n + 2 }, () => new Map());
  const add = (a: number, b: number, forth: number, back: number) => {
    room[a].set(b, (room[a].get(b) ?? 0) + forth);
    room[b].set(a, (room[b].get(a) ?? 0) + back);
  };
  let constant = 0;
  for (let i = 0; i < n; i++) {
    const u = unary[i];
    if (u < 0) {
      add(source, i, -u, 0);
      constant += u;
    } else add(i, sink, u, 0);
    for (const [d, [dx, dy]] of FORWARD.entries()) {
      const [x, y] = [(i % width) + dx, Math.floor(i / width) + dy];
      if (x < 0 || x >= width || y >= height) continue;
      const w = weights[d][i];
      add(i, y * width + x, w, w);
    }
  }
  for (let flow = 0; ; ) {
    const from = new Map<number, number>([[source, -1]]);
    const queue = [source];
    for (let p = queue.shift(); p !== undefined && !from.has(sink); p = queue.shift()) {
      for (const [q, left] of room[p]) {
        if (left > 0 && !from.has(q)) {
          from.set(q, p);
          queue.push(q);
        }
      }
    }
    if (!from.has(sink)) return flow + constant;
    let most = Number.POSITIVE_INFINITY;
    for (let q = sink; q !== source; q = from.get(q)!) most = Math.min(most, room[from.get(q)!].get(q)!);
    for (let q = sink; q !== source; q = from.get(q)!) add(from.get(q)!, q, -most, most);
    flow += most;
  }
}

test('the cut of a larger picture costs what the largest flow is', () => {
  const sizes = fc.tuple(fc.integer({ min: 5, max: 14 }), fc.integer({ min: 5, max: 14 }));
  fc.assert(
    fc.property(
      sizes.chain(([width, height]) => grid(width, height)),
      (costs) => {
        assert.equal(costOf(costs, minimumCut(costs).object), largestFlow(costs));
      },
    ),
    { numRuns: 60 },
  );
});

/**
 * Costs as pictures have them, of every kind that is hard on augmenting paths: areas where every way is equally good,
 * strong edges beside weak terminals, pixels of no opinion, and values as large as they come.
 */
const pictures = fc
  .tuple(
    fc.integer({ min: 1, max: 48 }),
    fc.integer({ min: 1, max: 48 }),
    fc.integer(),
    fc.constantFrom(0, 1, 64, 4096),
    fc.constantFrom(0, 1, 500, 1 << 14),
    fc.constantFrom(0, 1 << 23),
  )
  .map(([width, height, seed, terminal, edge, outside]): GridCosts => {
    const random = seededRandom(seed);
    const whole = (most: number) => Math.floor(random() * (most + 1));
    const border = (i: number) => i % width < width / 5 || i < (width * height) / 5;
    const unary = Int32Array.from({ length: width * height }, (_, i) =>
      outside > 0 && border(i) ? outside : whole(2 * terminal) - terminal,
    );
    const weights = FORWARD.map(() => Int32Array.from({ length: width * height }, () => edge - whole(edge >> 1)));
    return { width, height, unary, weights: weights as unknown as GridCosts['weights'] };
  });

test('it ends whatever the costs are, with fewer paths than flow and than 20 a pixel', () => {
  let most = 0;
  fc.assert(
    fc.property(pictures, (costs) => {
      const { object, flow, augmentations } = minimumCut(costs);
      const constant = costs.unary.reduce((sum, cost) => sum + Math.min(0, cost), 0);
      assert.equal(costOf(costs, object), flow + constant, 'the cut is as dear as the flow is large: both are optimal');
      assert.ok(augmentations <= flow, `${augmentations} paths for a flow of ${flow}`);
      most = Math.max(most, augmentations / (costs.width * costs.height));
    }),
    { numRuns: 300 },
  );
  assert.ok(most < 20, `${most} paths a pixel`);
});
