/**
 * What is unusually far from its neighbours, and what is unusually near: the two tails of the distances to neighbours.
 *
 * A distance is in a tail when its logarithm is more than 3.5 robust deviations from the median, |x − median| / (1.4826 ·
 * MAD) > 3.5 (Iglewicz and Hoaglin, "How to detect and handle outliers", 1993). By its local outlier factor an item is an
 * outlier, by the distance to the nearest one a semantic duplicate of it (cf. Abbas et al., "SemDeDup", arXiv 2303.09540,
 * with a fixed limit).
 */

export interface Tails {
  /** At most this is unusually near. */
  readonly low: number;
  /** At least this is unusually far. */
  readonly high: number;
}

const DEVIATIONS = 3.5;
/** What makes the median absolute deviation of a normal distribution its standard deviation. */
const NORMAL = 1.4826;
/** Fewer say nothing about what is usual. */
const LEAST = 20;
/** Distances below are the noise of single precision. */
const FLOOR = 1e-6;

/** @param distances 0 or more, at least 20; of fewer nothing is in a tail. */
export function tailsOf(distances: ArrayLike<number>): Tails {
  if (distances.length < LEAST) return { low: -1, high: Number.POSITIVE_INFINITY };
  const logs = Float64Array.from(distances, (distance) => Math.log(Math.max(FLOOR, distance))).sort();
  const middle = median(logs);
  const spread = NORMAL * median(logs.map((value) => Math.abs(value - middle)).sort());
  // Of distances that are all the same nothing stands out.
  if (spread === 0) return { low: -1, high: Number.POSITIVE_INFINITY };
  return { low: Math.exp(middle - DEVIATIONS * spread), high: Math.exp(middle + DEVIATIONS * spread) };
}

function median(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  const upper = sorted[half];
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1] + upper) / 2;
}
