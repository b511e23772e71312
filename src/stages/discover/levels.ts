/**
 * Where a tree of clusters is cut: the number of clusters there seem to be, how sure that is, and the levels above and below.
 */
import type { MergeTree } from '../../math/graph-cluster/ward.ts';
import { clusterCounts, likeliest, likelyRange } from './cluster-count.ts';
import type { Hierarchy } from './hierarchy.ts';

type Cuttable = Pick<Hierarchy, 'tree' | 'leafOf' | 'evidence'>;

/** How many clusters there seem to be: by the evidence, or of a tree without it by its longest step. */
export function suggestedK({ tree, leafOf, evidence }: Cuttable): number {
  return evidence ? likeliest(clusterCounts(evidence, leafOf.length)) : longestStep(tree);
}

/** Between which numbers of clusters the right one likely is; undefined where nothing says so. */
export function suggestedRange({ leafOf, evidence }: Cuttable): { least: number; most: number } | undefined {
  return evidence && likelyRange(clusterCounts(evidence, leafOf.length));
}

/** Joining the last two costs most nearly always, whatever there is: two must stand out over every other number by this. */
const TWO_STANDS_OUT = 1.2;

/** How much more the join from k to k − 1 clusters costs than the one before it. */
function stepAt({ points, costs }: MergeTree, k: number): number {
  return costs[points - k] / Math.max(Number.MIN_VALUE, costs[points - k - 1] ?? Number.MIN_VALUE);
}

/**
 * Where the tree's next join costs most in proportion to the one before it, from 2 to
 * the square root of the number of leaves. It is the longest step of a dendrogram on a logarithmic axis.
 */
function longestStep(tree: MergeTree): number {
  const most = Math.floor(Math.sqrt(tree.points));
  if (most < 2) return Math.max(1, tree.points);
  let best = 2;
  let largest = stepAt(tree, 2) / TWO_STANDS_OUT;
  for (let k = 3; k <= most; k++) {
    if (stepAt(tree, k) > largest) [best, largest] = [k, stepAt(tree, k)];
  }
  return best;
}

/** A level has at least so many times the clusters of the one above it. */
const APART = 1.7;
/** Kinds within classes are looked for up to so many times the number of classes. */
const FINEST = 6;

/**
 * Numbers of clusters at two or three levels, the coarsest first: groups, classes, kinds. Classes are what {@link suggestedK}
 * says; groups and kinds are where the tree's step is longest well above and well below. A level that the tree has no room
 * for is left out.
 */
export function levelsOf(hierarchy: Cuttable): number[] {
  const { tree } = hierarchy;
  const classes = suggestedK(hierarchy);
  const most = Math.min(tree.points - 1, FINEST * classes);
  const groups = longestBetween(tree, 2, Math.floor(classes / APART));
  const kinds = longestBetween(tree, Math.max(2, Math.ceil(classes * APART)), most);
  return [groups, classes, kinds].filter((k) => k !== undefined);
}

function longestBetween(tree: MergeTree, from: number, to: number): number | undefined {
  let best: number | undefined;
  for (let k = from; k <= to; k++) if (best === undefined || stepAt(tree, k) > stepAt(tree, best)) best = k;
  return best;
}
