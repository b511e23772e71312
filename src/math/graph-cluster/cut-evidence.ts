/**
 * What speaks for cutting a tree into k clusters, for every k that comes into question, and what speaks for each cluster of such
 * a cut being one thing. Measured on the diffusion map and its graph; combined elsewhere.
 *
 * Cost items · dimensions · k for the largest k, and items · k for each of some fifty candidates. Holds 8 bytes · items · k.
 */
import { dot } from '../dot.ts';
import { type Matrix, sumsByPart } from '../matrix.ts';
import type { Diffusion } from './diffusion.ts';
import type { SparseMatrix } from './sparse.ts';
import { cutTree, type MergeTree, nodesOfCut } from './ward.ts';

/** What is measured at each number of clusters, in the order of {@link CutEvidence.measures}. */
export const MEASURES = [
  /** log of what the join from k to k − 1 costs over what the one before it does: the step of the dendrogram. */
  'step',
  /** log (1 − λₖ₊₁) / (1 − λₖ) of the graph's eigenvalues: the eigengap, as rates of mixing. */
  'eigengap',
  /** Newman's modularity of the graph. */
  'modularity',
  /** Mean squared length of an item's cluster centre on the map: 1 where clusters are points. */
  'concentration',
  /** Mean of the cosine to the own cluster's centre less that to the nearest other, on the map: a silhouette by centres. */
  'silhouette',
  /** log of the largest cluster's size over the mean size. */
  'largest',
  /** Squared distance of the centres of the two clusters that k − 1 would join. */
  'lastSplit',
  /** The same of the next three splits, on average. */
  'nextSplits',
] as const;

export interface CutEvidence {
  /** Numbers of clusters in question, ascending. */
  readonly ks: readonly number[];
  /** Shape [ks, measures]. */
  readonly measures: Float64Array;
  /** Of every node of the tree that is a cluster of one of these cuts. */
  readonly clusters: ReadonlyMap<number, ClusterEvidence>;
}

export interface ClusterEvidence {
  /** Items. */
  readonly size: number;
  /** Share of its items' edge weight that stays within it, 0 to 1. */
  readonly cohesion: number;
  /** Squared length of its centre on the map, 0 to 1. */
  readonly concentration: number;
  /** Squared distance of the centres of the two parts that it would be split into; 0 for a leaf. */
  readonly split: number;
  /** Mean cosine of two different items' vectors, 0 where there is one item. */
  readonly similarity: number;
  /** Mean cosine of an item of one of those parts and one of the other; 0 for a leaf. */
  readonly splitSimilarity: number;
  /** Of its items' {@link Strangeness.remote}: mean, standard deviation, and the share that is above 2. */
  readonly remote: number;
  readonly remoteSpread: number;
  readonly remoteShare: number;
  /** Of its items' {@link Strangeness.fromMean}: mean and standard deviation. */
  readonly fromMean: number;
  readonly fromMeanSpread: number;
}

/** How unlike the pile each item is, in robust deviations from the median, [items]; more items than the map's may be told of. */
export interface Strangeness {
  /** The tree's leaf of each. */
  readonly leafOf: Int32Array;
  /** By the distance to its nearest. */
  readonly remote: Float64Array;
  /** By the distance from the mean of all. */
  readonly fromMean: Float64Array;
}

export interface CutEvidenceInput {
  /** Symmetric weights, no diagonal. */
  readonly graph: SparseMatrix;
  readonly map: Pick<Diffusion, 'coordinates' | 'eigenvalues'>;
  /** What the items' neighbours were found by, [items, columns], rows of length 1. */
  readonly vectors: Matrix;
  readonly tree: MergeTree;
  /** The tree's leaf of every item, [items]. */
  readonly leafOf: Int32Array;
  /** Where it is known; what is told of it is 0 otherwise. */
  readonly strangeness?: Strangeness;
}

