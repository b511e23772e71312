/**
 * A tree of clusters cut around groups that are known: points of one group stay together, points of two never meet. The
 * tree itself stays as it is; its joins are done in their order, each where it breaks no rule (the must-links and
 * cannot-links of Wagstaff et al., "Constrained k-means clustering with background knowledge", 2001, on the joins of a
 * dendrogram, as in Davidson and Ravi, "Agglomerative hierarchical clustering with constraints", 2005).
 */
import type { MergeTree } from './ward.ts';

export interface ConstrainedCut {
  /** The cluster of every point, numbered in order of their first point, [points]. */
  readonly clusters: Int32Array;
  /** The group that each cluster holds, by the cluster's number; −1 for none. */
  readonly groups: Int32Array;
}

const NO_GROUP = -1;

/**
 * @param groupOf the group of every point, from 0, [points]; −1 for none.
 * @param wanted `steps`: the joins that an unconstrained cut into so many clusters does, so that known groups neither add
 *   clusters nor take any away but by their own joins. `clusters`: joins until there are so many, as far as the groups allow.
 */
export function constrainedCut(
  tree: MergeTree,
  groupOf: ArrayLike<number>,
  wanted: { readonly stepsOf: number } | { readonly clusters: number },
): ConstrainedCut {
  const { points, left, right } = tree;
  const sets = new DisjointSets(points, groupOf);
  const steps = 'stepsOf' in wanted ? points - Math.max(1, wanted.stepsOf) : points - 1;
  const most = 'clusters' in wanted ? Math.max(1, wanted.clusters) : 0;
  /** A point of what stands for each node: of parts that may not meet, the larger one. */
  const standsFor = Int32Array.from({ length: points + Math.max(0, steps) }, (_, node) => node);
  for (let step = 0; step < steps && sets.count > most; step++) {
    standsFor[points + step] = sets.join(standsFor[left[step]], standsFor[right[step]]);
  }
  const numbers = new Map<number, number>();
  const groups: number[] = [];
  const clusters = Int32Array.from({ length: points }, (_, point) => {
    const root = sets.rootOf(point);
    const number = numbers.get(root) ?? numbers.size;
    if (number === groups.length) groups.push(sets.groupOf(root));
    numbers.set(root, number);
    return number;
  });
  return { clusters, groups: Int32Array.from(groups) };
}

/** The joins that known groups leave of a tree, in their order. */
export interface JoinsAround {
  /** Clusters before the first of them: points, with each group as one. */
  readonly points: number;
  /** What each costs that makes one cluster of two. */
  readonly costs: Float64Array;
}

/** @param groupOf see {@link constrainedCut} */
export function joinsAround(tree: MergeTree, groupOf: ArrayLike<number>): JoinsAround {
  const { points, left, right, costs } = tree;
  const sets = new DisjointSets(points, groupOf);
  const first = sets.count;
  const standsFor = Int32Array.from({ length: points + left.length }, (_, node) => node);
  const done: number[] = [];
  for (let step = 0; step < left.length; step++) {
    const before = sets.count;
    standsFor[points + step] = sets.join(standsFor[left[step]], standsFor[right[step]]);
    if (sets.count < before) done.push(costs[step]);
  }
  return { points: first, costs: Float64Array.from(done) };
}

/** Union by size. The points of a group are one set from the start. */
class DisjointSets {
  readonly #parent: Int32Array;
  readonly #size: Int32Array;
  readonly #group: Int32Array;
  /** Sets there are. */
  count: number;

  constructor(points: number, groupOf: ArrayLike<number>) {
    this.#parent = Int32Array.from({ length: points }, (_, point) => point);
    this.#size = new Int32Array(points).fill(1);
    this.#group = Int32Array.from({ length: points }, (_, point) => groupOf[point]);
    this.count = points;
    const first = new Map<number, number>();
    for (let point = 0; point < points; point++) {
      const group = this.#group[point];
      if (group === NO_GROUP) continue;
      const there = first.get(group);
      if (there === undefined) first.set(group, point);
      else this.join(there, point);
    }
  }

  rootOf(point: number): number {
    let at = point;
    while (this.#parent[at] !== at) {
      this.#parent[at] = this.#parent[this.#parent[at]];
      at = this.#parent[at];
    }
    return at;
  }

  groupOf(root: number): number {
    return this.#group[root];
  }

  /** The two become one, unless each holds another group. Gives the root of the larger one in either case. */
  join(a: number, b: number): number {
    const [x, y] = [this.rootOf(a), this.rootOf(b)];
    if (x === y) return x;
    const [keep, other] = this.#size[y] > this.#size[x] ? [y, x] : [x, y];
    const [own, further] = [this.#group[keep], this.#group[other]];
    if (own !== NO_GROUP && further !== NO_GROUP && own !== further) return keep;
    this.#parent[other] = keep;
    this.#size[keep] += this.#size[other];
    this.#group[keep] = own === NO_GROUP ? further : own;
    this.count--;
    return keep;
  }
}
