/**
 * A million vectors of 576 numbers: written to the vector store, read back, clustered, indexed and searched, within 8 GiB.
 * Each step says its time; the peak is the process's own high-water mark. `bench/million.ts ROWS` takes fewer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../src/core/ids.ts';
import { sampleIndices, seededRandom } from '../src/core/random.ts';
import { nearestCentres } from '../src/math/kmeans/blocks.ts';
import { kmeans, seedCentres } from '../src/math/kmeans/kmeans.ts';
import { miniBatchKMeans } from '../src/math/kmeans/mini-batch.ts';
import { exactIndex } from '../src/math/knn/exact.ts';
import { recall } from '../src/math/knn/neighbours.ts';
import { LshIndex } from '../src/math/lsh/lsh-index.ts';
import { gatherRows, matrix, rowsOf } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import type { VectorShard } from '../src/store/store.ts';
import { arrowVectorStore } from '../src/vectors/folder-vectors.ts';
import type { VectorStore } from '../src/vectors/vector-store.ts';
import { realFeatures, repeated } from './features.ts';

const SHARD = 10_000;
const K = 1000;
const QUERIES = 200;
const LIMIT_BYTES = 8 * 1024 ** 3;

export async function run(rows = 1_000_000): Promise<unknown> {
  const workspace = await mkdtemp(join(tmpdir(), 'labelsmith-million-'));
  const steps: Record<string, { seconds: number; peakMiB: number; [more: string]: unknown }> = {};
  const step = async <T>(name: string, work: () => Promise<T>, more?: (result: T) => object): Promise<T> => {
    process.stderr.write(`${name}…\n`);
    const began = performance.now();
    const result = await work();
    const seconds = (performance.now() - began) / 1000;
    process.stderr.write(`  ${seconds.toFixed(1)} s, peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`);
    steps[name] = { seconds, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024), ...more?.(result) };
    return result;
  };
  try {
    const threads = availableParallelism();
    await using pool = await InferencePool.create({ threads });
    const store = arrowVectorStore(workspace);
    const shards = await step('write', () => writeShards(store, rows));
    await step(
      'stream',
      () => count(store, shards),
      (read) => ({ read }),
    );
    const start = await step('sample and seed for mini-batch', async () => {
      const first = await store.readAll(shards.slice(0, 3));
      return seedCentres(pool, first.vectors, Math.min(K, rows / 10), { seed: 1 });
    });
    const batches = async function* () {
      for await (const { vectors } of store.stream(shards)) yield vectors;
    };
    await step(
      'k-means in mini-batches, 1 pass',
      () => miniBatchKMeans(pool, batches, { start, passes: 1 }),
      (result) => ({
        inertia: result.inertia,
      }),
    );
    const { vectors } = await step('read all', () => store.readAll(shards));
    const random = seededRandom(1, 'million');
    // What trains, trains on a sample; what maps, maps everything.
    const sample = gatherRows(vectors, sampleIndices(rows, 100_000, random));
    const trained = await step(
      'k-means on a sample of 100,000, at most 30 iterations',
      () => kmeans(pool, sample, { k: start.rows, seed: 1, maxIterations: 30 }),
      (r) => ({
        iterations: r.iterations,
        comparisonsMade: r.work,
      }),
    );
    await step('assign all', () => nearestCentres(pool, vectors, trained.centres));
    const whole = { k: 100, seed: 1, maxIterations: 10 };
    await step(
      'k-means on all, k = 100, 10 iterations',
      () => kmeans(pool, vectors, whole),
      (r) => ({
        comparisonsMade: r.work,
      }),
    );
    const lsh = await step('LSH index', () => LshIndex.fit(pool, vectors, { seed: 1 }));
    const asked = sampleIndices(rows, QUERIES, random);
    const queries = gatherRows(vectors, asked);
    const truth = await step(`exact search, ${QUERIES} queries`, () => exactIndex(pool, vectors).search(queries, 10));
    await step(
      `LSH search, ${QUERIES} queries`,
      () => lsh.search(queries, 10),
      (found) => ({
        recall: recall(found, truth),
        codesRead: found.read.codes / QUERIES,
        vectorsRead: found.read.vectors / QUERIES,
      }),
    );
    await step(`LSH search again, one by one`, async () => {
      for (let q = 0; q < QUERIES; q++) await lsh.search(rowsOf(queries, q, q + 1), 10);
    });
    await lsh.close();
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    return { rows, columns: vectors.columns, threads, within8GiB: peakBytes <= LIMIT_BYTES, peakBytes, steps };
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

async function writeShards(store: VectorStore, rows: number): Promise<VectorShard[]> {
  const features = await realFeatures();
  const shards: VectorShard[] = [];
  for (let at = 0; at < rows; at += SHARD) {
    const part = repeated(features, Math.min(SHARD, rows - at), at);
    const ids = Array.from({ length: part.rows }, (_, i) => sha256Hex(`${at + i}`)).sort();
    const vectors = matrix(part.data, part.rows, part.columns);
    shards.push(await store.write({ space: 'bench', items: 'images', shard: `${at}`, runId: null, ids, vectors }));
  }
  return shards;
}

async function count(store: VectorStore, shards: readonly VectorShard[]): Promise<number> {
  let read = 0;
  for await (const { ids } of store.stream(shards)) read += ids.length;
  return read;
}

if (import.meta.main) {
  const rows = process.argv[2];
  process.stdout.write(`${JSON.stringify(await run(rows === undefined ? undefined : Number(rows)), null, 2)}\n`);
}
