/** A cluster for any item, by the clusters of the sample's items nearest to it. */
import type { ItemId } from '../../core/ids.ts';
import type { NeighbourIndex } from '../../math/knn/neighbours.ts';
import type { Matrix } from '../../math/matrix.ts';

/** A sample of items whose clusters are known. */
export interface ClusteredSample {
  readonly index: NeighbourIndex;
  /** In the order of the index. */
  readonly ids: readonly ItemId[];
  /** Cluster of each; −1 for none, which counts like any other. */
  readonly clusters: Int32Array;
}

export interface Assignment {
  /** −1 for none. */
  readonly cluster: number;
  /** Share of the neighbours' weight, 0 to 1. */
  readonly confidence: number;
  /** Places of the neighbours in the sample, the nearest first. */
  readonly neighbours: readonly number[];
  /** Of each of them: the cosine. */
  readonly similarities: readonly number[];
}

const NEIGHBOURS = 10;

/**
 * An item of the sample keeps its cluster, and is as sure of it as its neighbours agree; another item gets the cluster that
 * most of its ten nearest are in, each counting as much as it is similar.
 *
 * @param own the cluster of each item that is in the sample itself, undefined for others.
 */
export async function assignByNeighbours(
  sample: ClusteredSample,
  items: readonly ItemId[],
  vectors: Matrix,
  own: readonly (number | undefined)[],
): Promise<Assignment[]> {
  const { index, ids, clusters } = sample;
  const found = await index.search(vectors, Math.min(NEIGHBOURS + 1, index.size));
  return items.map((item, row) => {
    const weights = new Map<number, number>();
    let all = 0;
    const neighbours: number[] = [];
    const similarities: number[] = [];
    for (let e = row * found.n; e < (row + 1) * found.n && neighbours.length < NEIGHBOURS; e++) {
      const place = found.indices[e];
      if (place < 0 || ids[place] === item) continue;
      neighbours.push(place);
      similarities.push(found.similarities[e]);
      const weight = Math.max(0, found.similarities[e]);
      const cluster = clusters[place];
      weights.set(cluster, (weights.get(cluster) ?? 0) + weight);
      all += weight;
    }
    const share = (cluster: number) => (all > 0 ? (weights.get(cluster) ?? 0) / all : 0);
    const kept = own[row];
    if (kept !== undefined) return { cluster: kept, confidence: all > 0 ? share(kept) : 1, neighbours, similarities };
    const cluster = heaviest(weights);
    return { cluster, confidence: share(cluster), neighbours, similarities };
  });
}

/** The cluster of most weight, the lowest number where several have it; −1 where there is none. */
function heaviest(weights: ReadonlyMap<number, number>): number {
  let best = -1;
  for (const [cluster, weight] of weights) {
    const most = weights.get(best) ?? -1;
    if (weight > most || (weight === most && cluster < best)) best = cluster;
  }
  return best;
}
