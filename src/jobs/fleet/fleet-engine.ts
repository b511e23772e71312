/**
 * The engine of many machines: plans here, has every shard done by whoever takes it from the queue, and commits here, in the
 * order of the plan, so that what is written is what the engine of one machine writes. So a run needs its own process until
 * its end; one that is killed is begun again and does what is missing.
 *
 * Nothing is lost: a shard is committed from its result in the record, and sent again where the queue forgot it. Nothing is
 * doubled: the first result of a shard stands, and those of a run that has ended are not taken.
 *
 * A shard that fails on every attempt is cut in halves, down to the one image that no worker gets over, which is put aside.
 * One that cannot be cut, and whose worker was taken away, is sent again a few times: workers go for reasons of their own.
 *
 * Memory: the inputs of the shards under way ({@link FleetOptions.maxAhead}), and the result that is being committed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deserialize } from 'node:v8';
import { chunks } from '../../core/chunks.ts';
import type { RunId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RunStore, ShardStore } from '../../store/store.ts';
import { type ProgressMeter, progressMeter } from '../progress.ts';
import {
  type Counts,
  type Engine,
  type Progress,
  type StageDefinition,
  type StageJob,
  type StageSummary,
  sumCounts,
} from '../stage.ts';
import { errorInPlace } from './ended-run.ts';
import { ProgressNotes } from './fleet-progress.ts';
import { type Pending, pendingOf } from './pending.ts';
import type { ShardJob, ShardQueue } from './queue.ts';
import { loadTraces, type TraceCarrier, type Traces, withSpan } from './traces.ts';

export interface FleetOptions {
  /** Opened with the first stage that has shards. */
  readonly openQueue: () => Promise<ShardQueue>;
  /** What is not done shard by shard, and inference for it, is done by this one. */
  readonly local: Engine;
  /**
   * Shards that are planned and not committed yet. Default: as many as keep the workers busy for some minutes, 4096 at most.
   */
  readonly maxAhead?: number;
  /** Of its shards: higher ones are done first (default 0). */
  readonly priority?: number;
  /** How often the record is asked for results, milliseconds (default 250). */
  readonly pollMs?: number;
  /** A shard that is not done for so long is looked for in the queue, milliseconds (default 3000). */
  readonly suspectMs?: number;
  /** Default: OpenTelemetry's, where its API is installed. */
  readonly traces?: Traces;
  readonly clock?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface FleetEngine extends Engine {
  close(): Promise<void>;
}

export function fleetEngine(options: FleetOptions): FleetEngine {
  const { local, openQueue } = options;
  let opened: Promise<ShardQueue> | undefined;
  /** How often each stage was run within a run, those with shards for workers. */
  const times = new Map<string, number>();
  const numberedFrom = ({ name, within }: { readonly name: string; readonly within?: string }, runId: RunId) => {
    const nth = (times.get(`${runId} ${name}`) ?? 0) + 1;
    times.set(`${runId} ${name}`, nth);
    // What a slow worker still brings of the time before is of none of these shards.
    return `${within === undefined ? '' : `${name} `}${nth === 1 ? '' : `${nth}/`}`;
  };
  return {
    opensElsewhere: true,
    async run(stage, job, context) {
      const own = context ?? (await stage.open(job));
      try {
        if (stage.isQuick?.(own)) return await local.run(stage, job, own);
        opened ??= openQueue();
        const traces = options.traces ?? (await loadTraces());
        const span = traces.open(`labelsmith ${stage.name}`, { 'labelsmith.run': job.runId });
        const before = numberedFrom(stage, job.runId);
        const total = await stage.total?.(own);
        const run = new FleetRun(await opened, options, stage, job, own, { before, trace: span.carrier, total });
        return await withSpan(span, () => run.run());
      } finally {
        if (context === undefined) await stage.close?.(own);
      }
    },
    openInference: local.openInference,
    withInference: local.withInference,
    async close() {
      await (await opened)?.close();
    },
  };
}

