/**
 * The engine for one machine: everything in this process, several items in flight, commits in order.
 *
 * Owns the order of things and their bounds, not the work: decoding runs on libuv's threads, inference on the pool's
 * workers and SQL on the writer's thread, all behind `process` and `commit`. Items of the next shard start while the
 * last ones of a shard are still under way and while it is being committed, so no stage of the pipeline runs dry at a
 * shard's edge. At most `itemsInFlight` items are being processed and at most two finished shards wait for their commit.
 */

import type { Device } from '../onnx/device.ts';
import { InferencePool } from '../onnx/pool.ts';
import { progressMeter } from './progress.ts';
import type { Engine, EngineOptions, Shard, Stage, StageSummary } from './stage.ts';

/** Finished shards that may wait for the commit of an earlier one before new items are held back. */
const SHARDS_WAITING = 2;

export interface LocalEngineOptions {
  /** What inference threads run on (default `cpu`). */
  readonly device?: Device;
  /** Milliseconds, for rates. */
  readonly clock?: () => number;
}

export function localEngine({ device, clock = () => performance.now() }: LocalEngineOptions = {}): Engine {
  return {
    run: (stage, options) => runStage(stage, options, clock),
    async withInference({ threads }, work) {
      const pool = await InferencePool.create({ threads, device });
      try {
        return await work(pool);
      } finally {
        await pool.close();
      }
    },
  };
}

async function runStage<Item, Result>(
  stage: Stage<Item, Result>,
  options: EngineOptions,
  clock: () => number,
): Promise<StageSummary> {
  const { itemsInFlight, signal, onProgress } = options;
  if (!(Number.isInteger(itemsInFlight) && itemsInFlight >= 1)) {
    throw new RangeError(`itemsInFlight must be a whole number of at least 1, not ${itemsInFlight}`);
  }
  const failure = new AbortController();
  const meter = progressMeter(stage.name, stage.total, clock);
  const inFlight = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  let items = 0;
  let shards = 0;
  let waiting = 0;
  let commits: Promise<void> = Promise.resolve();

  const fail = (error: unknown) => {
    failed ??= { error };
    failure.abort();
  };
  const report = () => onProgress?.(meter.snapshot(shards));

  const commitWhenDone = (shard: Shard<Item>, pending: readonly Promise<void>[], results: Result[]) => {
    waiting++;
    const done = Promise.all(pending);
    commits = commits.then(async () => {
      await done;
      try {
        if (failed) return;
        await stage.commit(shard, results);
        shards++;
        items += shard.items.length;
        report();
      } catch (error) {
        fail(error);
      } finally {
        waiting--;
      }
    });
  };

  const feed = async () => {
    for await (const shard of stage.shards()) {
      if (failed || signal?.aborted) return;
      while (waiting >= SHARDS_WAITING) await commits;
      const results: Result[] = new Array(shard.items.length);
      const pending: Promise<void>[] = [];
      for (const [i, item] of shard.items.entries()) {
        while (inFlight.size >= itemsInFlight) await Promise.race(inFlight);
        if (failed) return;
        const task = stage
          .process(item, failure.signal)
          .then((result) => {
            results[i] = result;
            meter.add(1);
            report();
          }, fail)
          .finally(() => inFlight.delete(task));
        inFlight.add(task);
        pending.push(task);
      }
      commitWhenDone(shard, pending, results);
    }
  };

  try {
    await feed();
  } catch (error) {
    fail(error);
  }
  await Promise.all(inFlight);
  await commits;
  if (failed) throw failed.error;
  return { items, shards, interrupted: signal?.aborted ?? false, elapsedMs: meter.elapsedMs() };
}
