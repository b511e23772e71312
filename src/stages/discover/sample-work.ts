/**
 * What costs most of the tree of a large pile, by many machines: the neighbour graph of the sample, by blocks of rows, and the
 * restarts of k-means, each with its seeding. The bits are those of one machine: blocks begin where the search begins its own,
 * and a restart's draws are its own. The vectors are among the blobs of the workspace while it lasts.
 *
 * The steps of one k-means are not spread: each is 2 · items · columns · k flops, a tenth of a second for 20,000 items of 1152 numbers
 * and 100 clusters, and every worker would be given the centres through the queue before the next. Reckoned, not measured.
 */
import { z } from 'zod';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { holdingBlobs, readHeld } from '../../blobs/held-blobs.ts';
import { getMatrix, keyOfMatrix, putMatrix } from '../../blobs/matrix-blob.ts';
import { type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import { type Closing, closeContext, type StageJob } from '../../jobs/stage.ts';
import { betterOf, kmeans } from '../../math/kmeans/kmeans.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { type NeighbourGraph, neighboursOfRows, noGraph, putRows } from '../../math/knn/graph.ts';
import type { NeighbourIndex } from '../../math/knn/neighbours.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { SPREAD_FROM } from '../vector-shard.ts';
import { type HierarchyWork, KMEANS_RESTARTS, neighboursAmong } from './hierarchy.ts';
import { SAMPLES_FOLDER } from './kept-sample.ts';

/** A second's work for 20,000 vectors of 1152 numbers; a multiple of the rows that exact search takes at once. */
const ROWS_A_PART = 1024;

const OF_MATRIX = z.strictObject({
  /** Key of a blob: shape [items, columns], rows of length 1. */
  vectors: z.string(),
});

interface MatrixContext extends Closing {
  readonly vectors: Matrix;
  readonly pool: InferencePool;
}

async function openMatrix({ workspace, settings, threads }: StageJob<z.infer<typeof OF_MATRIX>>) {
  const vectors = await readHeld(() => getMatrix(workspace.blobs, settings.vectors));
  if (vectors === undefined) throw new Error('the vectors of the sample are not among the blobs of the workspace');
  const pool = await workspace.engine.openInference({ threads });
  return { vectors, pool, close: () => pool.close() };
}

const ROWS = z.object({ from: z.int(), to: z.int() });

/** Rows of the graph, the first of them row `from`. */
interface GraphRows {
  readonly from: number;
  readonly rows: NeighbourGraph;
}

interface NeighboursContext extends MatrixContext, Merging<GraphRows> {
  readonly index: NeighbourIndex;
}

export const neighboursStage = reductionStage<
  z.infer<typeof OF_MATRIX>,
  NeighboursContext,
  z.infer<typeof ROWS>,
  GraphRows
>({
  name: 'neighbours',
  isKept: true,
  within: 'discover',
  settings: OF_MATRIX,
  shard: ROWS,

  async open(job) {
    const opened = await openMatrix(job);
    return { ...opened, index: exactIndex(opened.pool, opened.vectors) };
  },

  close: closeContext,

  total: async ({ vectors }) => Math.ceil(vectors.rows / ROWS_A_PART),

  async *plan({ vectors: { rows } }) {
    for (let from = 0; from < rows; from += ROWS_A_PART) yield { from, to: Math.min(rows, from + ROWS_A_PART) };
  },

  async map({ index, vectors }, part) {
    return { from: part.from, rows: await neighboursOfRows(index, vectors, part, neighboursAmong(vectors)) };
  },
});

const RESTARTS = OF_MATRIX.extend({ k: z.int(), seed: z.int() });
const RESTART = z.object({ run: z.int() });

interface Restarted {
  /** [items] */
  readonly labels: Int32Array;
  readonly inertia: number;
}

interface RestartsContext extends MatrixContext, Merging<Restarted> {
  readonly settings: z.infer<typeof RESTARTS>;
}

export const restartsStage = reductionStage<
  z.infer<typeof RESTARTS>,
  RestartsContext,
  z.infer<typeof RESTART>,
  Restarted
>({
  name: 'k-means',
  isKept: true,
  within: 'discover',
  settings: RESTARTS,
  shard: RESTART,

  async open(job) {
    return { ...(await openMatrix(job)), settings: job.settings };
  },

  close: closeContext,

  total: async () => KMEANS_RESTARTS,

  async *plan() {
    for (let run = 0; run < KMEANS_RESTARTS; run++) yield { run };
  },

  async map({ pool, vectors, settings: { k, seed } }, { run }) {
    const { labels, inertia } = await kmeans(pool, vectors, { k, seed, firstRun: run });
    return { labels, inertia };
  },
});

export interface SpreadOptions {
  /** Items of the pile. */
  readonly count: number;
  /** Items from which the engine of the workspace does it (default 100,000). */
  readonly spreadFrom?: number;
}

/** Gives `build` whoever does what costs most; undefined where the pool is enough. */
export async function withSpreadWork<T>(
  job: Omit<StageJob<unknown>, 'settings'>,
  pool: InferencePool,
  { count, spreadFrom = SPREAD_FROM }: SpreadOptions,
  build: (work: HierarchyWork | undefined) => Promise<T>,
): Promise<T> {
  if (count < spreadFrom) return build(undefined);
  const { blobs } = job.workspace;
  const kept = new Set<string>();
  try {
    return await holdingBlobs(blobs, (hold) => {
      const keep = async (vectors: Matrix) => {
        const key = keyOfMatrix(SAMPLES_FOLDER, vectors);
        kept.add(key);
        await hold(key, () => putMatrix(blobs, key, vectors));
        return key;
      };
      return build(workOfMany(job, pool, keep));
    });
  } finally {
    await dropAll(blobs, kept);
  }
}

/** @param keep puts vectors where others find them, and gives their key */
function workOfMany(
  job: Omit<StageJob<unknown>, 'settings'>,
  pool: InferencePool,
  keep: (vectors: Matrix) => Promise<string>,
): HierarchyWork {
  return {
    async neighbours(vectors) {
      const graph = noGraph(vectors.rows, neighboursAmong(vectors));
      const settings = { vectors: await keep(vectors) };
      const merge = ({ from, rows }: GraphRows) => putRows(graph, from, rows);
      await reduce(neighboursStage, { ...job, settings }, { vectors, pool, index: exactIndex(pool, vectors), merge });
      return graph;
    },
    async kmeans(vectors, options) {
      const settings = { vectors: await keep(vectors), ...options };
      const runs: Restarted[] = [];
      const merge = (one: Restarted) => void runs.push(one);
      await reduce(restartsStage, { ...job, settings }, { vectors, pool, settings, merge });
      return runs.reduce((best, next) => betterOf(best, next)).labels;
    },
  };
}

/** What cannot be deleted now goes with the samples that are kept later. */
async function dropAll(blobs: Pick<BlobStore, 'delete'>, keys: Iterable<string>): Promise<void> {
  for (const key of keys) await blobs.delete(key).catch(() => {});
}
