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
const ITEM_WEIGHTS = [-1.2096, 1.4254, 0.1355, 0.617, 0.2991, -1.9345, 2.51, -0.4023, -0.2337, 0.1663];
/** Bias first, then as {@link clusterFeatures} has them. */
const CLUSTER_WEIGHTS = [-9.9246, 4.375, 6.1053, -0.2101, -0.1018, 0.4704];

/** Below it a cluster is called mixed. */
export const MIXED_BELOW = 0.5;

/** @param share of the item's neighbours that are in its cluster, by weight, 0 to 1. */
export function itemFeatures(share: number, cluster: ClusterInCut): number[] {
  const { cohesion, concentration } = cluster;
  return [share, share * share, share * cohesion, share * concentration, ...clusterFeatures(cluster)];
}

export function clusterFeatures({ size, cohesion, concentration, split, k, items }: ClusterInCut): number[] {
  return [cohesion, concentration, split, Math.log(Math.max(1, size)), Math.log(Math.max(1, items / Math.max(1, k)))];
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