const MAX_CLUSTERS = 200;
/** Up to here every number comes into question, above it every number this much larger than the one before. */
const DENSE = 16;
const GROWTH = 1.08;
/** Below it a cluster's items are too few to be told from chance. */
const MIN_MEAN_SIZE = 2;
const NEXT = 3;
/** Keeps logarithms of costs and gaps that vanish finite. */
const COST_FLOOR = 1e-3;
const GAP_FLOOR = 1e-2;

/** Numbers of clusters of so many items that come into question. */
export function candidateCounts(items: number, leaves: number): number[] {
  const most = Math.max(1, Math.min(Math.floor(items / MIN_MEAN_SIZE), leaves, MAX_CLUSTERS));
  const ks: number[] = [];
  for (let k = 1; k <= most; k = k < DENSE ? k + 1 : Math.ceil(k * GROWTH)) ks.push(k);
  return ks;
}

/** The clusters of a cut while the tree joins them, in slots; a joined cluster takes the slot of its first part. */
interface Blocks {
  readonly slots: number;
  readonly alive: boolean[];
  /** Node of the tree in each slot. */
  readonly nodes: Int32Array;
  readonly sizes: Float64Array;
  /** Shape [slots, slots]: edge weight between clusters, that within one counted twice. */
  readonly weights: Float64Array;
  /** Shape [slots, dimensions]: sums of the items' coordinates. */
  readonly sums: Float64Array;
  /** Shape [slots, columns]: sums of the items' vectors. */
  readonly vectorSums: Float64Array;
  /** Shape [slots, 6]: sums of {@link strangenessOf} the items. */
  readonly strange: Float64Array;
  /** Shape [slots, items]: inner products of sums and items. */
  readonly products: Float64Array;
  readonly slotOf: Int32Array;
}

export function cutEvidence(input: CutEvidenceInput): CutEvidence {
  const { tree, leafOf, map } = input;
  const ks = candidateCounts(leafOf.length, tree.points);
  const finest = Math.min(tree.points, (ks.at(-1) as number) + NEXT);
  const blocks = blocksAt(input, finest);
  const wanted = new Map(ks.map((k, at) => [k, at]));
  const measures = new Float64Array(ks.length * MEASURES.length);
  const clusters = new Map<number, ClusterEvidence>();
  for (let slot = 0; slot < finest; slot++) clusters.set(blocks.nodes[slot], evidenceOf(blocks, slot, NO_SPLIT));
  /** By number of clusters: what {@link MEASURES} calls the last split there. */
  const splits = new Float64Array(finest + NEXT + 2);
  for (let k = finest; k >= 1; k--) {
    const pair = k > 1 ? partsJoined(blocks, tree, k) : null;
    splits[k] = pair ? centreDistance(blocks, pair, map.coordinates.columns) : 2;
    const at = wanted.get(k);
    if (at !== undefined) measures.set(measured(input, blocks, k, splits), at * MEASURES.length);
    if (!pair) continue;
    const halves = { split: splits[k], splitSimilarity: similarityBetween(blocks, pair) };
    join(blocks, pair, tree.points + (tree.points - k), map.coordinates.columns);
    clusters.set(blocks.nodes[pair[0]], evidenceOf(blocks, pair[0], halves));
  }
  return { ks, measures, clusters };
}

function blocksAt({ graph, map, vectors, tree, leafOf, strangeness }: CutEvidenceInput, slots: number): Blocks {
  const { data, columns } = map.coordinates;
  const items = leafOf.length;
  const ofLeaf = cutTree(tree, slots);
  const slotOf = leafOf.map((leaf) => ofLeaf[leaf]);
  const sizes = new Float64Array(slots);
  const sums = sumsByPart(map.coordinates, slotOf, slots);
  const weights = new Float64Array(slots * slots);
  for (let i = 0; i < items; i++) {
    const slot = slotOf[i];
    sizes[slot] = sizes[slot] + 1;
    for (let e = graph.starts[i]; e < graph.starts[i + 1]; e++) {
      const at = slot * slots + slotOf[graph.columns[e]];
      weights[at] = weights[at] + graph.values[e];
    }
  }
  const products = new Float64Array(slots * items);
  for (let slot = 0; slot < slots; slot++) {
    const sum = sums.subarray(slot * columns, (slot + 1) * columns);
    for (let i = 0; i < items; i++) {
      let product = 0;
      for (let j = 0, at = i * columns; j < columns; j++) product += sum[j] * data[at + j];
      products[slot * items + i] = product;
    }
  }
  const nodes = nodesOfCut(tree, slots);
  const vectorSums = sumsByPart(vectors, slotOf, slots);
  const strange = strangenessOf(strangeness, ofLeaf, slots);
  const alive = Array<boolean>(slots).fill(true);
  return { slots, alive, nodes, sizes, weights, sums, vectorSums, strange, products, slotOf };
}

