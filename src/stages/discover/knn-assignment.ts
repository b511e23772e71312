/** A cluster for any item, from the clusters of the members nearest to it. */
import type { ItemId } from '../../core/ids.ts';
import type { NeighbourIndex } from '../../math/knn/neighbours.ts';
import type { Matrix } from '../../math/matrix.ts';

export interface Voters {
  readonly index: NeighbourIndex;
  /** In the order of the index. */
  readonly ids: readonly ItemId[];
  /** Cluster of each member; −1 for none, which votes as well. */
  readonly clusters: Int32Array;
}

export interface Vote {
  /** −1 for none. */
  readonly cluster: number;
  /** Share of the votes, 0 to 1. */
  readonly confidence: number;
  /** The members that voted, the nearest first. */
  readonly members: readonly number[];
  /** Of each of them: the cosine. */
  readonly similarities: readonly number[];
}

const NEIGHBOURS = 10;

/**
 * A member keeps its cluster, and is as sure of it as its neighbours agree; another item gets the cluster that most of its ten
 * nearest members are in, each counting as much as it is similar.
 *
 * @param own the cluster of each item where it is a member itself, undefined where it is not.
 */
export async function vote(
  { index, ids, clusters }: Voters,
  items: readonly ItemId[],
  vectors: Matrix,
  own: readonly (number | undefined)[],
): Promise<Vote[]> {
  const found = await index.search(vectors, Math.min(NEIGHBOURS + 1, index.size));
  return items.map((item, row) => {
    const votes = new Map<number, number>();
    let all = 0;
    const members: number[] = [];
    const similarities: number[] = [];
    for (let e = row * found.n; e < (row + 1) * found.n && members.length < NEIGHBOURS; e++) {
      const member = found.indices[e];
      if (member < 0 || ids[member] === item) continue;
      members.push(member);
      similarities.push(found.similarities[e]);
      const weight = Math.max(0, found.similarities[e]);
      const cluster = clusters[member];
      votes.set(cluster, (votes.get(cluster) ?? 0) + weight);
      all += weight;
    }
    const voters = { members, similarities };
    const share = (cluster: number) => (all > 0 ? (votes.get(cluster) ?? 0) / all : 0);
    const kept = own[row];
    if (kept !== undefined) return { cluster: kept, confidence: all > 0 ? share(kept) : 1, ...voters };
    let best = -1;
    for (const [cluster, weight] of votes) {
      const most = votes.get(best) ?? -1;
      if (weight > most || (weight === most && cluster < best)) best = cluster;
    }
    return { cluster: best, confidence: share(best), ...voters };
  });
}
