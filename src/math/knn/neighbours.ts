/**
 * Nearest neighbours: the contract that every index keeps (checked by `test/contracts/neighbours.ts`).
 *
 * - Similarity is the inner product: the cosine, when vectors have length 1. Indices that are not exact ask for that.
 * - Neighbours come in order of similarity, the greatest first, equal ones in order of index.
 * - An index that is not exact computes the similarities it returns exactly; it may only miss neighbours.
 * - The same vectors, options and seed give the same answers, whatever the number of threads.
 */
import { LabelsmithError } from '../../errors.ts';
import type { Matrix } from '../matrix.ts';

export interface NeighbourIndex {
  /** Vectors in the index; they are numbered 0 to size − 1. */
  readonly size: number;
  readonly columns: number;
  /** The n nearest of each query. @param queries [q, columns]. @param n at least 1. */
  search(queries: Matrix, n: number): Promise<Neighbours>;
}

export interface Neighbours {
  /** Shape [queries, n]; −1 where there are fewer than n. */
  readonly indices: Int32Array;
  /** Shape [queries, n]; −Infinity where there are fewer than n. */
  readonly similarities: Float32Array;
  readonly n: number;
  /** What was read to answer, summed over the queries. */
  readonly read: { readonly codes: number; readonly vectors: number };
}

export function noNeighbours(queries: number, n: number): Neighbours {
  return {
    indices: new Int32Array(queries * n).fill(-1),
    similarities: new Float32Array(queries * n).fill(Number.NEGATIVE_INFINITY),
    n,
    read: { codes: 0, vectors: 0 },
  };
}

/** Refuses queries of another width than the index has, and n below 1. */
export function checkSearch(columns: number, queries: Matrix, n: number): void {
  if (queries.columns !== columns) {
    throw new LabelsmithError('USAGE', `queries have ${queries.columns} numbers each, the index has ${columns}`, {
      hint: 'Embed the query with the model and recipe that the index was made with.',
    });
  }
  if (!Number.isInteger(n) || n < 1) {
    throw new LabelsmithError('USAGE', `n must be a whole number of at least 1, not ${n}`);
  }
}

/** Puts a neighbour in its place among those of one query, or drops it. @param at where the query's row starts. */
export function offer(into: Neighbours, at: number, index: number, similarity: number): void {
  const { indices, similarities, n } = into;
  let place = at + n;
  while (place > at) {
    const before = similarities[place - 1];
    if (before > similarity || (before === similarity && indices[place - 1] < index)) break;
    place--;
  }
  if (place === at + n) return;
  indices.copyWithin(place + 1, place, at + n - 1);
  similarities.copyWithin(place + 1, place, at + n - 1);
  indices[place] = index;
  similarities[place] = similarity;
}

/** The part of the true neighbours that was found: |found ∩ true| over |true|, summed over the queries. */
export function recall(found: Neighbours, truth: Neighbours): number {
  let hits = 0;
  let wanted = 0;
  for (let q = 0; q * truth.n < truth.indices.length; q++) {
    const right = new Set(truth.indices.subarray(q * truth.n, (q + 1) * truth.n));
    right.delete(-1);
    wanted += right.size;
    for (const index of found.indices.subarray(q * found.n, (q + 1) * found.n)) if (right.has(index)) hits++;
  }
  return wanted === 0 ? 1 : hits / wanted;
}
