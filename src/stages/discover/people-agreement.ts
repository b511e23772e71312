/**
 * How well a cut agrees with the classes that people gave to some items.
 *
 * People name clusters as they are, with the odd image in them. So a part of a class that lies by itself is left out of the
 * reckoning where it is small, and all that is left out is a small share of the class: else two stray images would speak for the
 * cut that has them together with the others, which the coarsest does best.
 */
import { adjustedRand } from '../../math/metrics/clustering.ts';

/** A part is small with so many items, */
const SMALL_ITEMS = 2;
/** or with such a share of its class. */
const SMALL_SHARE = 0.1;
/** Of a class no more than this is left out, the smallest parts first: of one that is all in shreds the shreds count. */
const MAX_LEFT_OUT = 0.25;

/**
 * The adjusted Rand index of what is not left out.
 *
 * @param classes the class of each item, two or more in all, [items]
 * @param clusters the cluster of each, [items]
 * @returns 1 for full agreement, about 0 for none
 */
export function agreementWithPeople(classes: readonly number[], clusters: ArrayLike<number>): number {
  const ofClass = Map.groupBy(classes.keys(), (item) => classes[item]);
  const counted = Array.from(ofClass.values(), (items) => {
    const parts = Map.groupBy(items, (item) => clusters[item]);
    return withoutStray([...parts.values()]);
  });
  const items = counted.flat(2);
  return adjustedRand(
    items.map((item) => classes[item]),
    items.map((item) => clusters[item]),
  );
}

/** @param parts of a class, the items of each */
function withoutStray(parts: readonly number[][]): readonly number[][] {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const smallestFirst = parts.toSorted((a, b) => a.length - b.length);
  let leftOut = 0;
  const first = smallestFirst.findIndex((part, i) => {
    leftOut += part.length;
    const isSmall = part.length <= Math.max(SMALL_ITEMS, SMALL_SHARE * size);
    return i === parts.length - 1 || !isSmall || leftOut > MAX_LEFT_OUT * size;
  });
  return smallestFirst.slice(first);
}
