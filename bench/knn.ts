/**
 * Exact search and LSH against faiss and hnswlib: 100,000 × 576, the 10 nearest of 1,000 queries that are not among them,
 * asked together and one by one, with what was read to answer a query.
 */
import { Console } from 'node:console';
import { availableParallelism } from 'node:os';
import { exactIndex } from '../src/math/knn/exact.ts';
import { type NeighbourIndex, recall } from '../src/math/knn/neighbours.ts';
import { LshIndex } from '../src/math/lsh/lsh-index.ts';
import { type Matrix, rowsOf } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { realFeatures, repeated } from './features.ts';
import { runPython } from './python.ts';

const ROWS = 100_000;
const QUERIES = 1000;
const N = 10;
/** Queries that are asked one by one. */
const ALONE = 100;

export async function run(): Promise<unknown> {
  const threads = availableParallelism();
  const all = repeated(await realFeatures(), ROWS + QUERIES, 1);
  const points = rowsOf(all, 0, ROWS);
  const queries = rowsOf(all, ROWS, ROWS + QUERIES);
  await using pool = await InferencePool.create({ threads });
  const exact = exactIndex(pool, points);
  const began = performance.now();
  const lsh = await LshIndex.fit(pool, points, { seed: 1 });
  const buildSeconds = (performance.now() - began) / 1000;
  const [exactResult, lshResult] = await measured(exact, lsh, queries);
  await lsh.close();
  const settings = { columns: points.columns, n: N, threads, alone: ALONE };
  const peers = runPython('knn_peers', { points, queries }, settings, threads) as Record<string, Partial<Measured>>;
  printTable({ 'labelsmith exact': exactResult, 'labelsmith lsh': lshResult, ...peers }, exactResult, threads);
  return {
    rows: ROWS,
    columns: points.columns,
    queries: QUERIES,
    n: N,
    threads,
    'labelsmith exact': exactResult,
    'labelsmith lsh': { ...lshResult, buildSeconds, vectorsReadShare: (lshResult.vectorsRead ?? 0) / ROWS },
    lshTimesExact: {
      oneByOne: lshResult.queriesPerSecondOneByOne / exactResult.queriesPerSecondOneByOne,
      together: lshResult.queriesPerSecondTogether / exactResult.queriesPerSecondTogether,
    },
    ...peers,
  };
}

interface Measured {
  /** Of the 10 nearest, 0 to 1. */
  recall: number;
  queriesPerSecondTogether: number;
  queriesPerSecondOneByOne: number;
  /** A query, on average. */
  codesRead: number | null;
  vectorsRead: number | null;
}

/** For people, beside the JSON. */
function printTable(rows: Readonly<Record<string, Partial<Measured>>>, exact: Measured, threads: number): void {
  const whole = (value?: number | null) => (value === undefined || value === null ? 'not counted' : Math.round(value));
  const table = Object.entries(rows).map(([index, row]) => {
    if (row.recall === undefined) return { index, 'recall@10': 'absent' };
    const { recall: found, queriesPerSecondTogether: together = 0, queriesPerSecondOneByOne: alone = 0 } = row;
    return {
      index,
      'recall@10': found.toFixed(3),
      'queries/s': Math.round(together),
      'times exact': (together / exact.queriesPerSecondTogether).toFixed(1),
      'one by one': Math.round(alone),
      'codes read': whole(row.codesRead),
      'vectors read': whole(row.vectorsRead),
      'share read': typeof row.vectorsRead === 'number' ? `${((100 * row.vectorsRead) / ROWS).toFixed(2)} %` : '',
    };
  });
  process.stderr.write(`${threads} threads each, ${ROWS} vectors, ${QUERIES} queries\n`);
  new Console(process.stderr).table(table);
}

/** Both in turns, the best of three rounds each: the machine may be busy with other things in between. */
async function measured(exact: NeighbourIndex, lsh: NeighbourIndex, queries: Matrix) {
  const truth = await exact.search(queries, N);
  const of = (): Measured => ({
    recall: 0,
    queriesPerSecondTogether: 0,
    queriesPerSecondOneByOne: 0,
    codesRead: 0,
    vectorsRead: 0,
  });
  const results = [of(), of()] as const;
  for (let round = 0; round < 3; round++) {
    for (const [i, index] of [exact, lsh].entries()) {
      const result = results[i];
      await index.search(rowsOf(queries, 0, 64), N);
      const began = performance.now();
      const found = await index.search(queries, N);
      const together = (1000 * queries.rows) / (performance.now() - began);
      const alone = performance.now();
      for (let q = 0; q < ALONE; q++) await index.search(rowsOf(queries, q, q + 1), N);
      const oneByOne = (1000 * ALONE) / (performance.now() - alone);
      result.recall = recall(found, truth);
      result.queriesPerSecondTogether = Math.max(result.queriesPerSecondTogether, together);
      result.queriesPerSecondOneByOne = Math.max(result.queriesPerSecondOneByOne, oneByOne);
      result.codesRead = found.read.codes / queries.rows;
      result.vectorsRead = found.read.vectors / queries.rows;
    }
  }
  return results;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await run(), null, 2)}\n`);
