/**
 * HDBSCAN* on a neighbour graph (Campello, Moulavi and Sander, PAKDD 2013): clusters are what stays together longest as the
 * density threshold rises; what belongs to none is noise.
 *
 * Distances are √(2 − 2·similarity) of the graph's edges, made mutually reachable (no less than either end's distance to its
 * `minSamples`-th neighbour). The minimum spanning tree is taken of the graphs' edges alone: give a second graph of edges from
 * every item to a few far ones, or parts that no edge joins are infinitely far apart, and whatever lies between them seems
 * to belong to one of them. Cost: sorting the edges.
 */
import type { NeighbourGraph } from '../knn/graph.ts';

export interface HdbscanOptions {
  /** Fewer items together are noise. At least 2. */
  readonly minClusterSize: number;
  /** The neighbour whose distance is an item's density (default 5). */
  readonly minSamples?: number;
}

export interface HdbscanResult {
  /** Shape [items]; −1 is noise. Clusters are numbered in order of their first item. */
  readonly labels: Int32Array;
  /** How long an item stayed in its cluster, over the longest of that cluster, 0 to 1. Shape [items]. */
  readonly strengths: Float64Array;
}

/** @param graph each item's nearest others. @param bridges edges to far ones, of the same items. */
export function hdbscan(
  graph: NeighbourGraph,
  options: HdbscanOptions,
  bridges: readonly NeighbourGraph[] = [],
): HdbscanResult {
  const { minClusterSize, minSamples = 5 } = options;
  const size = graph.indices.length / graph.n;
  const tree = joinedInOrder(reachability(graph, bridges, Math.min(minSamples, graph.n)), size);
  return extract(condense(tree, size, minClusterSize), size);
}

interface Edge {
  readonly a: number;
  readonly b: number;
  readonly distance: number;
}

function reachability(graph: NeighbourGraph, bridges: readonly NeighbourGraph[], minSamples: number): Edge[] {
  const distance = (similarity: number) => Math.sqrt(Math.max(0, 2 - 2 * similarity));
  const core = (item: number) => {
    const e = item * graph.n + minSamples - 1;
    return graph.indices[e] < 0 ? 0 : distance(graph.similarities[e]);
  };
  const edges: Edge[] = [];
  for (const { indices, similarities, n } of [graph, ...bridges]) {
    for (let e = 0; e < indices.length; e++) {
      const [a, b] = [Math.floor(e / n), indices[e]];
      if (b < 0 || a === b) continue;
      edges.push({ a, b, distance: Math.max(distance(similarities[e]), core(a), core(b)) });
    }
  }
  return edges.sort((x, y) => x.distance - y.distance || x.a - y.a || x.b - y.b);
}

/** A node of the single-linkage tree: nodes below `size` are items, `size + s` is step s. */
interface Join {
  readonly left: number;
  readonly right: number;
  readonly distance: number;
  readonly size: number;
}

/** Kruskal (1956): joins in order of distance, then parts that nothing joins, at infinity. */
function joinedInOrder(edges: readonly Edge[], size: number): Join[] {
  const parent = Int32Array.from({ length: 2 * size }, (_, i) => i);
  const find = (node: number) => {
    let root = node;
    while (parent[root] !== root) root = parent[root];
    for (let at = node; at !== root; ) {
      const up = parent[at];
      parent[at] = root;
      at = up;
    }
    return root;
  };
  const sizes = new Int32Array(2 * size).fill(1, 0, size);
  const joins: Join[] = [];
  const join = (a: number, b: number, distance: number) => {
    const [left, right] = [find(a), find(b)];
    if (left === right) return;
    const node = size + joins.length;
    sizes[node] = sizes[left] + sizes[right];
    parent[left] = node;
    parent[right] = node;
    joins.push({ left, right, distance, size: sizes[node] });
  };
  for (const { a, b, distance } of edges) join(a, b, distance);
  for (let item = 1; item < size; item++) join(0, item, Number.POSITIVE_INFINITY);
  return joins;
}

