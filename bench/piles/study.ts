/** A pile's tree of clusters with all that is judged of it: made once, then any rule is tried on it. */

import type { Matrix } from '../../src/math/matrix.ts';
import { clusteringMetrics } from '../../src/math/metrics/clustering.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { type ClusterInCut, clusterFeatures, itemFeatures } from '../../src/stages/discover/cluster-confidence.ts';
import { cutFeatures } from '../../src/stages/discover/cluster-count.ts';
import { clustersOfCut, cutHierarchy, type Hierarchy, hierarchyOf } from '../../src/stages/discover/hierarchy.ts';
import type { Pile } from './draw.ts';
import { type CountProblem, worthOf } from './fit-counts.ts';
import type { Case } from './fit-logistic.ts';
import { type Agreement, bestCut, correctness, withoutJunk } from './score.ts';

/** Piles whose best cut agrees less have no number of clusters that could be found. */
export const FINDABLE = 0.6;
/** A cluster is one thing when so much of it is of one class. */
const ONE_THING = 0.8;
/** Neighbours whose clusters say how sure an item is of its own, as in `knn-assignment.ts`. */
const NEIGHBOURS = 10;

export interface Studied {
  readonly pile: Pile;
  readonly hierarchy: Hierarchy;
  readonly best: Agreement;
  /** Undefined for piles of fewer than two items. */
  readonly problem?: CountProblem;
}

export async function study(pool: InferencePool, pile: Pile, vectors: Matrix): Promise<Studied> {
  const hierarchy = await hierarchyOf(pool, vectors, { method: 'graph', seed: 0 });
  const best = bestCut(pile, hierarchy);
  const { evidence } = hierarchy;
  if (!evidence) return { pile, hierarchy, best };
  const findable = best.nmi >= FINDABLE;
  const worth = evidence.ks.map((k) => {
    const { truth, clusters } = withoutJunk(pile, cutHierarchy(hierarchy, k));
    return worthOf(k, { ari: clusteringMetrics(truth, clusters).ari, classes: pile.classes, findable });
  });
  const problem = { sets: pile.sets, features: cutFeatures(evidence, pile.items.length), worth };
  return { pile, hierarchy, best, problem };
}

/** Items and clusters of a cut as cases for the chances of being right and of being one thing. */
export function casesOf({ pile, hierarchy }: Studied, k: number): { items: Case[]; clusters: Case[] } {
  const labels = cutHierarchy(hierarchy, k);
  // None is missing at a number that the evidence knows.
  const clusters = clustersOfCut(hierarchy, k).filter((cluster) => cluster !== undefined);
  const right = correctness(pile, labels);
  const rightIn = new Map<number, number>();
  for (const { cluster, correct } of right) rightIn.set(cluster, (rightIn.get(cluster) ?? 0) + (correct ? 1 : 0));
  const items = right.map(({ item, cluster, correct }) => ({
    features: itemFeatures(neighbourShare(hierarchy, labels, item), clusters[cluster] as ClusterInCut),
    positive: correct,
    weight: 1 / labels.length,
  }));
  const ofClusters = clusters.map((cluster, c) => ({
    features: clusterFeatures(cluster),
    positive: (rightIn.get(c) ?? 0) / cluster.size >= ONE_THING,
    weight: 1 / clusters.length,
  }));
  return { items, clusters: ofClusters };
}

/** Share of the nearest items that are in the item's cluster, each counting as much as it is similar. */
function neighbourShare({ neighbours }: Hierarchy, labels: Int32Array, item: number): number {
  if (!neighbours) return 1;
  const { indices, similarities, n } = neighbours;
  let [own, all] = [0, 0];
  for (let e = item * n; e < item * n + Math.min(n, NEIGHBOURS); e++) {
    const other = indices[e];
    if (other < 0) continue;
    const weight = Math.max(0, similarities[e]);
    all += weight;
    if (labels[other] === labels[item]) own += weight;
  }
  return all > 0 ? own / all : 1;
}
