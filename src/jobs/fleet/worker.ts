/**
 * A worker: takes shards from the queue and has them done by a process of its own, which a bad image may end without ending
 * the worker. The worker itself does nothing but wait and say that it is alive.
 *
 * Its effects are given as functions: the queue, the process, the clock.
 */
import { messageOf } from '../../errors.ts';
import { type FleetOrders, NO_ORDERS } from './orders.ts';
import { Outage } from './outage.ts';
import { modelOf, type ShardQueue, type TakenJob } from './queue.ts';
import { NO_TRACES, type Traces } from './traces.ts';

export interface WorkerOptions {
  readonly queue: ShardQueue;
  /** Begins a process that does shards; called again after one has ended. */
  readonly startProcess: () => ShardProcess;
  /** Shards at once (default 2): the next one begins while the last is being finished. */
  readonly concurrency?: number;
  /** Shards of one model at once; what there is of others comes in their place. Default: no limit but the first. */
  readonly perModel?: number;
  /** What all workers were told; asked before each taking. */
  readonly orders?: () => Promise<FleetOrders>;
  /** There is other work on this machine, so that it does not count as idle. */
  readonly isBusy?: () => boolean;
  /** How often a job is touched, milliseconds (default 4000). */
  readonly heartbeatMs?: number;
  /** Longest wait between two looks at an empty queue, milliseconds (default 2000). */
  readonly idleMs?: number;
  /** Ends when nothing has been there to do for so long, milliseconds. Default: never. */
  readonly drainMs?: number;
  /** Finishes what is under way, and takes nothing more. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Default: none. */
  readonly traces?: Traces;
  readonly clock?: () => number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  /** Does something over and over, until what it gives is called. */
  readonly repeat?: (work: () => void, everyMs: number) => () => void;
}

export type WorkerEvent =
  | {
      readonly kind: 'done';
      readonly stage: string;
      readonly shard: string;
      readonly items: number;
      readonly ms: number;
    }
  | { readonly kind: 'failed'; readonly stage: string; readonly shard: string; readonly reason: string }
  | { readonly kind: 'refused'; readonly stage: string; readonly shard: string; readonly reason: string }
  | QueueEvent;

/** The queue did not answer, or does again. @field forMs how long it has not, milliseconds */
export type QueueEvent =
  | { readonly kind: 'away'; readonly reason: string; readonly forMs: number }
  | { readonly kind: 'back'; readonly forMs: number };

/** What came of a shard in the process. `late`: somebody else was first, or the run has ended. */
export type ShardOutcome =
  | { readonly kind: 'done' | 'late'; readonly items: number }
  | { readonly kind: 'failed'; readonly reason: string }
  /** This worker is not fit for it: other models than the run's. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface ShardProcess {
  /** Fails when the process ends. */
  run(job: TakenJob['job']): Promise<ShardOutcome>;
  readonly hasEnded: boolean;
  close(): Promise<void>;
}

export interface WorkerSummary {
  readonly shards: number;
  readonly items: number;
  readonly failed: number;
  /** Why it would not go on; undefined where it was told to end. */
  readonly refused?: string;
}

export async function runWorker(options: WorkerOptions): Promise<WorkerSummary> {
  const worker = new Worker(options);
  return worker.run();
}

