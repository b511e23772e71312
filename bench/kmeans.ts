/**
 * k-means against scikit-learn (lloyd and elkan), faiss and ml-kmeans: 100,000 × 576, k = 100, the same starting centres,
 * scikit-learn's stopping rule, time to the same inertia on the same cores.
 */
import { availableParallelism } from 'node:os';
import { kmeansGenerator } from 'ml-kmeans';
import { sampleIndices, seededRandom } from '../src/core/random.ts';
import { kmeans } from '../src/math/kmeans/kmeans.ts';
import { gatherRows, type Matrix } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { realFeatures, repeated } from './features.ts';
import { runPython } from './python.ts';

const ROWS = 100_000;
const K = 100;
export async function run(): Promise<unknown> {
  const threads = availableParallelism();
  const points = repeated(await realFeatures(), ROWS, 1);
  const start = gatherRows(points, sampleIndices(ROWS, K, seededRandom(1)));
  await using pool = await InferencePool.create({ threads });
  // The first run pays for starting threads and making sessions, as Python's imports do before its clock starts.
  await kmeans(pool, gatherRows(points, sampleIndices(ROWS, 2000, seededRandom(2))), { k: K, maxIterations: 3 });
  const times: number[] = [];
  let result = await timedRun();
  for (let i = 0; i < 2; i++) result = await timedRun();
  const own = {
    seconds: median(times),
    inertia: result.inertia,
    iterations: result.iterations,
    stopped: result.stopped,
    comparisonsMade: result.work,
  };
  const settings = { columns: points.columns, k: K, threads, inertia: own.inertia, iterations: own.iterations };
  const peers = runPython('kmeans_peers', { points, start }, settings, threads) as Record<string, { seconds?: number }>;
  const all = { ...peers, 'ml-kmeans': mlRun(points, start, 2 * own.seconds) };
  const timesLonger = Object.fromEntries(
    Object.entries(all).map(([name, { seconds }]) => [name, seconds === undefined ? null : seconds / own.seconds]),
  );
  return { rows: ROWS, columns: points.columns, k: K, threads, labelsmith: own, ...all, timesLonger };

  async function timedRun() {
    const began = performance.now();
    const made = await kmeans(pool, points, { k: K, start });
    times.push((performance.now() - began) / 1000);
    return made;
  }
}

type MlResult = ReturnType<typeof kmeansGenerator> extends Generator<infer Result> ? Result : never;

/** ml-kmeans would take an hour: it is stopped once it has had `limitSeconds`. */
function mlRun({ data, rows, columns }: Matrix, start: Matrix, limitSeconds: number) {
  const row = (of: Float32Array, i: number) => Array.from(of.subarray(i * columns, (i + 1) * columns));
  const points = Array.from({ length: rows }, (_, i) => row(data, i));
  const initialization = Array.from({ length: start.rows }, (_, i) => row(start.data, i));
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  let last: MlResult | undefined;
  let iterations = 0;
  for (last of kmeansGenerator(points, start.rows, { initialization })) {
    iterations++;
    if (last.converged || elapsed() > limitSeconds) break;
  }
  const seconds = elapsed();
  if (!last) return { absent: 'ml-kmeans made no iteration' };
  let inertia = 0;
  for (const [i, cluster] of last.clusters.entries()) {
    const centre = last.centroids[cluster];
    for (let j = 0; j < columns; j++) inertia += (points[i]?.[j] - centre[j]) ** 2;
  }
  return {
    seconds,
    inertia,
    iterations,
    ended: last.converged ? 'converged' : 'stopped by the benchmark: it takes longer',
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await run(), null, 2)}\n`);
