/**
 * Exact nearest neighbours: a matrix product and a top-n for each block of queries and vectors, on the inference threads.
 *
 * Cost 2·columns flops for each query and vector; one query is bound by reading the vectors once. Holds the vectors, and
 * for each thread the similarities of one block (8 MB).
 */

import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Tensors } from '../../onnx/session.ts';
import { float32Data, int32Data, int64 } from '../../onnx/tensor.ts';
import { type Matrix, matrixTensor, rowsOf, shareMatrix } from '../matrix.ts';
import { checkSearch, type NeighbourIndex, type Neighbours, noNeighbours, offer } from './neighbours.ts';

const QUERY_BLOCK = 256;
const VECTOR_BLOCK = 8192;

export function exactIndex(pool: InferencePool, points: Matrix): NeighbourIndex {
  const vectors = shareMatrix(points);
  return {
    size: vectors.rows,
    columns: vectors.columns,
    search: (queries, n) => searchExactly(pool, vectors, queries, n),
  };
}

async function searchExactly(pool: InferencePool, vectors: Matrix, given: Matrix, n: number): Promise<Neighbours> {
  checkSearch(vectors.columns, given, n);
  const queries = shareMatrix(given);
  const found = noNeighbours(queries.rows, n);
  const model = await pool.load(topGraph(), { key: 'knn-top' });
  const waiting: (() => Promise<void>)[] = [];
  for (let q = 0; q < queries.rows; q += QUERY_BLOCK) {
    const block = rowsOf(queries, q, Math.min(queries.rows, q + QUERY_BLOCK));
    for (let v = 0; v < vectors.rows; v += VECTOR_BLOCK) {
      const end = Math.min(vectors.rows, v + VECTOR_BLOCK);
      const run = pool.run(model, {
        queries: matrixTensor(block),
        vectors: matrixTensor(rowsOf(vectors, v, end)),
        n: int64([Math.min(n, end - v)]),
      });
      run.catch(() => undefined); // it is awaited below, and fails there
      waiting.push(async () => merge(found, await run, q, block.rows, v));
      if (waiting.length > pool.capacity + 2) await waiting.shift()?.();
    }
  }
  for (const next of waiting) await next();
  return { ...found, read: { codes: 0, vectors: queries.rows * vectors.rows } };
}

function merge(found: Neighbours, result: Tensors, query: number, queries: number, vector: number): void {
  const values = float32Data(result.similarities, 'similarities');
  const indices = int32Data(result.indices, 'indices');
  const n = values.length / queries;
  for (let q = 0; q < queries; q++) {
    const at = (query + q) * found.n;
    for (let i = q * n; i < (q + 1) * n; i++) {
      const similarity = values[i];
      // Blocks come in order of index, so an equal one belongs behind those that are there.
      if (similarity <= found.similarities[at + found.n - 1]) break;
      offer(found, at, vector + indices[i], similarity);
    }
  }
}

/** `queries` [q, d], `vectors` [rows, d], `n` [1] → `similarities` [q, n] and `indices` [q, n] of the nearest rows. */
function topGraph(): Uint8Array {
  const g = new Graph('knn-top');
  const queries = g.input('queries', 'float32', ['q', 'd']);
  const vectors = g.input('vectors', 'float32', ['rows', 'd']);
  const [values, indices] = g.topK(g.gemm(queries, vectors, undefined, { transB: 1 }), g.input('n', 'int64', [1]));
  g.output(values, 'similarities');
  g.output(g.cast(indices, 'int32'), 'indices');
  return g.toModel();
}
