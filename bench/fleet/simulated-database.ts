/** A database in virtual time: one transaction writes at a time, and the queue's calls share a few connections' worth of work. */
import type { ShardQueue, TakenJob } from '../../src/jobs/fleet/queue.ts';
import type { ShardResult, ShardStore } from '../../src/store/store.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** It answers nobody for so long, over and over. */
export interface Stall {
  readonly everyMs: number;
  readonly forMs: number;
}

export interface DatabasePlan {
  /** What a call of the queue takes, milliseconds. */
  readonly queueMs: number;
  readonly databaseFactor: number;
  readonly stall?: Stall;
}

/** Calls of the queue that are worked on at once: cores of the database's machine. */
const LANES = 4;

export class SimulatedDatabase implements ShardStore {
  heldMs = 0;
  readonly #clock: VirtualClock;
  readonly #plan: DatabasePlan;
  readonly #results = new Map<string, ShardResult>();
  readonly #freeAtMs: number[] = new Array(LANES).fill(0);
  #queueMs = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: VirtualClock, plan: DatabasePlan) {
    this.#clock = clock;
    this.#plan = plan;
  }

  /** Of the lock that one transaction has at a time. */
  hold(ms: number): Promise<void> {
    const held = this.#last.then(async () => {
      const ownMs = ms * this.#plan.databaseFactor;
      await this.#clock.sleep(ownMs + this.#stalledMs());
      this.heldMs += ownMs;
    });
    this.#last = held;
    return held;
  }

  /** The same queue, whose calls take time. */
  behind<Queue extends ShardQueue>(queue: Queue): Queue {
    const slow = Object.create(queue) as Queue;
    const timed = <T>(work: () => Promise<T>) => this.#call().then(work);
    slow.send = (jobs, options) => timed(() => queue.send(jobs, options));
    slow.stateOf = (id) => timed(() => queue.stateOf(id));
    slow.take = async (count, options) => {
      const jobs = await timed(() => queue.take(count, options));
      return jobs.map(
        (one): TakenJob => ({
          job: one.job,
          touch: () => timed(one.touch),
          done: () => timed(one.done),
          fail: (reason) => timed(() => one.fail(reason)),
        }),
      );
    };
    return slow;
  }

  /** Share of what could be worked on at once. */
  queueBusy(totalMs: number): number {
    return this.#queueMs / (LANES * totalMs);
  }

  async #call(): Promise<void> {
    const ms = this.#plan.queueMs * this.#plan.databaseFactor;
    const free = this.#freeAtMs;
    const lane = free.indexOf(Math.min(...free));
    const beginMs = Math.max(this.#clock.now() + this.#stalledMs(), free[lane]);
    free[lane] = beginMs + ms;
    this.#queueMs += ms;
    await this.#clock.sleep(free[lane] - this.#clock.now());
  }

  /** What is left of a stall. */
  #stalledMs(): number {
    const { stall } = this.#plan;
    if (stall === undefined) return 0;
    const into = this.#clock.now() % stall.everyMs;
    // The first one comes in the middle of the first period.
    const since = into - stall.everyMs / 2;
    return since >= 0 && since < stall.forMs ? stall.forMs - since : 0;
  }

  async noteRun(): Promise<void> {}
  async putShardResult(result: ShardResult): Promise<boolean> {
    if (this.#results.has(result.shard)) return false;
    this.#results.set(result.shard, result);
    return true;
  }
  async shardResults(_: string, shards: readonly string[]): Promise<ShardResult[]> {
    return shards.flatMap((shard) => this.#results.get(shard) ?? []);
  }
  async shardsDone(_: string, shards: readonly string[]): Promise<Map<string, number>> {
    const found = await this.shardResults('', shards);
    return new Map(found.map(({ shard, items }) => [shard, items]));
  }
  async dropShardResults(_: string, shards: readonly string[]): Promise<void> {
    for (const shard of shards) this.#results.delete(shard);
  }
  async putDeadShard(): Promise<void> {}
  async deadShards(): Promise<never[]> {
    return [];
  }
}
