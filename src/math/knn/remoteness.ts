/**
 * How far items are from their nearest before vectors were scaled to length 1.
 *
 * Vectors that are compared are centred and scaled, which takes away how far each stood from the mean; what belongs to a pile
 * by nothing stands far. With r an item's distance from the mean and s the cosine of two centred ones, half the squared
 * distance of two is (r² + q² − 2 r q s) / 2, which of vectors of length 1 is 1 less their cosine.
 */
import type { NeighbourGraph } from './graph.ts';

/** An item with its neighbours: the distance of each from the mean, and cosines of the centred. */
export interface Surrounded {
  readonly fromMean: number;
  /** Of the neighbours, in the order of `similarities`. */
  readonly neighboursFromMean: readonly number[];
  readonly similarities: readonly number[];
}

/** Mean over the neighbours, 0 where there are none. Rounded as files keep it, so that it is the same when read back. */
export function remoteness({ fromMean: r, neighboursFromMean, similarities }: Surrounded): number {
  let sum = 0;
  for (const [i, similarity] of similarities.entries()) {
    const q = neighboursFromMean[i];
    sum += Math.max(0, r * r + q * q - 2 * r * q * similarity) / 2;
  }
  return similarities.length === 0 ? 0 : Math.fround(sum / similarities.length);
}

/** Of one row of a graph by its first `count` neighbours. @param fromMean shape [rows] */
export function remotenessInGraph(
  { indices, similarities, n }: NeighbourGraph,
  fromMean: ArrayLike<number>,
  row: number,
  count: number,
): number {
  const places: number[] = [];
  const cosines: number[] = [];
  for (let e = row * n; e < row * n + Math.min(n, count); e++) {
    if (indices[e] < 0) continue;
    places.push(indices[e]);
    cosines.push(similarities[e]);
  }
  const neighboursFromMean = places.map((place) => fromMean[place]);
  return remoteness({ fromMean: fromMean[row], neighboursFromMean, similarities: cosines });
}
