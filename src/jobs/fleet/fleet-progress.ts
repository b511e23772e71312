/**
 * How far a run on many machines is, kept in the record of the run while it goes: what anybody sees who asks, on whatever
 * machine, and after the command's own terminal is gone.
 */
import { z } from 'zod';
import type { RunId } from '../../core/ids.ts';
import type { RunStore } from '../../store/store.ts';
import type { Progress } from '../stage.ts';

const PROGRESS = z.object({
  done: z.number(),
  total: z.number().nullable(),
  /** Items a second over the last seconds, of all workers. */
  rate: z.number(),
  remainingMs: z.number().nullable(),
  /** No worker has begun any of it for a while. */
  isUntaken: z.boolean().optional(),
  /** Of those heard of in the last minutes: items of shards that were committed, and items a second of the worker's time. */
  workers: z.array(z.object({ name: z.string(), items: z.number(), rate: z.number() })),
});
export type FleetProgress = z.infer<typeof PROGRESS>;

/** Not more often: each note is a transaction. */
const EVERY_MS = 2000;
/** A worker that brought nothing for so long is gone. */
const HEARD_MS = 300_000;

interface WorkerItems {
  items: number;
  readonly sinceMs: number;
  lastMs: number;
}

export class ProgressNotes {
  readonly #store: Pick<RunStore, 'noteRun'>;
  readonly #runId: RunId;
  readonly #clock: () => number;
  readonly #startedAtMs: number;
  readonly #workers = new Map<string, WorkerItems>();
  #notedAtMs = Number.NEGATIVE_INFINITY;

  constructor(store: Pick<RunStore, 'noteRun'>, runId: RunId, clock: () => number) {
    this.#store = store;
    this.#runId = runId;
    this.#clock = clock;
    this.#startedAtMs = clock();
  }

  /** A result that is committed. */
  add(worker: string, items: number): void {
    const now = this.#clock();
    const of = this.#workers.get(worker) ?? { items: 0, sinceMs: this.#startedAtMs, lastMs: now };
    of.items += items;
    of.lastMs = now;
    this.#workers.set(worker, of);
  }

  async note({ done, total, rate, remainingMs, isUntaken }: Progress): Promise<void> {
    const now = this.#clock();
    if (now - this.#notedAtMs < EVERY_MS) return;
    this.#notedAtMs = now;
    const heard = [...this.#workers].filter(([, { lastMs }]) => now - lastMs < HEARD_MS);
    const workers = heard.map(([name, { items, sinceMs, lastMs }]) => ({
      name,
      items,
      rate: lastMs > sinceMs ? (items * 1000) / (lastMs - sinceMs) : 0,
    }));
    workers.sort((a, b) => (a.name < b.name ? -1 : 1));
    const progress: FleetProgress = {
      done,
      total: total ?? null,
      rate,
      remainingMs: remainingMs ?? null,
      ...(isUntaken && { isUntaken }),
      workers,
    };
    // What cannot be noted now is noted with the next.
    await this.#store.noteRun(this.#runId, { progress }).catch(() => {});
  }
}

/** Undefined of a run that is not spread, or has not said anything yet. */
export function progressIn(metrics: Readonly<Record<string, unknown>>): FleetProgress | undefined {
  const found = PROGRESS.safeParse(metrics.progress);
  return found.success ? found.data : undefined;
}
