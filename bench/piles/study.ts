/** A pile's tree of clusters with all that is judged of it: made once, then any rule is tried on it. */

import type { NeighbourGraph } from '../../src/math/knn/graph.ts';
import { remotenessInGraph } from '../../src/math/knn/remoteness.ts';
import { tailsOf } from '../../src/math/knn/tails.ts';
import { gatherRows, type Matrix } from '../../src/math/matrix.ts';
import { clusteringMetrics } from '../../src/math/metrics/clustering.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { type ClusterInCut, clusterFeatures, itemFeatures } from '../../src/stages/discover/cluster-confidence.ts';
import { cutFeatures } from '../../src/stages/discover/cluster-count.ts';
import {
  clustersOfCut,
  cutHierarchy,
  type Hierarchy,
  hierarchyOf,
  neighboursOf,
} from '../../src/stages/discover/hierarchy.ts';
import { type Nuisance, withoutNuisance } from '../../src/stages/discover/nuisance.ts';
import type { Pile, PileItem } from './draw.ts';
import { type CountProblem, worthOf } from './fit-counts.ts';
import type { Case } from './fit-logistic.ts';
import { type Agreement, bestCut, correctness, withoutJunk } from './score.ts';
import { COPY_KINDS, originalOf } from './vectors.ts';

/** Piles whose best cut agrees less have no number of clusters that could be found. */
export const FINDABLE = 0.6;
/** A number of clusters is right when it is within this factor of the truth. */
export const NEAR = 1.35;
/** A cluster is one thing when so much of it is of one class. */
export const ONE_THING = 0.8;
/** Neighbours whose clusters say how sure an item is of its own, as in `knn-assignment.ts`. */
const NEIGHBOURS = 10;
/** Copies that `add` finds nearly always (`npm run bench -- copies`); `discover` clusters one of each set of them. */
const FOUND_COPIES = ['smaller', 'recompressed'];

export interface Studied {
  readonly pile: Pile;
  /** Of what is clustered. */
  readonly sample: Hierarchy;
  /** Of what is clustered, by its vectors as they are; absent where there is one. */
  readonly neighbours?: NeighbourGraph;
  /** The same tree with a leaf for every item of the pile. */
  readonly hierarchy: Pick<Hierarchy, 'leafOf' | 'tree'>;
  /** The row of the sample that each item goes with, [items]. */
  readonly rowOf: Int32Array;
  readonly best: Agreement;
  /** Undefined for piles of fewer than two items. */
  readonly problem?: CountProblem;
  /** How remote each row of the sample is, and whether it is junk. */
  readonly remote: readonly { readonly distance: number; readonly junk: boolean }[];
}

export interface PileVectors {
  /** One an item, rows of length 1. */
  readonly vectors: Matrix;
  /** How far each was from the mean, [items]. */
  readonly fromMean: Float32Array;
  /** Of sets that the pile has nothing of, where there are any. */
  readonly nuisance: Nuisance | undefined;
}

export async function study(
  pool: InferencePool,
  pile: Pile,
  { vectors, fromMean, nuisance }: PileVectors,
): Promise<Studied> {
  const { rows, rowOf } = withoutCopies(pile.items);
  const ownFromMean = Float32Array.from(rows, (item) => fromMean[item]);
  const own = gatherRows(vectors, rows);
  // Later items, and how sure an item is of its cluster, go by the vectors as they are.
  const neighbours = rows.length > 1 ? await neighboursOf(pool, own) : undefined;
  const sample = await hierarchyOf(pool, await withoutNuisance(pool, own, nuisance), {
    method: 'graph',
    seed: 0,
    fromMean: ownFromMean,
  });
  const { tree, evidence } = sample;
  const hierarchy = { tree, leafOf: rowOf.map((row) => sample.leafOf[row]) };
  const best = bestCut(pile, hierarchy);
  const remote = rows.map((item, row) => ({
    distance: neighbours ? remotenessInGraph(neighbours, ownFromMean, row, NEIGHBOURS) : 0,
    junk: pile.truth[item] < 0,
  }));
  const studied = { pile, sample, hierarchy, rowOf, best, remote, ...(neighbours ? { neighbours } : {}) };
  if (!evidence) return studied;
  const findable = best.nmi >= FINDABLE;
  const worth = evidence.ks.map((k) => {
    const { truth, clusters } = withoutJunk(pile, cutHierarchy(hierarchy, k));
    return worthOf(k, { ari: clusteringMetrics(truth, clusters).ari, classes: pile.classes, findable });
  });
  return { ...studied, problem: { sets: pile.sets, features: cutFeatures(evidence, rows.length), worth } };
}

/** What is clustered: all but copies of what is, which go with it. */
function withoutCopies(items: readonly PileItem[]): { rows: number[]; rowOf: Int32Array } {
  const rows: number[] = [];
  const rowOfOriginal = new Map<string, number>();
  const rowOf = Int32Array.from(items, ({ set, row, copy }, item) => {
    const found = copy < 0 || FOUND_COPIES.includes(COPY_KINDS[copy] as string);
    const name = `${set} ${copy < 0 ? row : originalOf(row)}`;
    const there = found ? rowOfOriginal.get(name) : undefined;
    if (there !== undefined) return there;
    const own = rows.push(item) - 1;
    if (found) rowOfOriginal.set(name, own);
    return own;
  });
  return { rows, rowOf };
}

/** Items and clusters of a cut as cases for the chances of being right and of being one thing. */
export function casesOf({ pile, sample, rowOf, neighbours }: Studied, k: number): { items: Case[]; clusters: Case[] } {
  const ofRows = cutHierarchy(sample, k);
  // None is missing at a number that the evidence knows.
  const clusters = clustersOfCut(sample, k).filter((cluster) => cluster !== undefined);
  const right = correctness(
    pile,
    rowOf.map((row) => ofRows[row]),
  );
  const counts = clusters.map(() => ({ all: 0, right: 0 }));
  for (const { cluster, correct } of right) {
    const count = counts[cluster] as { all: number; right: number };
    count.all++;
    if (correct) count.right++;
  }
  const items = right.map(({ item, cluster, correct }) => ({
    features: itemFeatures(neighbourShare(neighbours, ofRows, rowOf[item]), clusters[cluster] as ClusterInCut),
    positive: correct,
    weight: 1 / pile.items.length,
  }));
  const ofClusters = clusters.map((cluster, c) => ({
    features: clusterFeatures(cluster),
    positive: (counts[c]?.right ?? 0) / Math.max(1, counts[c]?.all ?? 0) >= ONE_THING,
    weight: 1 / clusters.length,
  }));
  return { items, clusters: ofClusters };
}

/** Share of the nearest of the sample that are in the row's cluster, each counting as much as it is similar. */
function neighbourShare(neighbours: NeighbourGraph | undefined, labels: Int32Array, row: number): number {
  if (!neighbours) return 1;
  const { indices, similarities, n } = neighbours;
  let [own, all] = [0, 0];
  for (let e = row * n; e < row * n + Math.min(n, NEIGHBOURS); e++) {
    const other = indices[e];
    if (other < 0) continue;
    const weight = Math.max(0, similarities[e]);
    all += weight;
    if (labels[other] === labels[row]) own += weight;
  }
  return all > 0 ? own / all : 1;
}

/** Rows that `discover` says stand apart. */
export function toldApart({ remote }: Studied): readonly { readonly junk: boolean }[] {
  const { high } = tailsOf(remote.map(({ distance }) => distance));
  return remote.filter(({ distance }) => distance >= high);
}
