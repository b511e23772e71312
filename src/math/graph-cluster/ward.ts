/**
 * Ward's hierarchical clustering (1963) of weighted points: every step joins the two clusters whose union adds the least to
 * the sum of squared distances, n_a n_b / (n_a + n_b) · ‖c_a − c_b‖². By the nearest-neighbour chain (Murtagh, "A survey of
 * recent advances in hierarchical clustering algorithms", 1983), which gives the same tree. Cost about 3 n² d.
 */
import type { Matrix } from '../matrix.ts';

/** Step s joins nodes `left[s]` and `right[s]` into node n + s; nodes below n are the points. Costs ascend. */
export interface MergeTree {
  readonly points: number;
  /** Shape [points − 1]. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What the step adds to the sum of squared distances. */
  readonly costs: Float64Array;
}

/** @param weights how many items each point stands for, [rows]; default 1 each. */
export function wardTree(points: Matrix, weights?: ArrayLike<number>): MergeTree {
  const { data, rows: n, columns: d } = points;
  const centres = Float64Array.from(data);
  const sizes = Float64Array.from({ length: n }, (_, i) => weights?.[i] ?? 1);
  /** The node that a place holds; a joined cluster takes the place of one of its parts. */
  const nodes = Int32Array.from({ length: n }, (_, i) => i);
  const active = Int32Array.from({ length: n }, (_, i) => i);
  let left = n;
  const cost = (a: number, b: number) => {
    let square = 0;
    for (let i = a * d, j = b * d, end = i + d; i < end; i++, j++) {
      const difference = centres[i] - centres[j];
      square += difference * difference;
    }
    const [x, y] = [sizes[a], sizes[b]];
    return (square * x * y) / (x + y);
  };
  const steps: { a: number; b: number; cost: number }[] = [];
  const chain: number[] = [];
  while (left > 1) {
    if (chain.length === 0) chain.push(active[0]);
    const top = chain.at(-1) as number;
    const before = chain.at(-2);
    // The one before wins a tie, or the chain might run in circles.
    let nearest = before ?? -1;
    let least = before === undefined ? Number.POSITIVE_INFINITY : cost(top, before);
    for (let i = 0; i < left; i++) {
      const other = active[i];
      if (other === top || other === before) continue;
      const value = cost(top, other);
      if (value < least) [nearest, least] = [other, value];
    }
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const [keep, gone] = top < nearest ? [top, nearest] : [nearest, top];
    const [x, y] = [sizes[keep], sizes[gone]];
    for (let i = 0; i < d; i++) {
      const at = keep * d + i;
      centres[at] = (x * centres[at] + y * centres[gone * d + i]) / (x + y);
    }
    sizes[keep] = x + y;
    steps.push({ a: nodes[keep], b: nodes[gone], cost: least });
    nodes[keep] = n + steps.length - 1;
    const place = active.indexOf(gone);
    active.copyWithin(place, place + 1, left);
    left--;
  }
  return sortedTree(n, steps);
}

/** The chain finds joins out of order; sorted by cost they are the steps of the greedy method. */
function sortedTree(n: number, steps: readonly { a: number; b: number; cost: number }[]): MergeTree {
  const order = steps.map((_, i) => i).sort((i, j) => steps[i]?.cost - steps[j]?.cost || i - j);
  const renamed = new Int32Array(n + steps.length);
  for (let i = 0; i < n; i++) renamed[i] = i;
  order.forEach((from, to) => {
    renamed[n + from] = n + to;
  });
  const left = new Int32Array(steps.length);
  const right = new Int32Array(steps.length);
  const costs = new Float64Array(steps.length);
  order.forEach((from, to) => {
    const { a, b, cost } = steps[from];
    const [x, y] = [renamed[a], renamed[b]];
    left[to] = Math.min(x, y);
    right[to] = Math.max(x, y);
    costs[to] = cost;
  });
  return { points: n, left, right, costs };
}

/** The cluster of every point when the tree is cut into k, numbered in order of their first point. Cuts of one tree nest. */
export function cutTree({ points, left, right }: MergeTree, k: number): Int32Array {
  const steps = Math.max(0, points - Math.max(1, k));
  const parent = Int32Array.from({ length: points + steps }, (_, i) => i);
  for (let s = 0; s < steps; s++) {
    parent[left[s]] = points + s;
    parent[right[s]] = points + s;
  }
  // Parents have greater numbers than their parts, so roots are known before what hangs under them.
  const root = new Int32Array(parent.length);
  for (let node = parent.length - 1; node >= 0; node--) {
    const up = parent[node];
    root[node] = up === node ? node : root[up];
  }
  const numbers = new Map<number, number>();
  return Int32Array.from({ length: points }, (_, i) => {
    const top = root[i];
    const number = numbers.get(top) ?? numbers.size;
    numbers.set(top, number);
    return number;
  });
}

/** The node that each cluster of a cut is, by its number in {@link cutTree}. */
export function nodesOfCut(tree: MergeTree, k: number): Int32Array {
  const { points, left, right } = tree;
  const clusterOf = new Map(cutTree(tree, k).entries());
  const nodes = new Int32Array(Math.min(points, Math.max(1, k)));
  for (let leaf = 0; leaf < points; leaf++) nodes[clusterOf.get(leaf) as number] = leaf;
  // Joins come after what they join, so the last to write is the whole cluster.
  for (let s = 0; s < points - nodes.length; s++) {
    const cluster = clusterOf.get(left[s]) ?? (clusterOf.get(right[s]) as number);
    clusterOf.set(points + s, cluster);
    nodes[cluster] = points + s;
  }
  return nodes;
}
