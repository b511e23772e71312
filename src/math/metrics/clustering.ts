/**
 * How well clusters agree with known classes, and how well apart they are. Labels are whole numbers of any value; only
 * which items share one matters. Definitions as in scikit-learn; logarithms are natural.
 */
import { seededRandom, shuffled } from '../../core/random.ts';
import { assign } from './assignment.ts';

export interface ClusteringMetrics {
  /** Share of items in the class its cluster is assigned to, one class a cluster, by the best assignment. */
  readonly accuracy: number;
  /** Mutual information over the arithmetic mean of the two entropies. */
  readonly nmi: number;
  /** Rand index adjusted for chance: 0 expected of random clusters, 1 perfect, may be negative. */
  readonly ari: number;
  /** Share of items in the most frequent class of their cluster. Grows with the number of clusters. */
  readonly purity: number;
  /** Number of clusters. */
  readonly k: number;
}

/** How often each class and cluster meet. */
interface Contingency {
  readonly n: number;
  readonly classes: number;
  readonly clusters: number;
  /** Shape [clusters, classes]. */
  readonly counts: Float64Array;
  /** Shape [classes]. */
  readonly classSizes: Float64Array;
  /** Shape [clusters]. */
  readonly clusterSizes: Float64Array;
}

/**
 * @param truth shape [n], class of each item.
 * @param clusters shape [n], cluster of each item.
 */
export function clusteringMetrics(truth: ArrayLike<number>, clusters: ArrayLike<number>): ClusteringMetrics {
  const table = contingency(truth, clusters);
  return {
    accuracy: assignedShare(table),
    nmi: normalizedMutualInformation(table),
    ari: adjustedRandIndex(table),
    purity: purity(table),
    k: table.clusters,
  };
}

/** {@link ClusteringMetrics.ari} alone: cost O(n), without the assignment that accuracy needs. */
export function adjustedRand(truth: ArrayLike<number>, clusters: ArrayLike<number>): number {
  return adjustedRandIndex(contingency(truth, clusters));
}

function contingency(truth: ArrayLike<number>, clusters: ArrayLike<number>): Contingency {
  if (truth.length !== clusters.length || truth.length === 0) {
    throw new RangeError(
      `expected as many clusters as classes and at least one, got ${clusters.length} and ${truth.length}`,
    );
  }
  const classIndex = denseIndex(truth);
  const clusterIndex = denseIndex(clusters);
  const width = classIndex.size;
  const counts = new Float64Array(width * clusterIndex.size);
  const classSizes = new Float64Array(width);
  const clusterSizes = new Float64Array(clusterIndex.size);
  for (let i = 0; i < truth.length; i++) {
    const c = classIndex.get(truth[i])!;
    const k = clusterIndex.get(clusters[i])!;
    counts[k * width + c]++;
    classSizes[c]++;
    clusterSizes[k]++;
  }
  return { n: truth.length, classes: width, clusters: clusterIndex.size, counts, classSizes, clusterSizes };
}

function denseIndex(labels: ArrayLike<number>): Map<number, number> {
  const index = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) if (!index.has(labels[i])) index.set(labels[i], index.size);
  return index;
}

function assignedShare({ n, classes, clusters, counts }: Contingency): number {
  const columns = assign(
    counts.map((count) => -count),
    clusters,
    classes,
  );
  let right = 0;
  for (let k = 0; k < clusters; k++) if (columns[k] >= 0) right += counts[k * classes + columns[k]];
  return right / n;
}

function purity({ n, classes, clusters, counts }: Contingency): number {
  let right = 0;
  for (let k = 0; k < clusters; k++) {
    let most = 0;
    for (let c = 0; c < classes; c++) most = Math.max(most, counts[k * classes + c]);
    right += most;
  }
  return right / n;
}

