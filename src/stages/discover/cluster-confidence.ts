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
  /** Means over the cut's clusters. */
  readonly meanSimilarity: number;
  readonly meanConcentration: number;
}

/** Bias first, then as {@link itemFeatures} has them. */
const ITEM_WEIGHTS = [
  -3.9443, 0.3405, -0.2414, 2.0007, 1.2506, -0.961, 4.0203, -1.1139, 2.1514, -0.665, -0.048, 0.1258, 0.1711, -0.0993,
  -2.9045, -0.5409, 0.5731, 1.8813, -7.6711, 0.4645, -1.2249,
];
/** Bias first, then as {@link clusterFeatures} has them. */
const CLUSTER_WEIGHTS = [
  -13.3175, 6.6562, 8.1102, -1.0236, 1.4488, 0.1739, 0.2062, 0.3682, 0.2103, -0.2106, -5.0704, -0.5951, 0.5807, 3.3747,
  -7.4327, 0.3292, -1.4489,
];

export const WEIGHTS = { item: ITEM_WEIGHTS, cluster: CLUSTER_WEIGHTS } as const;

/** So many items say what is of one class; fewer say less. */
export const ENOUGH_ITEMS = 32;
/**
 * Added to the logit for each e-fold that the items fall short of {@link ENOUGH_ITEMS}. Few images of one class and as many that
 * are all different give much the same tree, so the less there are the less is claimed. `npm run bench -- few-images` derives both.
 */
const SHORTAGE_WEIGHTS = { item: -0.87, cluster: -0.91 } as const;

/** Below it a cluster is called mixed. */
const MIXED_BELOW = 0.5;

/** @param chance null where nothing says so */
export const isMixed = (chance: number | null) => chance !== null && chance < MIXED_BELOW;

/** What a cluster looks like, in a word: of few items in all a low chance says that nothing is known. @param items of all clusters */
export function lookOf(chance: number | null, items: number): 'mixed' | 'unsure' | '' {
  if (!isMixed(chance)) return '';
  return items < ENOUGH_ITEMS ? 'unsure' : 'mixed';
}

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
  // How alike images of one thing are differs from pile to pile, so a cluster is compared with the others of its cut.
  const amongOthers = [
    similarity - cluster.meanSimilarity,
    concentration - cluster.meanConcentration,
    Math.log(Math.max(1, k)),
    (size * k) / Math.max(1, items),
  ];
  return [cohesion, concentration, split, similarity, splitSimilarity, ...sizes, ...strangeness, ...amongOthers];
}

/** The chance that the item is of its cluster's class. */
export function itemConfidence(share: number, cluster: ClusterInCut): number {
  return chanceOf(
    logitOf(ITEM_WEIGHTS, itemFeatures(share, cluster)) + SHORTAGE_WEIGHTS.item * shortageOf(cluster.items),
  );
}

/** The chance that the cluster is one thing. */
export function chanceOfOneThing(cluster: ClusterInCut): number {
  return chanceOf(
    logitOf(CLUSTER_WEIGHTS, clusterFeatures(cluster)) + SHORTAGE_WEIGHTS.cluster * shortageOf(cluster.items),
  );
}

/** How far so many items fall short of {@link ENOUGH_ITEMS}, in e-folds; 0 where they do not. */
export const shortageOf = (items: number) => Math.max(0, Math.log(ENOUGH_ITEMS / Math.max(1, items)));

/** @param weights the bias, then one a feature. */
export const logistic = (weights: ArrayLike<number>, features: readonly number[]) =>
  chanceOf(logitOf(weights, features));

function logitOf(weights: ArrayLike<number>, features: readonly number[]): number {
  return features.reduce((sum, value, j) => sum + value * weights[j + 1], weights[0]);
}

export const chanceOf = (logit: number) => 1 / (1 + Math.exp(-logit));
