/** A queue in memory, with a clock of its own: what it forgets, repeats or fails is as a test wants it. */
import {
  type JobState,
  modelOf,
  type ShardJob,
  type ShardQueue,
  type TakenJob,
  type TakeOptions,
} from '../../src/jobs/fleet/queue.ts';

export interface MemoryQueueOptions {
  /** A job that is not heard of for so long is given to another, milliseconds. */
  readonly heartbeatMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly clock: () => number;
}

interface Entry {
  readonly job: ShardJob;
  readonly id: string;
  readonly number: number;
  readonly priority: number;
  state: 'waiting' | 'active' | 'done' | 'failed';
  attempts: number;
  heardAtMs: number;
  reason: string;
  isLost: boolean;
}

export class MemoryQueue implements ShardQueue {
  readonly #options: MemoryQueueOptions;
  readonly #entries = new Map<string, Entry>();
  #waiting: Entry[] = [];
  readonly #active = new Set<Entry>();
  #last = 0;
  /** Before then nobody has been silent for too long. */
  #silentFromMs = Number.NEGATIVE_INFINITY;
  /** Jobs that were taken, in order. */
  readonly taken: string[] = [];

  constructor(options: MemoryQueueOptions) {
    this.#options = options;
  }

  async send(jobs: readonly ShardJob[], { priority = 0 } = {}): Promise<string[]> {
    return jobs.map((job) => {
      const number = ++this.#last;
      const id = String(number);
      const begun = { attempts: 0, heardAtMs: 0, reason: '', isLost: false };
      const entry: Entry = { job, id, number, priority, state: 'waiting', ...begun };
      this.#entries.set(id, entry);
      this.#wait(entry);
      return id;
    });
  }

  async take(count: number, { notOf = [], limits = {} }: TakeOptions = {}): Promise<TakenJob[]> {
    this.#giveBackSilent();
    return this.#choose(count, notOf, limits).map((entry): TakenJob => {
      const attempt = ++entry.attempts;
      entry.state = 'active';
      entry.heardAtMs = this.#options.clock();
      this.#active.add(entry);
      this.taken.push(entry.job.shard);
      const isMine = () => entry.state === 'active' && entry.attempts === attempt;
      return {
        job: entry.job,
        touch: async () => {
          if (isMine()) entry.heardAtMs = this.#options.clock();
        },
        done: async () => {
          if (isMine()) this.#end(entry, 'done', '');
        },
        fail: async (reason) => {
          if (isMine()) this.#failed(entry, reason);
        },
      };
    });
  }

  #choose(count: number, notOf: readonly string[], limits: Readonly<Record<string, number>>): Entry[] {
    if (this.#waiting.length === 0) return [];
    const chosen: Entry[] = [];
    const underWay = (model: string) => [...this.#active, ...chosen].filter(({ job }) => modelOf(job) === model).length;
    for (const entry of this.#waiting) {
      const model = modelOf(entry.job);
      const limit = Object.hasOwn(limits, model) ? limits[model] : Number.POSITIVE_INFINITY;
      if (chosen.length === count) break;
      if (!notOf.includes(model) && (limit === Number.POSITIVE_INFINITY || underWay(model) < limit)) chosen.push(entry);
    }
    // Nearly always the first ones.
    if (chosen.every((entry, i) => entry === this.#waiting[i])) this.#waiting.splice(0, chosen.length);
    else this.#waiting = this.#waiting.filter((entry) => !chosen.includes(entry));
    return chosen;
  }

  async stateOf(id: string): Promise<JobState> {
    this.#giveBackSilent();
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state === 'done') return { kind: 'gone' };
    if (entry.state !== 'failed') return { kind: entry.state };
    return { kind: 'failed', reason: entry.reason, isLost: entry.isLost };
  }

  async cancel(ids: readonly string[]): Promise<void> {
    this.#waiting = this.#waiting.filter(({ id }) => !ids.includes(id));
  }

  async waitingForOthers(): Promise<ReadonlyMap<string, number>> {
    return new Map();
  }

  async close(): Promise<void> {}

  /** As a database that lost its last moments. */
  forget(): void {
    for (const entry of this.#waiting) this.#entries.delete(entry.id);
    this.#waiting = [];
  }

  #giveBackSilent(): void {
    const { clock, heartbeatMs } = this.#options;
    if (clock() <= this.#silentFromMs) return;
    let oldestMs = clock();
    for (const entry of this.#active) {
      if (clock() - entry.heardAtMs > heartbeatMs) this.#failed(entry, 'not heard of any more', true);
      else oldestMs = Math.min(oldestMs, entry.heardAtMs);
    }
    this.#silentFromMs = oldestMs + heartbeatMs;
  }

  #failed(entry: Entry, reason: string, isLost = false): void {
    entry.isLost = isLost;
    if (entry.attempts > this.#options.retries) {
      this.#end(entry, 'failed', reason);
      return;
    }
    this.#active.delete(entry);
    entry.state = 'waiting';
    this.#wait(entry);
  }

  /** As in PostgreSQL, what is tried again stands where it was sent, before what was sent after it. */
  #wait(entry: Entry): void {
    const isBehind = ({ priority, number }: Entry) =>
      priority < entry.priority || (priority === entry.priority && number > entry.number);
    // Most come last.
    const last = this.#waiting.at(-1);
    const place = last === undefined || !isBehind(last) ? -1 : this.#waiting.findIndex(isBehind);
    this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, entry);
  }

  #end(entry: Entry, state: 'done' | 'failed', reason: string): void {
    entry.state = state;
    entry.reason = reason;
    this.#active.delete(entry);
  }
}
