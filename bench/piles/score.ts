/** How well the clusters of a pile agree with its classes, how honest they are about it, and what they leave for a person to do. */
import { clusteringMetrics } from '../../src/math/metrics/clustering.ts';
import { cutHierarchy, type Hierarchy } from '../../src/stages/discover/hierarchy.ts';
import { actionsTo95 } from './actions.ts';
import type { Pile } from './draw.ts';

export interface Agreement {
  readonly k: number;
  readonly ari: number;
  readonly nmi: number;
  readonly purity: number;
  readonly actions: number;
}

/** Junk is in no class, so it counts for none of these; an item of no cluster is a cluster of its own. */
export function agreement(pile: Pile, hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>, labels: Int32Array): Agreement {
  const { truth, clusters } = withoutJunk(pile, labels);
  const k = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  if (truth.length === 0) return { k, ari: 1, nmi: 1, purity: 1, actions: 0 };
  const { ari, nmi, purity } = clusteringMetrics(truth, clusters);
  const actions = actionsTo95({ truth: pile.truth, labels, leafOf: hierarchy.leafOf, tree: hierarchy.tree });
  return { k, ari, nmi, purity, actions };
}

/** The cut whose ARI is highest; of equal ones the coarsest. */
export function bestCut(pile: Pile, hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>): Agreement {
  const most = Math.min(hierarchy.tree.points, Math.max(20, 3 * pile.classes));
  let best: Int32Array = new Int32Array(hierarchy.leafOf.length);
  let highest = Number.NEGATIVE_INFINITY;
  for (let k = 1; k <= most; k++) {
    const labels = cutHierarchy(hierarchy, k);
    const { truth, clusters } = withoutJunk(pile, labels);
    if (truth.length === 0) break;
    const { ari } = clusteringMetrics(truth, clusters);
    if (ari > highest + 1e-9) [best, highest] = [labels, ari];
  }
  return agreement(pile, hierarchy, best);
}

export function withoutJunk({ truth }: Pile, labels: Int32Array): { truth: number[]; clusters: number[] } {
  const rows = [...truth.keys()].filter((i) => truth[i] >= 0);
  return {
    truth: rows.map((i) => truth[i]),
    clusters: rows.map((i) => (labels[i] < 0 ? -1 - i : labels[i])),
  };
}

/** Of every item with a cluster: whether its class is the one most of its cluster's items have. Junk never is. */
export function correctness(
  { truth }: Pile,
  labels: Int32Array,
): { cluster: number; item: number; correct: boolean }[] {
  const counts = new Map<number, Map<number, number>>();
  labels.forEach((cluster, i) => {
    const of = counts.get(cluster) ?? new Map<number, number>();
    const c = truth[i];
    if (c >= 0) of.set(c, (of.get(c) ?? 0) + 1);
    counts.set(cluster, of);
  });
  const majority = new Map(
    Array.from(counts, ([cluster, of]) => [cluster, [...of].reduce((a, b) => (b[1] > a[1] ? b : a), [-2, 0])[0]]),
  );
  return [...labels.keys()]
    .filter((i) => labels[i] >= 0)
    .map((item) => {
      const cluster = labels[item];
      return { cluster, item, correct: majority.get(cluster) === truth[item] };
    });
}

const BINS = 10;

/** Expected calibration error, ten bins of equal width (Guo et al. 2017). */
export function calibrationError(confidences: readonly number[], correct: readonly boolean[]): number {
  const sums = Array.from({ length: BINS }, () => ({ confidence: 0, correct: 0 }));
  confidences.forEach((confidence, i) => {
    const bin = sums[Math.min(BINS - 1, Math.floor(confidence * BINS))] as { confidence: number; correct: number };
    bin.confidence += confidence;
    bin.correct += correct[i] ? 1 : 0;
  });
  const gap = sums.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.correct), 0);
  return gap / Math.max(1, confidences.length);
}
