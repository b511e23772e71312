/**
 * What is unusually far from its neighbours, and what is unusually near: the two tails of the distances to neighbours.
 *
 * A distance is in a tail when its logarithm is so many robust deviations from the median, (x − median) / (1.4826 · MAD):
 * 3 above it (Leys et al., "Detecting outliers", J. Exp. Soc. Psychol. 49, 2013), 3.5 below it (Iglewicz and Hoaglin, "How
 * to detect and handle outliers", 1993). By its mean distance to the nearest an item is an outlier, by that to the one
 * nearest a semantic duplicate of it (cf. Abbas et al., "SemDeDup", arXiv 2303.09540, with a fixed limit). How many
 * of what does not belong 3 finds, and how often that is right, is `outliers` of `npm run bench -- piles`.
 */

import { medianOf } from '../median.ts';

export interface Tails {
  /** At most this is unusually near. */
  readonly low: number;
  /** At least this is unusually far. */
  readonly high: number;
}

const FAR = 3;
const NEAR = 3.5;
/** What makes the median absolute deviation of a normal distribution its standard deviation. */
const NORMAL = 1.4826;
/** Fewer say nothing about what is usual. */
const LEAST = 20;
/** Distances below are the noise of single precision. */
const FLOOR = 1e-6;

/** @param distances 0 or more, at least 20; of fewer nothing is in a tail. */
export function tailsOf(distances: ArrayLike<number>): Tails {
  if (distances.length < LEAST) return { low: -1, high: Number.POSITIVE_INFINITY };
  const { middle, spread } = robustly(logsOf(distances));
  // Of distances that are all the same nothing stands out.
  if (spread === 0) return { low: -1, high: Number.POSITIVE_INFINITY };
  return { low: Math.exp(middle - NEAR * spread), high: Math.exp(middle + FAR * spread) };
}

/** More is as strange as strange can be. */
const MAX_DEVIATIONS = 6;

/** How many robust deviations each one's logarithm is from the median, −6 to 6; 0 where all are the same. */
export function deviationsOf(distances: ArrayLike<number>): Float64Array {
  const logs = logsOf(distances);
  const { middle, spread } = robustly(logs);
  if (!(spread > 0)) return new Float64Array(distances.length);
  return logs.map((value) => Math.max(-MAX_DEVIATIONS, Math.min(MAX_DEVIATIONS, (value - middle) / spread)));
}

function logsOf(distances: ArrayLike<number>): Float64Array {
  return Float64Array.from(distances, (distance) => Math.log(Math.max(FLOOR, distance)));
}

function robustly(logs: Float64Array): { middle: number; spread: number } {
  const middle = medianOf(logs);
  return { middle, spread: NORMAL * medianOf(logs.map((value) => Math.abs(value - middle))) };
}
