/** The nearest neighbours of every vector of a set, itself left out: what graph clustering and layouts work on. */
import { type Matrix, rowsOf } from '../matrix.ts';
import type { NeighbourIndex } from './neighbours.ts';

export interface NeighbourGraph {
  /** Shape [rows, n], nearest first; −1 where there are fewer. */
  readonly indices: Int32Array;
  /** Shape [rows, n]. */
  readonly similarities: Float32Array;
  readonly n: number;
}

/** Rows asked for at once: what an answer holds stays small. */
const STEP = 4096;

/** @param points the vectors of the index, in its order. Duplicates of a vector are its neighbours like any other. */
export async function neighbourGraph(
  index: NeighbourIndex,
  points: Matrix,
  n: number,
  signal?: AbortSignal,
): Promise<NeighbourGraph> {
  const graph = noGraph(points.rows, n);
  for (let from = 0; from < points.rows; from += STEP) {
    signal?.throwIfAborted();
    const to = Math.min(points.rows, from + STEP);
    putRows(graph, from, await neighboursOfRows(index, points, { from, to }, n));
  }
  return graph;
}

/** Of so many rows, none of which has a neighbour yet. */
export function noGraph(rows: number, n: number): NeighbourGraph {
  return {
    indices: new Int32Array(rows * n).fill(-1),
    similarities: new Float32Array(rows * n).fill(Number.NEGATIVE_INFINITY),
    n,
  };
}

/** Puts the neighbours of some rows in their place, the first of them at row `from`. */
export function putRows({ indices, similarities, n }: NeighbourGraph, from: number, rows: NeighbourGraph): void {
  indices.set(rows.indices, from * n);
  similarities.set(rows.similarities, from * n);
}

/** The graph's rows `from` up to but not including `to`. @param points as for {@link neighbourGraph} */
export async function neighboursOfRows(
  index: NeighbourIndex,
  points: Matrix,
  { from, to }: { readonly from: number; readonly to: number },
  n: number,
): Promise<NeighbourGraph> {
  const graph = noGraph(to - from, n);
  const found = await index.search(rowsOf(points, from, to), n + 1);
  for (let row = from; row < to; row++) {
    let put = (row - from) * n;
    const end = put + n;
    for (let at = (row - from) * (n + 1), stop = at + n + 1; at < stop && put < end; at++) {
      if (found.indices[at] === row) continue;
      graph.indices[put] = found.indices[at];
      graph.similarities[put++] = found.similarities[at];
    }
  }
  return graph;
}

/** The same graph with at most `count` neighbours each, the nearest. */
export function nearestOf(graph: NeighbourGraph, count: number): NeighbourGraph {
  const { indices, similarities, n } = graph;
  if (count >= n) return graph;
  const rows = indices.length / n;
  const kept = { indices: new Int32Array(rows * count), similarities: new Float32Array(rows * count), n: count };
  for (let row = 0; row < rows; row++) {
    kept.indices.set(indices.subarray(row * n, row * n + count), row * count);
    kept.similarities.set(similarities.subarray(row * n, row * n + count), row * count);
  }
  return kept;
}

/** The graph of some of its rows, in their order; neighbours that are none of them are left out. */
export function subgraph({ indices, similarities, n }: NeighbourGraph, rows: ArrayLike<number>): NeighbourGraph {
  const placeOf = new Int32Array(indices.length / n).fill(-1);
  for (let place = 0; place < rows.length; place++) placeOf[rows[place]] = place;
  const kept = {
    indices: new Int32Array(rows.length * n).fill(-1),
    similarities: new Float32Array(rows.length * n).fill(Number.NEGATIVE_INFINITY),
    n,
  };
  for (let place = 0; place < rows.length; place++) {
    let to = place * n;
    for (let from = rows[place] * n, end = from + n; from < end; from++) {
      const other = indices[from] < 0 ? -1 : placeOf[indices[from]];
      if (other < 0) continue;
      kept.indices[to] = other;
      kept.similarities[to++] = similarities[from];
    }
  }
  return kept;
}
