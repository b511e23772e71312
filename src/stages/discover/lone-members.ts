/**
 * Items that are known to be of a class and lie far from the rest of it, among others that nobody spoke of.
 *
 * Eight images that a person labelled are of the class whatever lies around them. But where seven lie in one cluster of the tree and
 * the eighth in another, that one says little of its neighbours: if all known items of a class were joined from the start
 * (`constrained-cut.ts`), it alone would bring that whole cluster to the class, and the number of clusters would fall by it.
 */
import { cutHierarchy, type Hierarchy } from './hierarchy.ts';

/**
 * A part of a class weighs as many items as are known there, times the share of its cluster that they are, those of other classes
 * aside. One that weighs less than so much of the heaviest, as with two items to eight in clusters of one size, is alone. It is set by
 * hand, between a twentieth and a tenth, with which the clusters after labels of a simulated person were much the same;
 * `npm run bench -- piles` prints what it comes to (`labelled`).
 */
const LEAST_OF_HEAVIEST = 1 / 12;
/** Where more of a class than this lay alone, it would be in shreds, and no part of it is more at home than another. */
const MAX_ALONE = 0.5;

/**
 * Of each item the class that it draws its neighbours to, [items]; −1 for none, as for those that are alone.
 *
 * @param k clusters of the cut in which parts are looked for
 * @param known the class that is known of each item, [items]; −1 for none
 */
export function drawingMembers(
  hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>,
  k: number,
  known: Int32Array,
): Int32Array {
  const drawing = Int32Array.from(known);
  if (known.every((group) => group < 0)) return drawing;
  const clusters = cutHierarchy(hierarchy, k);
  const free = new Int32Array(hierarchy.tree.points);
  const members = new Map<number, number[]>();
  for (const [item, cluster] of clusters.entries()) {
    const group = known[item];
    if (cluster < 0) continue;
    if (group < 0) free[cluster]++;
    else if (!members.get(group)?.push(item)) members.set(group, [item]);
  }
  for (const items of members.values()) for (const item of aloneOf(items, clusters, free)) drawing[item] = -1;
  return drawing;
}

/** @param items of one class @param free items of each cluster that nobody spoke of */
function aloneOf(items: readonly number[], clusters: Int32Array, free: Int32Array): readonly number[] {
  const parts = Array.from(
    Map.groupBy(items, (item) => clusters[item]),
    ([cluster, part]) => ({ part, weight: part.length ** 2 / (part.length + free[cluster]) }),
  );
  const heaviest = Math.max(...parts.map(({ weight }) => weight));
  const alone = parts.filter(({ weight }) => weight < LEAST_OF_HEAVIEST * heaviest).flatMap(({ part }) => part);
  return alone.length <= MAX_ALONE * items.length ? alone : [];
}