class FleetRun<Settings, Context, Shard, Result> {
  readonly #queue: ShardQueue;
  readonly #options: Required<Pick<FleetOptions, 'priority' | 'pollMs' | 'suspectMs' | 'clock' | 'sleep'>>;
  readonly #maxAhead: number;
  /** Shards that are to be done, and not done yet: grows while workers are quicker than it lasts. */
  #window: number;
  #filledAtMs = Number.NEGATIVE_INFINITY;
  /** Items of those under way that are known to be done, by number: progress counts them before they are committed. */
  readonly #done = new Map<string, number>();
  readonly #meter: ProgressMeter;
  readonly #stage: StageDefinition<Settings, Context, Shard, Result>;
  readonly #job: StageJob<Settings>;
  readonly #context: Context;
  readonly #store: ShardStore & Pick<RunStore, 'noteRun'>;
  readonly #notes: ProgressNotes;
  readonly #trace: TraceCarrier;
  /** What the numbers of its shards begin with. */
  readonly #before: string;
  /** In the order of their commits. */
  readonly #pending: Pending<Shard>[] = [];
  #counts: Counts = {};
  #shards = 0;
  #planned = 0;
  #isPlanned = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** When a shard of this run was last seen in the hands of a worker, or done. */
  #takenAtMs: number;
  /** Numbers of shards that are committed or cut, and whose result may come again, from whoever was slower. */
  readonly #late: string[] = [];

  constructor(
    queue: ShardQueue,
    options: FleetOptions,
    stage: StageDefinition<Settings, Context, Shard, Result>,
    job: StageJob<Settings>,
    context: Context,
    {
      before,
      trace,
      total,
    }: { readonly before: string; readonly trace: TraceCarrier; readonly total: number | undefined },
  ) {
    const { priority = 0, pollMs = 250, suspectMs = 3000 } = options;
    const { clock = () => performance.now() } = options;
    this.#queue = queue;
    this.#maxAhead = options.maxAhead ?? MAX_AHEAD;
    this.#window = Math.min(FIRST_WINDOW, this.#maxAhead);
    this.#options = { priority, pollMs, suspectMs, clock, sleep: options.sleep ?? ((ms) => sleep(ms)) };
    this.#stage = stage;
    this.#job = job;
    this.#context = context;
    this.#trace = trace;
    this.#before = before;
    this.#store = job.workspace.store;
    this.#notes = new ProgressNotes(this.#store, job.runId, clock);
    this.#takenAtMs = clock();
    this.#meter = progressMeter(stage.name, total, clock);
  }