interface Condensed {
  readonly parent: number;
  /** λ = 1 / distance at which it split off. */
  readonly birth: number;
  readonly children: number[];
  /** Items that fell out of it by themselves, and at which λ. */
  readonly fallen: { readonly item: number; readonly lambda: number }[];
  /** Σ over its items of (λ at which they left − birth). */
  stability: number;
}

/** Keeps a split only where both sides have `least` items; else items fall out of the cluster that goes on. */
function condense(joins: readonly Join[], size: number, least: number): Condensed[] {
  const clusters: Condensed[] = [{ parent: -1, birth: 0, children: [], fallen: [], stability: 0 }];
  const sizeOf = (node: number) => (node < size ? 1 : joins[node - size]?.size);
  const open: { node: number; cluster: number }[] = [{ node: size + joins.length - 1, cluster: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, cluster } = next;
    const { left, right, distance } = joins[node - size];
    const lambda = distance > 0 ? Math.min(1 / distance, 1e12) : 1e12;
    const into = clusters[cluster];
    const sides = [left, right];
    const large = sides.filter((side) => sizeOf(side) >= least);
    for (const side of sides) {
      if (large.length === 2) {
        into.stability += sizeOf(side) * (lambda - into.birth);
        into.children.push(clusters.length);
        if (side >= size) open.push({ node: side, cluster: clusters.length });
        clusters.push({ parent: cluster, birth: lambda, children: [], fallen: [], stability: 0 });
      } else if (large.includes(side)) {
        if (side >= size) open.push({ node: side, cluster });
      } else {
        for (const item of itemsUnder(side, joins, size)) {
          into.fallen.push({ item, lambda });
          into.stability += lambda - into.birth;
        }
      }
    }
  }
  return clusters;
}

function itemsUnder(node: number, joins: readonly Join[], size: number): number[] {
  const items: number[] = [];
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next < size) items.push(next);
    else open.push(joins[next - size].left, joins[next - size].right);
  }
  return items;
}

/** Excess of mass: a cluster is chosen when it is steadier than the best choice below it. The root never is. */
function extract(clusters: readonly Condensed[], size: number): HdbscanResult {
  const best = clusters.map(({ stability }) => stability);
  const chosen = clusters.map(({ children }) => children.length === 0);
  for (let c = clusters.length - 1; c >= 0; c--) {
    const { children, stability } = clusters[c];
    if (children.length === 0) continue;
    const below = children.reduce((sum, child) => sum + best[child], 0);
    chosen[c] = c > 0 && stability >= below;
    best[c] = Math.max(stability, below);
  }
  // With one cluster alone there is nothing to choose from.
  if (clusters.length === 1) return { labels: new Int32Array(size).fill(0), strengths: new Float64Array(size).fill(1) };
  chosen[0] = false;
  const label = new Int32Array(size).fill(-1);
  const strengths = new Float64Array(size);
  const under = new Int32Array(clusters.length).fill(-1);
  clusters.forEach(({ parent }, c) => {
    const above = parent < 0 ? -1 : under[parent];
    under[c] = above >= 0 ? above : chosen[c] ? c : -1;
  });
  const longest = new Float64Array(clusters.length);
  clusters.forEach(({ fallen }, c) => {
    for (const { lambda } of fallen) if (under[c] >= 0) longest[under[c]] = Math.max(longest[under[c]], lambda);
  });
  clusters.forEach(({ fallen }, c) => {
    const top = under[c];
    if (top < 0) return;
    for (const { item, lambda } of fallen) {
      label[item] = top;
      strengths[item] = longest[top] > 0 ? Math.min(1, lambda / longest[top]) : 1;
    }
  });
  const numbers = new Map<number, number>();
  const labels = label.map((top) => {
    if (top < 0) return -1;
    const number = numbers.get(top) ?? numbers.size;
    numbers.set(top, number);
    return number;
  });
  return { labels, strengths };
}
