/**
 * A fleet in virtual time: the engine and the workers are those that run everywhere, the queue is in memory behind as many
 * connections as a database answers at once, and the record is a lock that results and commits hold for as long as was
 * measured. Some machines are slow, some are taken away with their shards, and the database may be slow or stand still.
 */
import { serialize } from 'node:v8';
import { z } from 'zod';
import { seededRandom } from '../../src/core/random.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import { runWorker, type ShardProcess } from '../../src/jobs/fleet/worker.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import type { StageDefinition, StageJob, Workspace } from '../../src/jobs/stage.ts';
import { MemoryQueue } from '../../test/fleet/memory-queue.ts';
import { SimulatedDatabase, type Stall } from './simulated-database.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Simulation {
  readonly workers: number;
  readonly shards: number;
  readonly imagesAShard: number;
  /** Of an undisturbed worker, milliseconds. */
  readonly shardMs: number;
  /** What the lock of the record is held for by a result, and by a commit. */
  readonly resultMs: number;
  readonly commitMs: number;
  /** What a call of the queue takes of the database, milliseconds. */
  readonly queueMs: number;
  /** Share of machines that take three times as long. */
  readonly slowMachines: number;
  /** How long a machine is there before it is taken away, milliseconds: the mean of an exponential distribution. */
  readonly lifeMs: number;
  /** As if the database took so many times as long for everything. */
  readonly databaseFactor: number;
  readonly stall?: Stall;
  readonly seed: number;
}

export interface Simulated {
  /** Between a fifth and four fifths of the commits: neither the first shards nor the wait for the last count. */
  readonly imagesPerSecond: number;
  /** Of what as many undisturbed workers would do that wait for nobody. */
  readonly efficiency: number;
  /** Share of the time that the lock of the record was held. */
  readonly lockBusy: number;
  /** Share of the queue's connections that were in use. */
  readonly queueBusy: number;
  /** Share of the machines' time that went into shards, done again ones too. */
  readonly workersBusy: number;
  readonly takenAway: number;
  /** Shards that were cut in halves, after three machines had been taken away under each. */
  readonly cut: number;
  /** Of the whole run, and from when nineteen twentieths were committed. */
  readonly virtualSeconds: number;
  readonly endSeconds: number;
}

/** A shard, or so much of one. */
const PART = z.object({ of: z.number() });
type Part = z.infer<typeof PART>;

/** Until another machine is there in place of one that was taken away. */
const BOOT_MS = 60_000;
const SLOWNESS = 3;

export async function simulate(plan: Simulation): Promise<Simulated> {
  const clock = new VirtualClock();
  const database = new SimulatedDatabase(clock, plan);
  const fleet = new Machines(plan, clock, database);
  const committedAtMs: number[] = [];
  const stage: StageDefinition<unknown, null, Part, number> = {
    name: 'simulated',
    settings: z.unknown(),
    shard: PART,
    open: async () => null,
    async *plan() {
      for (let n = 0; n < plan.shards; n++) yield { of: 1 };
    },
    process: async () => 0,
    async commit(_, { of }) {
      await database.hold(plan.commitMs * of);
      committedAtMs.push(clock.now());
      return { images: plan.imagesAShard * of };
    },
    // As stages of images do: three machines may be taken away under one shard.
    poison: {
      halves: ({ of }) => [{ of: of / 2 }, { of: of / 2 }],
      putAside: () => Promise.reject(new Error('nothing is put aside here')),
    },
  };
  const working = fleet.start();
  const openQueue = async () => fleet.queue;
  const engine = fleetEngine({ local: localEngine(), openQueue, clock: clock.now, sleep: clock.sleep });
  const workspace = { store: database } as unknown as Workspace;
  const job: StageJob<unknown> = { workspace, settings: {}, runId: 'simulated', seed: 0, threads: 1 };
  await clock.run(engine.run(stage, job));
  const totalMs = clock.now();
  fleet.stop();
  await clock.run(working);
  const at = (share: number) => Math.floor(share * (committedAtMs.length - 1));
  const msBetween = (from: number, to: number) => committedAtMs[at(to)] - committedAtMs[at(from)];
  const imagesPerSecond = ((at(0.8) - at(0.2)) * plan.imagesAShard * 1000) / msBetween(0.2, 0.8);
  return {
    imagesPerSecond,
    efficiency: imagesPerSecond / ((plan.workers * plan.imagesAShard * 1000) / plan.shardMs),
    lockBusy: database.heldMs / totalMs,
    queueBusy: database.queueBusy(totalMs),
    workersBusy: fleet.workedMs / (plan.workers * totalMs),
    takenAway: fleet.takenAway,
    // Each of them is committed as two.
    cut: committedAtMs.length - plan.shards,
    virtualSeconds: totalMs / 1000,
    endSeconds: msBetween(0.95, 1) / 1000,
  };
}