const REMOTE = 2;
const STRANGE_COLUMNS = 6;

/** Sums over the items of a slot: how many there are, both scores, their squares, and how many are remote. */
function strangenessOf(strangeness: Strangeness | undefined, slotOfLeaf: Int32Array, slots: number): Float64Array {
  const sums = new Float64Array(slots * STRANGE_COLUMNS);
  strangeness?.leafOf.forEach((leaf, i) => {
    const slot = slotOfLeaf[leaf];
    const [remote, far] = [strangeness.remote[i], strangeness.fromMean[i]];
    const own = [1, remote, remote * remote, remote > REMOTE ? 1 : 0, far, far * far];
    for (const [j, value] of own.entries()) {
      const at = slot * STRANGE_COLUMNS + j;
      sums[at] = sums[at] + value;
    }
  });
  return sums;
}

/** The slots of the two clusters that make k − 1 of k. */
function partsJoined({ nodes, alive }: Blocks, { points, left, right }: MergeTree, k: number): [number, number] {
  const find = (node: number) => nodes.findIndex((there, slot) => alive[slot] === true && there === node);
  const [a, b] = [find(left[points - k]), find(right[points - k])];
  return a < b ? [a, b] : [b, a];
}

function centreDistance({ sums, sizes }: Blocks, [a, b]: readonly [number, number], columns: number): number {
  let square = 0;
  for (let j = 0; j < columns; j++) {
    square += (sums[a * columns + j] / sizes[a] - sums[b * columns + j] / sizes[b]) ** 2;
  }
  return square;
}

function join(blocks: Blocks, [a, b]: readonly [number, number], node: number, columns: number): void {
  const { slots, alive, nodes, sizes, weights, sums, vectorSums, strange, products, slotOf } = blocks;
  const items = slotOf.length;
  const add = (values: Float64Array, width: number) => {
    for (let j = 0; j < width; j++) values[a * width + j] = values[a * width + j] + values[b * width + j];
  };
  add(sums, columns);
  add(vectorSums, vectorSums.length / slots);
  add(strange, STRANGE_COLUMNS);
  add(products, items);
  add(weights, slots);
  for (let other = 0; other < slots; other++) {
    weights[other * slots + a] = weights[other * slots + a] + weights[other * slots + b];
  }
  sizes[a] = sizes[a] + sizes[b];
  nodes[a] = node;
  alive[b] = false;
  for (let i = 0; i < items; i++) if (slotOf[i] === b) slotOf[i] = a;
}

type Halves = Pick<ClusterEvidence, 'split' | 'splitSimilarity'>;
const NO_SPLIT: Halves = { split: 0, splitSimilarity: 0 };

function evidenceOf(blocks: Blocks, slot: number, halves: Halves): ClusterEvidence {
  const { sizes, weights, slots, alive, vectorSums } = blocks;
  let whole = 0;
  for (let other = 0; other < slots; other++) if (alive[other]) whole += weights[slot * slots + other];
  const cohesion = whole > 0 ? weights[slot * slots + slot] / whole : 0;
  const size = sizes[slot];
  // Of the pairs of the sum with itself, as many as there are items are an item with itself.
  const pairs = innerProduct(vectorSums, [slot, slot], slots) - size;
  const similarity = size > 1 ? pairs / (size * (size - 1)) : 0;
  const [count, ...strange] = blocks.strange.subarray(slot * STRANGE_COLUMNS, (slot + 1) * STRANGE_COLUMNS);
  const [remote, remoteSquare, remoteShare, fromMean, fromMeanSquare] = strange.map((sum) => sum / Math.max(1, count));
  return {
    size,
    cohesion,
    concentration: concentrationOf(blocks, slot),
    similarity,
    ...halves,
    remote,
    remoteSpread: Math.sqrt(Math.max(0, remoteSquare - remote * remote)),
    remoteShare,
    fromMean,
    fromMeanSpread: Math.sqrt(Math.max(0, fromMeanSquare - fromMean * fromMean)),
  };
}