/** Strehl and Ghosh, JMLR 3 (2002), with the arithmetic mean. 1 when neither side splits anything. */
function normalizedMutualInformation(table: Contingency): number {
  const { n, classes, clusters, counts, classSizes, clusterSizes } = table;
  if (classes === 1 && clusters === 1) return 1;
  let information = 0;
  for (let k = 0; k < clusters; k++) {
    for (let c = 0; c < classes; c++) {
      const count = counts[k * classes + c];
      if (count > 0) information += (count / n) * Math.log((count * n) / (clusterSizes[k] * classSizes[c]));
    }
  }
  const mean = (entropy(classSizes, n) + entropy(clusterSizes, n)) / 2;
  return mean > 0 ? Math.max(0, information / mean) : 0;
}

function entropy(sizes: Float64Array, n: number): number {
  return sizes.reduce((sum, size) => (size > 0 ? sum - (size / n) * Math.log(size / n) : sum), 0);
}

/** Hubert and Arabie, Journal of Classification 2 (1985), from the counts of pairs. */
function adjustedRandIndex({ n, counts, classSizes, clusterSizes }: Contingency): number {
  const pairs = (sizes: Float64Array) => sizes.reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
  const together = pairs(counts);
  const [inClasses, inClusters] = [pairs(classSizes), pairs(clusterSizes)];
  const all = (n * (n - 1)) / 2;
  const expected = all > 0 ? (inClasses * inClusters) / all : 0;
  const most = (inClasses + inClusters) / 2;
  return most === expected ? 1 : (together - expected) / (most - expected);
}

export interface SilhouetteOptions {
  /** Items looked at (default 1000): the cost is sample² · dimensions, the error about 1/√sample. */
  readonly sample?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Mean silhouette of a random sample under Euclidean distance, −1 to 1 (Rousseeuw 1987): (b − a) / max(a, b), where a is
 * an item's mean distance to its own cluster and b the least mean distance to another one; 0 for an item alone in its
 * cluster. As in scikit-learn with `sample_size`, distances are within the sample only.
 *
 * @param vectors shape [n, dimensions], row after row.
 * @param clusters shape [n].
 * @returns null when the sample has fewer than two clusters.
 */
export function silhouette(
  vectors: ArrayLike<number>,
  dimensions: number,
  clusters: ArrayLike<number>,
  options: SilhouetteOptions = {},
): number | null {
  const all = Array.from({ length: clusters.length }, (_, i) => i);
  const most = options.sample ?? 1000;
  const items = all.length <= most ? all : shuffled(all, seededRandom(options.seed ?? 0, 'silhouette')).slice(0, most);
  const index = denseIndex(items.map((item) => clusters[item]));
  if (index.size < 2) return null;
  const own = Int32Array.from(items, (item) => index.get(clusters[item])!);
  const sizes = new Int32Array(index.size);
  for (const cluster of own) sizes[cluster]++;
  /** Shape [items, clusters]: sum of distances from an item to a cluster's items. */
  const sums = new Float64Array(items.length * index.size);
  for (let i = 0; i < items.length; i++) {
    for (let j = i + 1; j < items.length; j++) {
      const distance = euclidean(vectors, items[i] * dimensions, items[j] * dimensions, dimensions);
      sums[i * index.size + own[j]] += distance;
      sums[j * index.size + own[i]] += distance;
    }
  }
  let total = 0;
  for (let i = 0; i < items.length; i++) {
    if (sizes[own[i]] < 2) continue;
    const within = sums[i * index.size + own[i]] / (sizes[own[i]] - 1);
    let nearest = Number.POSITIVE_INFINITY;
    for (let k = 0; k < index.size; k++) {
      if (k !== own[i]) nearest = Math.min(nearest, sums[i * index.size + k] / sizes[k]);
    }
    const larger = Math.max(within, nearest);
    if (larger > 0) total += (nearest - within) / larger;
  }
  return total / items.length;
}

function euclidean(vectors: ArrayLike<number>, a: number, b: number, dimensions: number): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) {
    const difference = vectors[a + d] - vectors[b + d];
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}