  async run(): Promise<StageSummary> {
    const { signal, onProgress } = this.#job;
    const plan = this.#stage.plan(this.#context)[Symbol.asyncIterator]();
    try {
      while (!signal?.aborted) {
        await this.#planAhead(plan);
        if (this.#pending.length === 0 && this.#isPlanned) break;
        const isCommitting = await this.#commitDone();
        if (!isCommitting) {
          await this.#lookAfterSuspects();
          await this.#lookBehindHead();
        }
        if (this.#pending.length === 0) this.#takenAtMs = this.#options.clock();
        const isUntaken = this.#options.clock() - this.#takenAtMs > UNTAKEN_MS;
        const progress = { ...this.#progress(), ...(isUntaken && { isUntaken }) };
        onProgress?.(progress);
        await this.#notes.note(progress);
        if (!isCommitting) await this.#options.sleep(this.#options.pollMs);
      }
    } finally {
      const sent = this.#pending.flatMap(({ id, secondId }) => [id, secondId]).filter((id) => id !== '');
      await this.#queue.cancel(sent).catch(() => {});
      await this.#dropLeftOver().catch(() => {});
    }
    return {
      counts: this.#counts,
      shards: this.#shards,
      interrupted: signal?.aborted ?? false,
      elapsedMs: this.#meter.elapsedMs(),
    };
  }

  /** Fills up what is under way; sends it together. */
  async #planAhead(plan: AsyncIterator<Shard>): Promise<void> {
    const open = () => this.#pending.length - this.#done.size;
    if (this.#isPlanned || open() > this.#window / 2) return;
    if (this.#pending.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_AHEAD_BYTES) return;
    const now = this.#options.clock();
    if (now - this.#filledAtMs < WINDOW_LASTS_MS) this.#window = Math.min(2 * this.#window, this.#maxAhead);
    this.#filledAtMs = now;
    const added: Pending<Shard>[] = [];
    while (open() + added.length < this.#window && this.#pending.length + added.length < this.#maxAhead) {
      const next = await plan.next();
      if (next.done) {
        this.#isPlanned = true;
        break;
      }
      added.push(pendingOf(`${this.#before}${this.#planned++}`, next.value));
      // The first ones are begun while the rest is planned.
      if (added.length === SENT_TOGETHER) await this.#send(added.splice(0));
    }
    await this.#send(added);
  }

  async #send(shards: readonly Pending<Shard>[], at = this.#pending.length): Promise<void> {
    if (shards.length === 0) return;
    const ids = await this.#queue.send(this.#jobsOf(shards), { priority: this.#options.priority });
    for (const [i, shard] of shards.entries()) {
      shard.id = ids[i];
      shard.sentAtMs = this.#options.clock();
      if (!this.#pending.includes(shard)) this.#pending.splice(at + i, 0, shard);
    }
  }

  #jobsOf(shards: readonly Pending<Shard>[]): ShardJob[] {
    const { runId, seed, settings } = this.#job;
    const { name: stage } = this.#stage;
    const fingerprint = this.#stage.fingerprint?.(this.#context) ?? '';
    const known = { runId, seed, stage, settings: JSON.stringify(settings), fingerprint, trace: this.#trace };
    return shards.map((one) => {
      const input = JSON.stringify(one.shard);
      one.bytes = input.length;
      return { ...known, shard: one.number, input };
    });
  }

  /** Commits what is done at the head of the line. @returns whether the first was done */
  async #commitDone(): Promise<boolean> {
    const head = this.#pending.slice(0, COMMITTED_TOGETHER).map(({ number }) => number);
    if (head.length === 0) return false;
    const done = await this.#store.shardsDone(this.#job.runId, head);
    const dropped: string[] = [];
    for (const number of head) {
      if (!done.has(number)) break;
      const [result] = await this.#store.shardResults(this.#job.runId, [number]);
      if (result === undefined) break;
      const [{ shard, isSentTwice }] = this.#pending;
      if (isSentTwice) this.#late.push(number);
      const found: unknown = deserialize(result.data);
      const error = errorInPlace(found);
      if (error !== undefined) throw error;
      // What `process` of the same stage gave, cloned.
      const value = found as Result;
      this.#counts = sumCounts(this.#counts, await this.#stage.commit(this.#context, shard, value));
      this.#shards++;
      this.#pending.shift();
      if (!this.#done.delete(number)) this.#meter.add(result.items);
      dropped.push(number);
      this.#takenAtMs = this.#options.clock();
      this.#notes.add(result.worker, result.items);
    }
    await this.#store.dropShardResults(this.#job.runId, dropped);
    return dropped.length > 0;
  }

  #progress(): Progress {
    const progress = this.#meter.snapshot(this.#shards);
    if (this.#done.size === 0) return progress;
    const ahead = [...this.#done.values()].reduce((sum, items) => sum + items, 0);
    return { ...progress, kept: progress.done - ahead };
  }

  /** What is done behind those at the head, so that more is planned, and slow ones are seen. */
  async #lookBehindHead(): Promise<void> {
    const { clock, suspectMs } = this.#options;
    if (clock() - this.#lookedAtMs < suspectMs) return;
    this.#lookedAtMs = clock();
    const numbers = this.#pending.map(({ number }) => number);
    for (const [number, items] of await this.#store.shardsDone(this.#job.runId, numbers)) {
      if (this.#done.has(number)) continue;
      this.#done.set(number, items);
      this.#meter.add(items);
      this.#takenAtMs = clock();
    }
    await this.#giveToOthersToo();
  }

  /**
   * A few slow workers hold up the commits of all others. A shard that is not done when as many of those after it are as are
   * still to do is given to others too, before anything else; the first result stands. ("Backup tasks": J. Dean, S. Ghemawat,
   * "MapReduce", OSDI 2004, section 3.6.)
   */
  async #giveToOthersToo(): Promise<void> {
    const enough = Math.max(MIN_FOR_SECONDS, this.#pending.length - this.#done.size);
    let doneAfter = this.#done.size;
    const slow: Pending<Shard>[] = [];
    for (const shard of this.#pending) {
      if (doneAfter < enough) break;
      if (this.#done.has(shard.number)) doneAfter--;
      else if (shard.secondId === '') slow.push(shard);
    }
    if (slow.length === 0) return;
    const ids = await this.#queue.send(this.#jobsOf(slow), { priority: this.#options.priority + 1 });
    for (const [i, shard] of slow.entries()) {
      shard.secondId = ids[i];
      shard.isSentTwice = true;
    }
  }

  /** Results that no commit takes any more; they are as large as what was found. */
  async #dropLeftOver(): Promise<void> {
    const left = [...this.#late, ...this.#pending.map(({ number }) => number)];
    for (const some of chunks(left, DROPPED_TOGETHER)) await this.#store.dropShardResults(this.#job.runId, some);
  }

  /** Shards that are long in coming: the queue may have forgotten them, or given them up. */
  async #lookAfterSuspects(): Promise<void> {
    const { clock, suspectMs } = this.#options;
    const suspects = this.#pending.filter(({ sentAtMs }) => clock() - sentAtMs > suspectMs).slice(0, SUSPECTS);
    for (const suspect of suspects) {
      const state = await this.#queue.stateOf(suspect.id);
      suspect.sentAtMs = clock();
      if (state.kind === 'waiting') continue;
      this.#takenAtMs = clock();
      if (state.kind === 'active') continue;
      // It may have become done between the two questions.
      if ((await this.#store.shardsDone(this.#job.runId, [suspect.number])).has(suspect.number)) continue;
      // Somebody else may be at it.
      if (suspect.secondId !== '' && suspect.id !== suspect.secondId) {
        suspect.id = suspect.secondId;
        continue;
      }
      if (state.kind === 'failed') {
        if (!this.#isWorthAnother(suspect, state.isLost)) {
          await this.#giveUp(suspect, state.reason);
          continue;
        }
        suspect.losses++;
      }
      suspect.secondId = '';
      suspect.isSentTwice = true;
      await this.#send([suspect]);
    }
  }

  /** Where nothing could be cut off, losing workers is no proof: it would end the run, or put a good image aside. */
  #isWorthAnother({ shard, losses }: Pending<Shard>, isLost: boolean): boolean {
    return isLost && losses < MAX_LOSSES && this.#stage.poison?.halves(shard) === undefined;
  }

  async #giveUp(failed: Pending<Shard>, reason: string): Promise<void> {
    const { poison, name } = this.#stage;
    const { runId } = this.#job;
    const place = this.#pending.indexOf(failed);
    const halves = poison?.halves(failed.shard);
    if (halves !== undefined) {
      this.#pending.splice(place, 1);
      this.#late.push(failed.number);
      const named = halves.map((shard, i) => pendingOf(`${failed.number}.${i}`, shard));
      await this.#send(named, place);
      return;
    }
    this.#pending.splice(place, 1);
    await this.#store.putDeadShard({ runId, shard: failed.number, items: 1, reason });
    if (poison === undefined) {
      throw new LabelsmithError('UNSUPPORTED', `No worker could do shard ${failed.number} of ${name}: ${reason}`, {
        hint: 'See the logs of the workers. Run it again: it goes on where it stopped.',
        details: { runId, shard: failed.number },
      });
    }
    this.#counts = sumCounts(this.#counts, await poison.putAside(this.#context, failed.shard, reason));
  }
}

const FIRST_WINDOW = 256;
/** Of shards of 1,000 images four for each of a thousand workers. */
const MAX_AHEAD = 4096;
/** Of inputs as JSON; as values they take some times as much. */
const MAX_AHEAD_BYTES = 2 ** 28;
/** A window of which half is done sooner is too small for so many workers, some of which end while others begin. */
const WINDOW_LASTS_MS = 300_000;
/** With less under way, workers that have nothing to do would do again what comes in a moment. */
const MIN_FOR_SECONDS = 16;
/** Each after three workers: a shard under which so many go ends what does it, such as a container that lacks memory. */
const MAX_LOSSES = 3;
const SENT_TOGETHER = 32;
/** A worker that has nothing to do asks several times a second; one that is at another command's shards takes its time. */
const UNTAKEN_MS = 15_000;
/** Results whose numbers are asked for at once. */
const COMMITTED_TOGETHER = 32;
const DROPPED_TOGETHER = 1000;
/** Questions to the queue at a time. */
const SUSPECTS = 32;