function similarityBetween({ vectorSums, sizes, slots }: Blocks, pair: readonly [number, number]): number {
  return innerProduct(vectorSums, pair, slots) / (sizes[pair[0]] * sizes[pair[1]]);
}

function innerProduct(sums: Float64Array, [a, b]: readonly [number, number], slots: number): number {
  const columns = sums.length / slots;
  return dot(sums.subarray(a * columns, (a + 1) * columns), sums.subarray(b * columns, (b + 1) * columns));
}

function concentrationOf({ sums, sizes, slots }: Blocks, slot: number): number {
  const columns = sums.length / slots;
  let square = 0;
  for (let j = slot * columns; j < (slot + 1) * columns; j++) square += sums[j] ** 2;
  return square / sizes[slot] ** 2;
}

function measured({ tree, map }: CutEvidenceInput, blocks: Blocks, k: number, splits: Float64Array): number[] {
  const { points, costs } = tree;
  const { eigenvalues } = map;
  const cost = (joined: number) => (joined > 1 ? costs[points - joined] : 1.5 * (costs[points - 2] ?? 0));
  const finer = points - k - 1 >= 0 ? costs[points - k - 1] : 0;
  const rate = (at: number) => 1 - (eigenvalues[Math.min(at, eigenvalues.length - 1)] ?? 0) + GAP_FLOOR;
  const next = splits.subarray(k + 1, k + 1 + NEXT);
  const { modularity, concentration, largest } = overall(blocks, k);
  return [
    Math.log((cost(k) + COST_FLOOR) / (finer + COST_FLOOR)),
    Math.log(rate(k) / rate(k - 1)),
    modularity,
    concentration,
    silhouetteByCentres(blocks, k),
    largest,
    splits[k],
    next.reduce((sum, split) => sum + split, 0) / NEXT,
  ];
}

function overall(blocks: Blocks, k: number): { modularity: number; concentration: number; largest: number } {
  const { slots, alive, sizes, weights, slotOf } = blocks;
  const items = slotOf.length;
  const own = [...alive.keys()].filter((slot) => alive[slot]);
  const volume = (slot: number) => own.reduce((sum, other) => sum + weights[slot * slots + other], 0);
  const volumes = own.map(volume);
  const whole = Math.max(
    Number.MIN_VALUE,
    volumes.reduce((sum, one) => sum + one, 0),
  );
  let [modularity, concentration, largest] = [0, 0, 0];
  for (const [at, slot] of own.entries()) {
    modularity += weights[slot * slots + slot] / whole - (volumes[at] / whole) ** 2;
    concentration += (concentrationOf(blocks, slot) * sizes[slot]) / items;
    largest = Math.max(largest, sizes[slot]);
  }
  return { modularity, concentration, largest: Math.log((largest * k) / Math.max(1, items)) };
}

function silhouetteByCentres({ alive, sizes, products, slotOf }: Blocks, k: number): number {
  if (k < 2) return 0;
  const items = slotOf.length;
  const nearest = new Float64Array(items).fill(Number.NEGATIVE_INFINITY);
  let total = 0;
  for (let slot = 0; slot < alive.length; slot++) {
    if (!alive[slot]) continue;
    for (let i = 0, at = slot * items; i < items; i++, at++) {
      const cosine = products[at] / sizes[slot];
      if (slotOf[i] === slot) total += cosine;
      else if (cosine > nearest[i]) nearest[i] = cosine;
    }
  }
  return (total - nearest.reduce((sum, one) => sum + one, 0)) / items;
}
