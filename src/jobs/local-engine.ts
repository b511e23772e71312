/**
 * The engine for one machine: everything in this process, several items in flight, commits in order.
 *
 * Owns the order of things and their bounds, not the work: decoding runs on libuv's threads, inference on the pool's
 * workers and SQL on the writer's thread, all behind `process` and `commit`. A shard begins when the last item of the one
 * before it has begun, and while that one is being committed, so no stage of the pipeline runs dry at a shard's edge. At
 * most so many items are being processed at once, over all shards, and at most {@link MAX_OPEN_SHARDS} shards are open.
 */
import type { Device } from '../onnx/device.ts';
import type { InferencePool } from '../onnx/pool.ts';
import { enoughInFlight, ItemLanes } from './item-lanes.ts';
import { progressMeter } from './progress.ts';
import {
  type Counts,
  type Engine,
  type StageDefinition,
  type StageJob,
  type StageSummary,
  sumCounts,
} from './stage.ts';

/** One whose items begin, and two that wait for their last items or their commit. */
const MAX_OPEN_SHARDS = 3;

export interface LocalEngineOptions {
  /** What inference threads run on (default `cpu`). */
  readonly device?: Device;
  /** Items in flight at once for that many threads. More hides latency and costs memory. */
  readonly itemsInFlight?: (threads: number) => number;
  /** Milliseconds; default `performance.now`. */
  readonly clock?: () => number;
}

export function localEngine(options: LocalEngineOptions = {}): Engine {
  const { device, clock = () => performance.now() } = options;
  const { itemsInFlight = (threads) => enoughInFlight(threads, device) } = options;
  return {
    async run(stage, job, context) {
      if (context !== undefined) return runStage(stage, job, context, { lanes: itemsInFlight(job.threads), clock });
      const own = await stage.open(job);
      try {
        return await runStage(stage, job, own, { lanes: itemsInFlight(job.threads), clock });
      } finally {
        await stage.close?.(own);
      }
    },
    openInference: ({ threads }) => openPool({ threads, device }),
    async withInference({ threads }, work) {
      const pool = await openPool({ threads, device });
      try {
        return await work(pool);
      } finally {
        await pool.close();
      }
    },
  };
}

/** What runs models is loaded when it is asked for: a stage that needs none starts without it. */
async function openPool(options: { readonly threads: number; readonly device?: Device }): Promise<InferencePool> {
  const { InferencePool: Pool } = await import('../onnx/pool.ts');
  return Pool.create(options);
}

async function runStage<Settings, Context, Shard, Result>(
  stage: StageDefinition<Settings, Context, Shard, Result>,
  { signal, onProgress }: StageJob<Settings>,
  context: Context,
  { lanes, clock }: { readonly lanes: number; readonly clock: () => number },
): Promise<StageSummary> {
  const meter = progressMeter(stage.name, await stage.total?.(context), clock);
  const items = new ItemLanes(lanes, (wasDone) => {
    meter.add(1, wasDone ? 0 : 1);
    onProgress?.(meter.snapshot(shards));
  });
  let counts: Counts = {};
  let shards = 0;
  let commits: Promise<void> = Promise.resolve();
  const open = new Set<Promise<void>>();

  /** Whether a shard was not committed: those after it are not either. */
  let broken = false;
  const commitInTurn = async (before: Promise<void>, shard: Shard, processed: Promise<Result>) => {
    await before;
    try {
      const result = await processed;
      if (broken) return;
      counts = sumCounts(counts, await stage.commit(context, shard, result));
      shards++;
      onProgress?.(meter.snapshot(shards));
    } catch (error) {
      broken = true;
      items.fail(error);
    }
  };

  try {
    for await (const shard of stage.plan(context)) {
      if (items.failure || signal?.aborted) break;
      const { eachItem, begun } = items.forShard();
      const processed = stage.process(context, shard, eachItem);
      const settled = processed.then(
        () => {},
        (error: unknown) => items.fail(error),
      );
      commits = commitInTurn(commits, shard, processed);
      const committed = commits.finally(() => open.delete(committed));
      open.add(committed);
      await Promise.race([begun, settled]);
      while (open.size >= MAX_OPEN_SHARDS) await Promise.race(open);
    }
  } catch (error) {
    items.fail(error);
  }
  await commits;
  if (items.failure) throw items.failure.error;
  return { counts, shards, interrupted: signal?.aborted ?? false, elapsedMs: meter.elapsedMs() };
}
