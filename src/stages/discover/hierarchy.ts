/**
 * From vectors to a tree of clusters that is cut wherever one likes.
 *
 * The tree's leaves are the items themselves, or, of more than {@link MAX_LEAVES} items, small clusters of them; its
 * cuts nest. Pure but for the inference threads: the same vectors, method and seed give the same tree.
 */
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { type ClusterEvidence, type CutEvidence, cutEvidence } from '../../math/graph-cluster/cut-evidence.ts';
import { diffusionMap } from '../../math/graph-cluster/diffusion.ts';
import { hdbscan } from '../../math/graph-cluster/hdbscan.ts';
import { cutTree, type MergeTree, nodesOfCut, wardTree } from '../../math/graph-cluster/ward.ts';
import { kmeans } from '../../math/kmeans/kmeans.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { type NeighbourGraph, nearestOf, neighbourGraph, subgraph } from '../../math/knn/graph.ts';
import { remotenessInGraph } from '../../math/knn/remoteness.ts';
import { deviationsOf } from '../../math/knn/tails.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { ClusterInCut } from './cluster-confidence.ts';

export const METHODS = ['graph', 'kmeans', 'density'] as const;
export type Method = (typeof METHODS)[number];

export interface HierarchyOptions {
  /**
   * `graph` (default): Ward's tree on the diffusion map of the neighbour graph. `kmeans`: k-means on the vectors, `leaves`
   * clusters. `density`: HDBSCAN on the diffusion map, which leaves out what belongs to no cluster.
   */
  readonly method: Method;
  readonly seed: number;
  /** For `kmeans`: the clusters to make. */
  readonly leaves?: number;
  /** For `graph`: how far each item was from the mean before its vector had length 1, [items]. */
  readonly fromMean?: Float32Array;
  readonly signal?: AbortSignal;
  /** Who does what costs most. Default: the pool. */
  readonly work?: HierarchyWork;
}

/** What costs most of a tree: the square of the items, and restarts of k-means. The same bits whoever does it. */
export interface HierarchyWork {
  /** As {@link neighboursOf}. */
  neighbours(vectors: Matrix): Promise<NeighbourGraph>;
  /** The labels of the best of {@link KMEANS_RESTARTS} runs of k-means, [items]. */
  kmeans(vectors: Matrix, options: { readonly k: number; readonly seed: number }): Promise<Int32Array>;
}

export interface Hierarchy {
  /** The leaf of every item, [items]; −1 for none. */
  readonly leafOf: Int32Array;
  readonly tree: MergeTree;
  /** The graph of neighbours that it comes from, where there is one. */
  readonly neighbours?: NeighbourGraph;
  /** What speaks for each number of clusters, of the method `graph`; absent from trees of earlier versions. */
  readonly evidence?: CutEvidence;
}

/** Neighbours of the graph. 10 to 20 made no difference on the benchmark's sets. */
const NEIGHBOURS = 15;
/** Few items have classes of few: of those the graph that is clustered takes fewer neighbours, an eighth of the items. */
const MIN_NEIGHBOURS = 5;
const ITEMS_PER_NEIGHBOUR = 8;
/** Ward's tree costs 3 n² d: two seconds for this many. */
const MAX_LEAVES = 4000;
/** Small clusters instead, when there are more. */
const SMALL_CLUSTERS = 2000;
/** A cluster of `density` has at least this many items, and at least one in two hundred. */
const MIN_CLUSTER = 8;
export const KMEANS_RESTARTS = 10;
const ANCHORS = 512;

/** @param vectors shape [items, columns], rows of length 1, in shared memory. */
export async function hierarchyOf(pool: InferencePool, vectors: Matrix, options: HierarchyOptions): Promise<Hierarchy> {
  const { method, seed, signal, work = workOf(pool, signal) } = options;
  if (vectors.rows < 2) {
    const tree = {
      points: vectors.rows,
      left: new Int32Array(0),
      right: new Int32Array(0),
      costs: new Float64Array(0),
    };
    return { leafOf: new Int32Array(vectors.rows), tree };
  }
  switch (method) {
    case 'graph': {
      const neighbours = await work.neighbours(vectors);
      return graphHierarchy(pool, vectors, neighbours, options);
    }
    case 'kmeans': {
      const k = options.leaves;
      if (k === undefined) throw new LabelsmithError('USAGE', 'k-means needs to be told how many clusters to make');
      return overLeaves(vectors, await work.kmeans(vectors, { k, seed }));
    }
    case 'density': {
      const neighbours = await work.neighbours(vectors);
      const map = diffusionMap(neighbours, { seed, signal }).coordinates;
      const least = Math.max(MIN_CLUSTER, Math.ceil(vectors.rows / 200));
      const nearest = await neighbourGraph(exactIndex(pool, map), map, Math.min(NEIGHBOURS, map.rows - 1), signal);
      const { labels } = hdbscan(nearest, { minClusterSize: least }, [await bridges(pool, map, seed)]);
      return { ...overLeaves(map, labels), neighbours };
    }
    default:
      return method satisfies never;
  }
}

