/**
 * How far to trust clusters: the chance that an item is of the class that most of its cluster is of, and the chance that a
 * cluster is one thing (four fifths of it of one class).
 *
 * Logistic regressions on what is measured of the cluster and of the item's neighbours. Fitted on piles drawn from thirteen sets
 * with two embedders; calibration was measured on sets that the fit never saw (`npm run bench -- piles`). They know nothing of
 * what a person would call one class, so a cluster of look-alikes is called one thing.
 */
import type { ClusterEvidence } from '../../math/graph-cluster/cut-evidence.ts';

/** A cluster in its cut. */
export interface ClusterInCut extends ClusterEvidence {
  /** Clusters of the cut. */
  readonly k: number;
  /** Items of the cut. */
  readonly items: number;
}

/** Bias first, then as {@link itemFeatures} has them. */
const ITEM_WEIGHTS = [
  -0.7972, 0.6098, -0.0374, 0.6988, 1.8199, -2.1826, 1.2886, -0.568, 4.2826, -1.1525, -0.4694, 0.3572, 0.092, 0.0597,
  -2.7303, -0.4204, 0.4816,
];
/** Bias first, then as {@link clusterFeatures} has them. */
const CLUSTER_WEIGHTS = [
  -11.972, 5.0735, 6.8738, -0.508, 4.2354, -0.3196, -0.4943, 0.8573, 0.0476, 0.1335, -5.3037, -0.4124, 0.489,
];

/** Below it a cluster is called mixed. */
const MIXED_BELOW = 0.5;

/** @param chance null where nothing says so */
export const isMixed = (chance: number | null) => chance !== null && chance < MIXED_BELOW;

/** @param share of the item's neighbours that are in its cluster, by weight, 0 to 1. */
export function itemFeatures(share: number, cluster: ClusterInCut): number[] {
  const { cohesion, concentration } = cluster;
  return [share, share * share, share * cohesion, share * concentration, ...clusterFeatures(cluster)];
}

export function clusterFeatures(cluster: ClusterInCut): number[] {
  const { size, cohesion, concentration, split, similarity, splitSimilarity, k, items } = cluster;
  const { remote, remoteSpread, remoteShare, fromMean, fromMeanSpread } = cluster;
  const sizes = [Math.log(Math.max(1, size)), Math.log(Math.max(1, items / Math.max(1, k)))];
  const strangeness = [remote, remoteSpread, remoteShare, fromMean, fromMeanSpread];
  return [cohesion, concentration, split, similarity, splitSimilarity, ...sizes, ...strangeness];
}

/** The chance that the item is of its cluster's class. */
export function itemConfidence(share: number, cluster: ClusterInCut): number {
  return logistic(ITEM_WEIGHTS, itemFeatures(share, cluster));
}

/** The chance that the cluster is one thing. */
export function chanceOfOneThing(cluster: ClusterInCut): number {
  return logistic(CLUSTER_WEIGHTS, clusterFeatures(cluster));
}

/** @param weights the bias, then one a feature. */
export function logistic(weights: ArrayLike<number>, features: readonly number[]): number {
  const logit = features.reduce((sum, value, j) => sum + value * weights[j + 1], weights[0]);
  return 1 / (1 + Math.exp(-logit));
}
