/**
 * Where a tree of clusters is cut: the number of clusters there seem to be, how sure that is, and the levels above and below.
 */
import { constrainedCut, type JoinsAround, joinsAround } from '../../math/graph-cluster/constrained-cut.ts';
import type { MergeTree } from '../../math/graph-cluster/ward.ts';
import { type ClusterCounts, chosenCount, clusterCounts, likelyRange, type PeoplesAgreement } from './cluster-count.ts';
import { groupsOfLeaves } from './cluster-cut.ts';
import { cutHierarchy, type Hierarchy, type Method } from './hierarchy.ts';
import { mayBeOneClass, oneClassFeatures } from './one-class.ts';
import { agreementWithPeople } from './people-agreement.ts';

type Cuttable = Pick<Hierarchy, 'tree' | 'leafOf' | 'evidence'>;

/**
 * How many clusters there seem to be: by the evidence, or of a tree without it by its longest step.
 *
 * @param known the class that people said of each item, [items]; −1 for none. Where several parts are one class to them the
 *   tree is cut more coarsely, where one cluster is several more finely.
 */
export function suggestedK(hierarchy: Cuttable, known?: Int32Array): number {
  const counts = countsOf(hierarchy, known);
  return counts ? chosenCount(counts) : longestStep(hierarchy.tree);
}

/** Between which numbers of clusters the right one likely is; undefined where nothing says so. @param known see {@link suggestedK} */
export function suggestedRange(hierarchy: Cuttable, known?: Int32Array): { least: number; most: number } | undefined {
  const { evidence, leafOf } = hierarchy;
  const counts = countsOf(hierarchy, known);
  if (!evidence || !counts) return undefined;
  // Who names two classes has seen two.
  const seen = new Set(known?.filter((group) => group >= 0)).size;
  const mayBeOne = seen < 2 && mayBeOneClass(oneClassFeatures(evidence, leafOf.length), counts);
  return likelyRange(counts, { mayBeOne });
}

/** The same, and what is shown: people's words join and part clusters beyond what any cut of the tree does. */
export function rangeWith(
  range: { least: number; most: number } | undefined,
  shown: number,
): { least: number; most: number } | undefined {
  return range && { least: Math.min(range.least, shown), most: Math.max(range.most, shown) };
}

/** Costs a pass over the items for each number in question, where people said something. */
function countsOf(hierarchy: Cuttable, known?: Int32Array): ClusterCounts | undefined {
  const { leafOf, evidence } = hierarchy;
  return evidence && clusterCounts(evidence, leafOf.length, { agreement: agreementWith(hierarchy, known) });
}

/** See {@link clusterCounts}; undefined where people said too little to tell one cut from another. */
export function agreementWith({ tree, leafOf, evidence }: Cuttable, known?: Int32Array): PeoplesAgreement | undefined {
  if (!known || !evidence) return undefined;
  const told = [...known.keys()].filter((item) => known[item] >= 0 && leafOf[item] >= 0);
  const classes = told.map((item) => known[item]);
  const differing = new Set(classes).size;
  // One class alone is kept whole best by the coarsest cut, and stays whole in any.
  if (differing < 2) return undefined;
  const toldOnly = { tree, leafOf: Int32Array.from(told, (item) => leafOf[item]) };
  const ofCuts = evidence.ks.map((k) => agreementWithPeople(classes, cutHierarchy(toldOnly, k)));
  return { ofCuts, classes: differing, items: told.length };
}

/** Joining the last two costs most nearly always, whatever there is: two must stand out over every other number by this. */
const TWO_STANDS_OUT = 1.2;

/** How much more the join from k to k − 1 clusters costs than the one before it. */
function stepAt({ points, costs }: JoinsAround, k: number): number {
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
/** Groups, classes, kinds. */
export const MAX_LEVELS = 3;

/**
 * Numbers of clusters at two or three levels, the coarsest first: groups, classes, kinds. Classes are what {@link suggestedK}
 * says; groups and kinds are where the tree's step is longest well above and well below. A level that the tree has no room
 * for is left out.
 *
 * People's classes are at every level, one cluster each, so what is well above and well below is told by the clusters beside them.
 *
 * @param known see {@link suggestedK}
 * @param method `kmeans` and `density` have made the classes that they found: their trees have nothing below them.
 */
export function levelsOf(hierarchy: Cuttable, known?: Int32Array, method: Method = 'graph'): number[] {
  const { tree, leafOf } = hierarchy;
  const { groups, withoutLeaf } = groupsOfLeaves(leafOf, tree.points, known ?? new Int32Array(leafOf.length).fill(-1));
  const suggested = method === 'graph' ? suggestedK(hierarchy, known) : tree.points;
  const classes = constrainedCut(tree, groups, { stepsOf: suggested }).groups.length;
  const free = clustersBeside(classes, leafOf, groups, known);
  const fixed = classes - free;
  const joins = joinsAround(tree, groups);
  const most = Math.min(joins.points - 1, Math.floor(fixed + FINEST * free));
  const coarser = longestBetween(joins, 2, Math.min(classes - 1, Math.floor(fixed + free / APART)));
  const finer = longestBetween(joins, Math.max(2, classes + 1, Math.ceil(fixed + free * APART)), most);
  return [coarser, classes, finer].filter((k) => k !== undefined).map((k) => k + withoutLeaf);
}

/**
 * Of so many clusters those that people's classes leave free: as many as hold none of them, or the share of them that the items
 * make up of which nobody knows the class, whichever is more.
 */
function clustersBeside(clusters: number, leafOf: Int32Array, groups: Int32Array, known?: Int32Array): number {
  const held = new Set(groups.filter((group) => group >= 0)).size;
  if (held === 0 || !known) return clusters;
  const items = leafOf.reduce((sum, leaf) => sum + (leaf >= 0 ? 1 : 0), 0);
  const unknown = leafOf.reduce((sum, leaf, item) => sum + (leaf >= 0 && known[item] < 0 ? 1 : 0), 0);
  return Math.max(clusters - held, (clusters * unknown) / items);
}

function longestBetween(joins: JoinsAround, from: number, to: number): number | undefined {
  let best: number | undefined;
  // The coarsest cut that people's classes allow has no join after it to be compared.
  const least = joins.points - joins.costs.length + 1;
  for (let k = Math.max(from, least); k <= to; k++) {
    if (best === undefined || stepAt(joins, k) > stepAt(joins, best)) best = k;
  }
  return best;
}