function workOf(pool: InferencePool, signal?: AbortSignal): HierarchyWork {
  return {
    neighbours: (vectors) => neighboursOf(pool, vectors, signal),
    kmeans: async (vectors, { k, seed }) =>
      (await kmeans(pool, vectors, { k, seed, restarts: KMEANS_RESTARTS, signal })).labels,
  };
}

/** Neighbours whose distance says how remote an item is. */
const NEAREST = 10;
/** More robust deviations farther from its nearest than the median item is: such an item is in no class that there is. */
const STRANGE = 2.5;
/** Fewer say nothing about what is usual. */
const MIN_TOLD_STRANGE = 20;

/**
 * What is strange here makes clusters of what is alike in being strange, and takes numbers from the classes. So the tree is of
 * the other items, and what is strange goes where the nearest of them is.
 */
async function graphHierarchy(
  pool: InferencePool,
  vectors: Matrix,
  neighbours: NeighbourGraph,
  { fromMean, seed, signal }: HierarchyOptions,
): Promise<Hierarchy> {
  const remote = fromMean && remotenessOf(neighbours, fromMean);
  const all = Array.from({ length: vectors.rows }, (_, row) => row);
  const usual = remote && vectors.rows >= MIN_TOLD_STRANGE ? all.filter((row) => remote[row] <= STRANGE) : all;
  const own = usual.length < all.length ? gatherRows(vectors, usual) : vectors;
  const graph = usual.length < all.length ? subgraph(neighbours, usual) : neighbours;
  const count = Math.max(MIN_NEIGHBOURS, Math.floor(own.rows / ITEMS_PER_NEIGHBOUR));
  const map = diffusionMap(nearestOf(graph, count), { seed, signal });
  const { leafOf: leafOfUsual, tree } = await wardHierarchy(pool, map.coordinates, seed, signal);
  const leafOf = await withTheRest(pool, { vectors, usual, own, leafOfUsual });
  const strangeness = remote && { leafOf, remote, fromMean: deviationsOf(fromMean) };
  const evidence = cutEvidence({ graph: map.graph, map, vectors: own, tree, leafOf: leafOfUsual, strangeness });
  return { leafOf, tree, neighbours, evidence };
}

function remotenessOf(neighbours: NeighbourGraph, fromMean: Float32Array): Float64Array {
  return deviationsOf(fromMean.map((_, row) => remotenessInGraph(neighbours, fromMean, row, NEAREST)));
}

interface Placed {
  readonly vectors: Matrix;
  /** Rows of them that have a leaf, ascending. */
  readonly usual: readonly number[];
  /** Those rows. */
  readonly own: Matrix;
  readonly leafOfUsual: Int32Array;
}

/** The leaf of every row: its own, or that of the nearest which has one. */
async function withTheRest(pool: InferencePool, { vectors, usual, own, leafOfUsual }: Placed): Promise<Int32Array> {
  if (usual.length === vectors.rows) return leafOfUsual;
  const leafOf = new Int32Array(vectors.rows).fill(-1);
  for (const [place, row] of usual.entries()) leafOf[row] = leafOfUsual[place];
  const rest = [...leafOf.keys()].filter((row) => leafOf[row] < 0);
  const { indices, n } = await exactIndex(pool, own).search(gatherRows(vectors, rest), 1);
  for (const [i, row] of rest.entries()) leafOf[row] = leafOfUsual[indices[i * n]];
  return leafOf;
}

/** The graph that clusters and the data map come from. @param vectors at least 2. */
export function neighboursOf(pool: InferencePool, vectors: Matrix, signal?: AbortSignal): Promise<NeighbourGraph> {
  return neighbourGraph(exactIndex(pool, vectors), vectors, neighboursAmong(vectors), signal);
}

/** Neighbours that each has in it. */
export const neighboursAmong = ({ rows }: Pick<Matrix, 'rows'>) => Math.min(NEIGHBOURS, rows - 1);