class Worker {
  readonly #options: WorkerOptions;
  readonly #clock: () => number;
  readonly #outage: Outage;
  /** Shards under way, with the model of each. */
  readonly #underWay = new Map<Promise<void>, string>();
  #process: ShardProcess | undefined;
  #shards = 0;
  #items = 0;
  #failed = 0;
  #refused: string | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#outage = new Outage(this.#clock);
  }

  async run(): Promise<WorkerSummary> {
    const { concurrency = 2, idleMs = 2000, drainMs = Number.POSITIVE_INFINITY, signal, isBusy } = this.#options;
    let { drains } = await this.#orders();
    let lastWorkMs = this.#clock();
    let waitMs = MIN_IDLE_MS;
    while (!signal?.aborted && this.#refused === undefined) {
      if (this.#underWay.size >= concurrency) {
        await Promise.race(this.#underWay.keys());
        continue;
      }
      const orders = await this.#orders();
      if (orders.drains > drains) break;
      // Fewer where orders were given anew.
      drains = orders.drains;
      const taken = orders.paused ? [] : await this.#take(concurrency - this.#underWay.size, orders);
      for (const job of taken) this.#begin(job);
      if (taken.length > 0 || this.#underWay.size > 0 || isBusy?.()) lastWorkMs = this.#clock();
      if (taken.length > 0) {
        waitMs = MIN_IDLE_MS;
        continue;
      }
      if (this.#clock() - lastWorkMs >= drainMs) break;
      await Promise.race([this.#sleep(waitMs), ...this.#underWay.keys()]);
      waitMs = Math.min(idleMs, waitMs * 2);
    }
    await Promise.all(this.#underWay.keys());
    await this.#process?.close();
    const refused = this.#refused === undefined ? {} : { refused: this.#refused };
    return { shards: this.#shards, items: this.#items, failed: this.#failed, ...refused };
  }

  /** A queue that does not answer is asked again: the database may be starting. */
  async #take(count: number, { limits }: FleetOrders): Promise<readonly TakenJob[]> {
    const { perModel = Number.POSITIVE_INFINITY, queue } = this.#options;
    const underWay = [...Map.groupBy(this.#underWay.values(), (model) => model)].filter(([model]) => model !== '');
    const notOf = underWay.filter(([, { length }]) => length >= perModel).map(([model]) => model);
    const most = Math.max(0, ...underWay.filter(([model]) => !notOf.includes(model)).map(([, { length }]) => length));
    try {
      // All that come at once may be of the model that has most under way.
      const taken = await queue.take(Math.min(count, perModel - most), { notOf, limits });
      const forMs = this.#outage.answered();
      if (forMs !== undefined) this.#options.onEvent?.({ kind: 'back', forMs });
      return taken;
    } catch (error) {
      this.#isAway(error);
      return [];
    }
  }

  #isAway(error: unknown): void {
    this.#options.onEvent?.({ kind: 'away', reason: messageOf(error), forMs: this.#outage.missed() });
  }

  #begin(taken: TakenJob): void {
    const work = this.#work(taken).finally(() => this.#underWay.delete(work));
    this.#underWay.set(work, modelOf(taken.job));
  }

  async #orders(): Promise<FleetOrders> {
    return (await this.#options.orders?.()) ?? NO_ORDERS;
  }

  async #work(taken: TakenJob): Promise<void> {
    const { heartbeatMs = 4000, onEvent, repeat = repeatedly, traces = NO_TRACES } = this.#options;
    const { stage, shard, runId, trace } = taken.job;
    const about = { 'labelsmith.run': runId, 'labelsmith.shard': shard, 'labelsmith.stage': stage };
    const span = traces.open(`labelsmith ${stage} shard`, about, trace);
    const startedAt = this.#clock();
    const stopBeating = repeat(() => void taken.touch().catch(() => {}), heartbeatMs);
    let outcome: ShardOutcome;
    try {
      outcome = await this.#processFor().run(taken.job);
    } catch (error) {
      outcome = { kind: 'failed', reason: messageOf(error) };
    } finally {
      stopBeating();
    }
    span.set({ 'labelsmith.outcome': outcome.kind, ...('items' in outcome && { 'labelsmith.items': outcome.items }) });
    span.end('reason' in outcome ? outcome.reason : undefined);
    // What the queue does not hear of now it finds out by itself: the result is in the record.
    const told = 'reason' in outcome ? taken.fail(outcome.reason) : taken.done();
    await told.catch((error: unknown) => this.#isAway(error));
    switch (outcome.kind) {
      case 'done':
      case 'late':
        this.#shards++;
        this.#items += outcome.items;
        onEvent?.({ kind: 'done', stage, shard, items: outcome.items, ms: this.#clock() - startedAt });
        return;
      case 'failed':
        this.#failed++;
        onEvent?.({ kind: 'failed', stage, shard, reason: outcome.reason });
        return;
      case 'refused':
        this.#refused ??= outcome.reason;
        onEvent?.({ kind: 'refused', stage, shard, reason: outcome.reason });
        return;
      default:
        outcome satisfies never;
    }
  }

  #processFor(): ShardProcess {
    if (this.#process === undefined || this.#process.hasEnded) this.#process = this.#options.startProcess();
    return this.#process;
  }

  async #sleep(ms: number): Promise<void> {
    const { signal, sleep } = this.#options;
    if (sleep) return void (await sleep(ms, signal));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end, { once: true });
      function end() {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      }
    });
  }
}

const MIN_IDLE_MS = 50;

function repeatedly(work: () => void, everyMs: number): () => void {
  const timer = setInterval(work, everyMs);
  return () => clearInterval(timer);
}
