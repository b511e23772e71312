/**
 * From nearest neighbours to a weighted graph: the fuzzy union of UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426,
 * section 3.1), and its symmetric normalisation.
 *
 * With d the cosine distance, ρ an item's least one and n its neighbours, σ is such that Σ exp(−max(0, d − ρ) / σ) =
 * log₂ n, which gives every item as many neighbours that count, in dense parts and in thin ones. An edge's weight is
 * p + q − p·q of its two directions. Cost n·size times 40 halvings.
 */
import type { NeighbourGraph } from '../knn/graph.ts';
import type { SparseMatrix } from './sparse.ts';

const HALVINGS = 40;

/** Symmetric weights in (0, 1], no diagonal. */
export function fuzzyGraph({ indices, similarities, n }: NeighbourGraph): SparseMatrix {
  const size = indices.length / n;
  const directed = new Float64Array(indices.length);
  for (let row = 0; row < size; row++) directedWeights(similarities, indices, row * n, n, directed);
  return fuzzyUnion(indices, directed, size, n);
}

function directedWeights(
  similarities: Float32Array,
  indices: Int32Array,
  start: number,
  n: number,
  into: Float64Array,
): void {
  let end = start;
  while (end < start + n && indices[end] >= 0) end++;
  const distance = (e: number) => Math.max(0, 1 - similarities[e]);
  const nearest = end > start ? distance(start) : 0;
  const sum = (sigma: number) => {
    let total = 0;
    for (let e = start; e < end; e++) total += Math.exp(-Math.max(0, distance(e) - nearest) / sigma);
    return total;
  };
  const wanted = Math.log2(n);
  let [low, high] = [1e-6, 10];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (sum(middle) > wanted) high = middle;
    else low = middle;
  }
  for (let e = start; e < end; e++) into[e] = Math.exp(-Math.max(0, distance(e) - nearest) / high);
}

function fuzzyUnion(indices: Int32Array, directed: Float64Array, size: number, n: number): SparseMatrix {
  const rows: Map<number, number>[] = Array.from({ length: size }, () => new Map());
  const join = (row: number, column: number, weight: number) => {
    const there = rows[row]?.get(column) ?? 0;
    rows[row]?.set(column, there + weight - there * weight);
  };
  for (let e = 0; e < indices.length; e++) {
    const [row, column, weight] = [Math.floor(e / n), indices[e], directed[e]];
    // Weights that vanish would leave rows of zeros and split the graph all the same.
    if (column < 0 || weight < 1e-12) continue;
    join(row, column, weight);
    join(column, row, weight);
  }
  const starts = new Int32Array(size + 1);
  for (let row = 0; row < size; row++) starts[row + 1] = starts[row] + (rows[row]?.size ?? 0);
  const columns = new Int32Array(starts[size]);
  const values = new Float64Array(columns.length);
  for (let row = 0, e = 0; row < size; row++) {
    for (const [column, value] of [...(rows[row] ?? [])].sort(([a], [b]) => a - b)) {
      columns[e] = column;
      values[e++] = value;
    }
  }
  return { size, starts, columns, values };
}

/** D^−½ W D^−½ with D the sums of rows: eigenvalues in [−1, 1], as many of them 1 as the graph has parts. */
export function normalisedGraph(graph: SparseMatrix): SparseMatrix {
  const { size, starts, columns, values } = graph;
  const scale = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    let degree = 0;
    for (let e = starts[row]; e < starts[row + 1]; e++) degree += values[e];
    scale[row] = degree > 0 ? 1 / Math.sqrt(degree) : 0;
  }
  const scaled = new Float64Array(values.length);
  for (let row = 0; row < size; row++) {
    for (let e = starts[row]; e < starts[row + 1]; e++) {
      scaled[e] = values[e] * scale[row] * scale[columns[e]];
    }
  }
  return { size, starts, columns, values: scaled };
}