/** Edges from every item to the nearest of some drawn at random, so that no part of the neighbour graph stands alone. */
async function bridges(pool: InferencePool, map: Matrix, seed: number): Promise<NeighbourGraph> {
  const drawn = sampleIndices(map.rows, ANCHORS, seededRandom(seed, 'discover:anchors'));
  const found = await exactIndex(pool, gatherRows(map, drawn)).search(map, Math.min(drawn.length, NEIGHBOURS));
  return { ...found, indices: found.indices.map((i) => (i < 0 ? -1 : drawn[i])) };
}

async function wardHierarchy(pool: InferencePool, map: Matrix, seed: number, signal?: AbortSignal): Promise<Hierarchy> {
  if (map.rows <= MAX_LEAVES)
    return { leafOf: Int32Array.from({ length: map.rows }, (_, i) => i), tree: wardTree(map) };
  const { labels } = await kmeans(pool, map, { k: SMALL_CLUSTERS, seed, maxIterations: 30, signal });
  return overLeaves(map, labels);
}

/** Ward's tree over the centres of clusters, weighed by their sizes. */
function overLeaves(points: Matrix, labels: Int32Array): Hierarchy {
  const leaves = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const sizes = new Float64Array(leaves);
  const centres = newSharedMatrix(leaves, points.columns);
  for (let i = 0; i < labels.length; i++) {
    const leaf = labels[i];
    if (leaf < 0) continue;
    sizes[leaf] = sizes[leaf] + 1;
    for (let j = 0; j < points.columns; j++) {
      const at = leaf * points.columns + j;
      centres.data[at] = centres.data[at] + points.data[i * points.columns + j];
    }
  }
  for (let at = 0; at < centres.data.length; at++) {
    centres.data[at] = centres.data[at] / Math.max(1, sizes[Math.floor(at / points.columns)]);
  }
  return { leafOf: labels, tree: wardTree(centres, sizes) };
}

/** The cluster of every item at k clusters, the largest first; −1 for none. Fewer leaves than k make fewer clusters. */
export function cutHierarchy(hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>, k: number): Int32Array {
  const { labels, numberOf } = numberedCut(hierarchy, k);
  return labels.map((cluster) => (cluster < 0 ? -1 : (numberOf.get(cluster) as number)));
}

/** What is known of each cluster at k, by its number in {@link cutHierarchy}; undefined for those the evidence does not reach. */
export function clustersOfCut(hierarchy: Hierarchy, k: number): (ClusterInCut | undefined)[] {
  return evidenceOfNodes(hierarchy, nodesOfClusters(hierarchy, k));
}

/** What is known of clusters that are, or are nearly, these nodes of the tree. */
export function evidenceOfNodes(
  { evidence, leafOf }: Pick<Hierarchy, 'evidence' | 'leafOf'>,
  nodes: Int32Array,
): (ClusterInCut | undefined)[] {
  const found = Array.from(nodes, (node) => evidence?.clusters.get(node));
  const known = found.filter((one) => one !== undefined);
  const mean = (pick: (one: ClusterEvidence) => number) =>
    known.reduce((sum, one) => sum + pick(one), 0) / Math.max(1, known.length);
  const cut = {
    k: nodes.length,
    items: leafOf.length,
    meanSimilarity: mean(({ similarity }) => similarity),
    meanConcentration: mean(({ concentration }) => concentration),
  };
  return found.map((one) => one && { ...one, ...cut });
}

/** The node of the tree that each cluster at k is, by its number in {@link cutHierarchy}. */
export function nodesOfClusters(hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>, k: number): Int32Array {
  const { numberOf } = numberedCut(hierarchy, k);
  const nodes = nodesOfCut(hierarchy.tree, k);
  const numbered = new Int32Array(numberOf.size);
  for (const [cluster, number] of numberOf) numbered[number] = nodes[cluster];
  return numbered;
}

/** Clusters as the tree numbers them, and their numbers in order of size. */
function numberedCut({ leafOf, tree }: Pick<Hierarchy, 'leafOf' | 'tree'>, k: number) {
  const ofLeaf = cutTree(tree, k);
  const sizes = new Map<number, { size: number; first: number }>();
  leafOf.forEach((leaf, item) => {
    if (leaf < 0) return;
    const cluster = ofLeaf[leaf];
    const there = sizes.get(cluster);
    if (there) there.size++;
    else sizes.set(cluster, { size: 1, first: item });
  });
  const order = [...sizes].sort(([, a], [, b]) => b.size - a.size || a.first - b.first);
  const numberOf = new Map(order.map(([cluster], i) => [cluster, i]));
  return { labels: leafOf.map((leaf) => (leaf < 0 ? -1 : ofLeaf[leaf])), numberOf };
}
