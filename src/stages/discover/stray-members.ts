/**
 * Members of clusters that people named, which a tree puts with other things.
 *
 * Who names a cluster names what most of it is, and did not look at each picture in it. Another embedder may put the odd one in its
 * middle elsewhere. If it were held like one that a person confirmed by itself, all that it now lies among would come to the name with it: a must-link
 * is worth as much as its weakest member.
 */
import { cutHierarchy, type Hierarchy } from './hierarchy.ts';

/**
 * Of a cluster's items, those of people's other classes aside, so many at least are of the class: then it is a part of that class, and no other thing.
 * What people called otherwise comes to no other name, so nobody has to leave for its sake.
 */
const OWN_SHARE = 0.5;
/** A part that weighs more than so much of the heaviest one is no minority. */
const MAX_OF_HEAVIEST = 0.5;
/** Where more of the members than this lie with other things, the tree has lost the cluster, and says nothing of single ones. */
const MAX_STRAY = 0.5;

export interface Members {
  /** The class of each item that is known to be of one, [items]; −1 for none. */
  readonly classOf: Int32Array;
  /** Of each that a name of its cluster alone put there, which cluster that was, [items]; −1 for others. */
  readonly namedIn: Int32Array;
}

/**
 * The members, by their places, in order. Each cluster that was named is judged by itself, so that one that was merged into a larger one is never
 * a minority of it.
 *
 * @param k clusters of the cut in which others are looked for
 */
export function strayMembers(
  hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>,
  k: number,
  { classOf, namedIn }: Members,
): number[] {
  const clusters = cutHierarchy(hierarchy, k);
  const items = [...clusters.keys()].filter((item) => clusters[item] >= 0);
  const free = counted(items.filter((item) => classOf[item] < 0).map((item) => clusters[item]));
  const own = counted(items.map((item) => `${clusters[item]} ${classOf[item]}`));
  const members = Map.groupBy(
    items.filter((item) => namedIn[item] >= 0),
    (item) => namedIn[item],
  );
  const strays = [...members.values()].flatMap((all) => {
    const parts = Array.from(
      Map.groupBy(all, (item) => clusters[item]),
      ([cluster, part]) => {
        const ofClass = own.get(`${cluster} ${classOf[part[0]]}`) ?? 0;
        const share = ofClass / (ofClass + (free.get(cluster) ?? 0));
        // Few among many others weigh little, and so do many where there are far more others.
        return { part, share, weight: part.length * share };
      },
    );
    const heaviest = Math.max(...parts.map(({ weight }) => weight));
    const isStray = ({ share, weight }: (typeof parts)[number]) =>
      share < OWN_SHARE && weight <= MAX_OF_HEAVIEST * heaviest;
    const found = parts.filter(isStray).flatMap(({ part }) => part);
    return found.length <= MAX_STRAY * all.length ? found : [];
  });
  return strays.sort((a, b) => a - b);
}

function counted<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
