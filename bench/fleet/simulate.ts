/**
 * A fleet in virtual time: the engine and the workers are those that run everywhere, the queue is in memory, and the record is
 * a lock that results and commits hold for as long as was measured. Some workers are slow, some go away with their shard.
 */
import { serialize } from 'node:v8';
import { z } from 'zod';
import { seededRandom } from '../../src/core/random.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import { runWorker, type ShardProcess } from '../../src/jobs/fleet/worker.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import type { StageDefinition, StageJob, Workspace } from '../../src/jobs/stage.ts';
import type { ShardResult, ShardStore } from '../../src/store/store.ts';
import { MemoryQueue } from '../../test/fleet/memory-queue.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Simulation {
  readonly workers: number;
  readonly shards: number;
  readonly imagesAShard: number;
  /** Of an undisturbed worker. */
  readonly shardMs: number;
  /** What the lock of the record is held for by a result, and by a commit. */
  readonly resultMs: number;
  readonly commitMs: number;
  /** Shards that take four times as long, and those whose worker goes away, as shares. */
  readonly slow: number;
  readonly lost: number;
  readonly maxAhead: number;
  readonly seed: number;
}

export interface Simulated {
  readonly imagesPerSecond: number;
  /** Of what as many undisturbed workers would do that wait for nobody. */
  readonly efficiency: number;
  /** Share of the time that the lock was held. */
  readonly lockBusy: number;
  readonly virtualSeconds: number;
}

export async function simulate(plan: Simulation): Promise<Simulated> {
  const clock = new VirtualClock();
  const random = seededRandom(plan.seed);
  const record = new LockedRecord(clock);
  const queue = new MemoryQueue({ heartbeatMs: 15_000, retries: 5, clock: clock.now });
  const stop = new AbortController();
  const stage: StageDefinition<unknown, null, number, number> = {
    name: 'simulated',
    settings: z.unknown(),
    shard: z.number(),
    open: async () => null,
    async *plan() {
      for (let n = 0; n < plan.shards; n++) yield n;
    },
    process: async (_, shard) => shard,
    async commit() {
      await record.hold(plan.commitMs);
      return { images: plan.imagesAShard };
    },
  };
  const startProcess = (): ShardProcess => ({
    hasEnded: false,
    async run({ runId, shard }) {
      const chance = random();
      // A machine that is taken away: nobody hears of its shard, and another one comes in its place after half a minute.
      if (chance < plan.lost) {
        await clock.sleep(30_000);
        return { kind: 'failed', reason: 'taken away' };
      }
      await clock.sleep(plan.shardMs * (chance < plan.lost + plan.slow ? 4 : 0.8 + 0.4 * random()));
      await record.hold(plan.resultMs);
      await record.putShardResult({ runId, shard, items: plan.imagesAShard, data: serialize(0), worker: '' });
      return { kind: 'done', items: plan.imagesAShard };
    },
    close: async () => {},
  });
  const workers = Array.from({ length: plan.workers }, () =>
    runWorker({
      ...{ queue, startProcess, concurrency: 1, signal: stop.signal },
      ...{ clock: clock.now, sleep: clock.sleep, repeat: clock.repeat },
    }),
  );
  const { maxAhead } = plan;
  const local = localEngine();
  const engine = fleetEngine({ local, openQueue: async () => queue, maxAhead, clock: clock.now, sleep: clock.sleep });
  const workspace = { store: record } as unknown as Workspace;
  const job: StageJob<unknown> = { workspace, settings: {}, runId: 'simulated', seed: 0, threads: 1 };
  await clock.run(engine.run(stage, job));
  const seconds = clock.now() / 1000;
  stop.abort();
  await clock.run(Promise.all(workers));
  const imagesPerSecond = (plan.shards * plan.imagesAShard) / seconds;
  const ideal = (plan.workers * plan.imagesAShard * 1000) / plan.shardMs;
  return {
    imagesPerSecond,
    efficiency: imagesPerSecond / ideal,
    lockBusy: record.heldMs / clock.now(),
    virtualSeconds: seconds,
  };
}

class LockedRecord implements ShardStore {
  heldMs = 0;
  async noteRun(): Promise<void> {}

  readonly #clock: VirtualClock;
  readonly #results = new Map<string, ShardResult>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  hold(ms: number): Promise<void> {
    const held = this.#last.then(async () => {
      await this.#clock.sleep(ms);
      this.heldMs += ms;
    });
    this.#last = held;
    return held;
  }
  async putShardResult(result: ShardResult): Promise<boolean> {
    if (this.#results.has(result.shard)) return false;
    this.#results.set(result.shard, result);
    return true;
  }
  async shardResults(_: string, shards: readonly string[]): Promise<ShardResult[]> {
    return shards.flatMap((shard) => this.#results.get(shard) ?? []);
  }
  async shardsDone(_: string, shards: readonly string[]): Promise<Set<string>> {
    return new Set(shards.filter((shard) => this.#results.has(shard)));
  }
  async dropShardResults(_: string, shards: readonly string[]): Promise<void> {
    for (const shard of shards) this.#results.delete(shard);
  }
  async putDeadShard(): Promise<void> {}
  async deadShards(): Promise<never[]> {
    return [];
  }
}