/** As many machines as there are workers, each with another one after it when it is taken away. */
class Machines {
  workedMs = 0;
  takenAway = 0;
  readonly queue: MemoryQueue;
  readonly #plan: Simulation;
  readonly #clock: VirtualClock;
  readonly #database: SimulatedDatabase;
  readonly #random: () => number;
  readonly #stop = new AbortController();
  #last = 0;

  constructor(plan: Simulation, clock: VirtualClock, database: SimulatedDatabase) {
    this.#plan = plan;
    this.#clock = clock;
    this.#database = database;
    this.#random = seededRandom(plan.seed);
    // As pg-boss is set up: three attempts, heard of every 15 seconds.
    this.queue = database.behind(new MemoryQueue({ heartbeatMs: 15_000, retries: 2, clock: clock.now }));
  }

  start(): Promise<unknown> {
    return Promise.all(Array.from({ length: this.#plan.workers }, () => this.#place()));
  }

  stop(): void {
    this.#stop.abort();
  }

  async #place(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const lifeMs = -Math.log(1 - this.#random()) * this.#plan.lifeMs;
      const end = new AbortController();
      const working = this.#machine(end.signal);
      if (!Number.isFinite(lifeMs)) return working;
      await Promise.race([working, this.#clock.sleep(lifeMs)]);
      if (signal.aborted) return;
      end.abort();
      this.takenAway++;
      await this.#clock.sleep(BOOT_MS);
    }
  }

  /** @param gone from then on nobody hears of it */
  async #machine(gone: AbortSignal): Promise<void> {
    const { shardMs, imagesAShard, resultMs, slowMachines } = this.#plan;
    const [clock, database, random, queue] = [this.#clock, this.#database, this.#random, this.queue];
    const worker = String(this.#last++);
    const ownMs = shardMs * (random() < slowMachines ? SLOWNESS : 1);
    const unlessGone = <T>(work: () => Promise<T>) => (gone.aborted ? new Promise<never>(() => {}) : work());
    const startProcess = (): ShardProcess => ({
      hasEnded: false,
      run: async ({ runId, shard, input }) => {
        const { of } = PART.parse(JSON.parse(input));
        const ms = of * ownMs * (0.8 + 0.4 * random());
        await clock.sleep(ms);
        this.workedMs += ms;
        await unlessGone(() => database.hold(resultMs));
        const result = { runId, shard, items: imagesAShard * of, data: serialize(0), worker };
        const kept = await unlessGone(() => database.putShardResult(result));
        return { kind: kept ? 'done' : 'late', items: imagesAShard * of };
      },
      close: async () => {},
    });
    const own = Object.create(queue) as MemoryQueue;
    own.take = (count, options) => unlessGone(() => queue.take(count, options));
    await runWorker({
      queue: own,
      startProcess,
      concurrency: 1,
      signal: this.#stop.signal,
      clock: clock.now,
      sleep: clock.sleep,
      repeat(work, everyMs) {
        const end = clock.repeat(work, everyMs);
        gone.addEventListener('abort', end, { once: true });
        return end;
      },
    });
  }
}
