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
  -0.4215, 0.6583, -0.1815, 1.0777, 1.6233, -2.3257, 0.9153, -0.6984, 3.8986, -1.2827, -0.6506, 0.5448, 0.1932, -0.0417,
  -3.0875, -0.5075, 0.6032,
];
/** Bias first, then as {@link clusterFeatures} has them. */
const CLUSTER_WEIGHTS = [
  -11.671, 5.0541, 6.6434, -0.3301, 3.3461, -0.1839, -0.6225, 0.9624, 0.1199, -0.0762, -5.738, -0.483, 0.6733,
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
