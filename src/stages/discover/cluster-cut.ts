/**
 * Which cluster every item of the sample is in, for a tree that is cut into k, or into as many as there seem to be, around
 * the classes that are people's.
 */
import { constrainedCut } from '../../math/graph-cluster/constrained-cut.ts';
import type { ClusterCut } from './cluster-model.ts';
import type { HeldClasses } from './held-classes.ts';
import type { Hierarchy } from './hierarchy.ts';

export interface HeldClass {
  readonly name: string;
  /** Whether all that people named is in it, and not single items alone. */
  readonly whole: boolean;
}

export interface CutAround {
  readonly cut: ClusterCut;
  /** Of each cluster the class that people's words give it; undefined for those that are new. */
  readonly classes: readonly (HeldClass | undefined)[];
}

export interface KnownOfItems {
  /** People's classes. */
  readonly held: Pick<HeldClasses, 'names' | 'whole' | 'taken'>;
  /** The place among them of each item, [items]; −1 for none. */
  readonly classOf: Int32Array;
  /** The same of those that draw their neighbours to it (`lone-members.ts`). */
  readonly drawing: Int32Array;
}

/**
 * @param asked `auto`: people's classes neither add clusters nor take any away but by their own items.
 * @param suggested clusters that the tree suggests
 */
export function cutAround(
  hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>,
  { held, classOf, drawing }: KnownOfItems,
  asked: number | 'auto',
  suggested: number,
): CutAround {
  const { leafOf, tree } = hierarchy;
  const { groups, withoutLeaf } = groupsOfLeaves(
    leafOf,
    tree.points,
    drawing.map((group) => (held.taken[group] ? -1 : group)),
  );
  // Classes of items that were taken out of clusters come on top of what is asked for: no cluster of the tree gives way to them.
  const wanted = asked === 'auto' ? { stepsOf: suggested } : { clusters: asked - withoutLeaf };
  const found = constrainedCut(tree, groups, wanted);
  const { ofItem, groupOf } = withOwnGroups(
    leafOf.map((leaf) => (leaf < 0 ? -1 : found.clusters[leaf])),
    classOf,
    found.groups,
  );
  const order = bySize(ofItem);
  const numberOf = new Map(order.map((cluster, number) => [cluster, number]));
  const clusters = ofItem.map((cluster) => (cluster < 0 ? -1 : (numberOf.get(cluster) ?? -1)));
  const nodes = likestNodes(hierarchy, clusters, order.length);
  const known = clusters.map((cluster, item) => {
    const group = classOf[item];
    return group >= 0 && group === groupOf[order[cluster]] ? cluster : -1;
  });
  const classes = order.map((cluster) => {
    const group = groupOf[cluster];
    return group < 0 ? undefined : { name: held.names[group], whole: held.whole[group] };
  });
  return { cut: { clusters, nodes, known }, classes };
}

/**
 * Items of people's classes leave clusters of others for that of their own class. Methods that make their clusters before
 * the tree (k-means, density) have leaves with items of several classes, and leave items out that have one.
 */
function withOwnGroups(
  clusterOf: Int32Array,
  classOf: Int32Array,
  groups: Int32Array,
): { readonly ofItem: Int32Array; readonly groupOf: readonly number[] } {
  const groupOf = [...groups];
  const clusterOfGroup = new Map(groupOf.map((group, cluster) => [group, cluster]));
  const ofItem = clusterOf.map((cluster, item) => {
    const group = classOf[item];
    if (group < 0 || (cluster >= 0 && groupOf[cluster] === group)) return cluster;
    const own = clusterOfGroup.get(group) ?? groupOf.push(group) - 1;
    clusterOfGroup.set(group, own);
    return own;
  });
  return { ofItem, groupOf };
}

export interface GroupsOfLeaves {
  /** The class that each leaf goes with, [leaves]; −1 for none. */
  readonly groups: Int32Array;
  /** Classes that no leaf goes with: each is a cluster beside those of the tree, whatever the cut. */
  readonly withoutLeaf: number;
}

/**
 * Of a leaf with items of several classes: that of most of them, the first by name where several have as many.
 *
 * @param classOf the class that people said of each item, [items]; −1 for none
 */
export function groupsOfLeaves(leafOf: Int32Array, leaves: number, classOf: Int32Array): GroupsOfLeaves {
  const counts = new Map<number, Map<number, number>>();
  leafOf.forEach((leaf, item) => {
    const group = classOf[item];
    if (leaf < 0 || group < 0) return;
    const own = counts.get(leaf) ?? new Map<number, number>();
    own.set(group, (own.get(group) ?? 0) + 1);
    counts.set(leaf, own);
  });
  const groups = new Int32Array(leaves).fill(-1);
  for (const [leaf, own] of counts) {
    const [[group]] = [...own].sort(([a, m], [b, n]) => n - m || a - b);
    groups[leaf] = group;
  }
  const all = new Set(classOf.filter((group) => group >= 0)).size;
  return { groups, withoutLeaf: all - new Set(groups.filter((group) => group >= 0)).size };
}

/** Clusters with items, the largest first, then in order of their first item. */
function bySize(clusters: Int32Array): number[] {
  const sizes = new Map<number, number>();
  for (const cluster of clusters) if (cluster >= 0) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
  // A map keeps the order of first items, and sorting keeps it where sizes are equal.
  return [...sizes].sort(([, a], [, b]) => b - a).map(([cluster]) => cluster);
}

/**
 * For each cluster the node of the tree that is most like it, by the share of the items of either that are in both (Jaccard's
 * index); −1 where nothing of it is in the tree. It says more of a cluster than any node of the plain cut at the number asked
 * for, which people's classes may be far from.
 *
 * Costs nodes · clusters.
 */
function likestNodes(
  { leafOf, tree }: Pick<Hierarchy, 'leafOf' | 'tree'>,
  clusters: Int32Array,
  k: number,
): Int32Array {
  const { points, left, right } = tree;
  const nodes = points + left.length;
  const sizes = new Int32Array(nodes);
  const leavesOf = Array.from({ length: k }, () => new Map<number, number>());
  leafOf.forEach((leaf, item) => {
    if (leaf < 0) return;
    sizes[leaf]++;
    const own = leavesOf[clusters[item]];
    own?.set(leaf, (own.get(leaf) ?? 0) + 1);
  });
  for (let join = 0; join < left.length; join++) sizes[points + join] = sizes[left[join]] + sizes[right[join]];
  const shared = new Int32Array(nodes);
  return Int32Array.from(leavesOf, (leaves) => {
    shared.fill(0);
    let size = 0;
    for (const [leaf, items] of leaves) {
      shared[leaf] = items;
      size += items;
    }
    let [best, most] = [-1, 0];
    for (let node = 0; node < nodes; node++) {
      if (node >= points) shared[node] = shared[left[node - points]] + shared[right[node - points]];
      const likeness = shared[node] / (size + sizes[node] - shared[node]);
      if (shared[node] > 0 && likeness > most) [best, most] = [node, likeness];
    }
    return best;
  });
}
