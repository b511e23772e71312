/**
 * What takes a pass over all labels, kept until the record changes. On a small record every answer is exact. Where a pass takes
 * long, the one before is given at once with `exact: false`, and a new one is made beside it, so that counting never keeps
 * pages or labels waiting for more than a share of the time.
 */
import type { Store } from '../store/store.ts';

export interface Counted<T> {
  readonly value: T;
  /** Nothing was written since it was counted. */
  readonly exact: boolean;
}

export interface CountedOptions<T> {
  /** Another one after every change of the record. */
  readonly revision: () => Promise<string>;
  readonly count: () => Promise<T>;
  readonly nowMs?: () => number;
}

/** Another text after every change: what was written, and how far the newest run is, which writes more than labels. */
export function revisionsOf(store: Pick<Store, 'changes' | 'runs'>): () => Promise<string> {
  let seen = 0;
  return async () => {
    const { revision } = await store.changes(seen);
    seen = Math.max(seen, revision);
    const [run] = await store.runs({ limit: 1 });
    return `${seen} ${run?.id} ${run?.status}`;
  };
}

/** Passes that take less are waited for. */
const PATIENT_MS = 150;
/** After a pass so many times its length go by before the next one: a sixth of the time is counted at most. */
const REST = 5;

interface Pass<T> {
  readonly value: T;
  readonly revision: string;
  readonly tookMs: number;
  readonly endedMs: number;
}

export function counted<T>({ revision, count, nowMs = () => performance.now() }: CountedOptions<T>) {
  let last: Pass<T> | undefined;
  let underWay: Promise<Pass<T>> | undefined;

  async function pass(): Promise<Pass<T>> {
    const began = nowMs();
    // Taken before, so that what is written meanwhile makes it count again.
    const at = await revision();
    const value = await count();
    const endedMs = nowMs();
    last = { value, revision: at, tookMs: endedMs - began, endedMs };
    return last;
  }

  function begin(): Promise<Pass<T>> {
    underWay ??= pass().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  return async (): Promise<Counted<T>> => {
    const now = await revision();
    if (last?.revision === now) return { value: last.value, exact: true };
    if (last === undefined || last.tookMs < PATIENT_MS) {
      // One that began before the last write has not seen it.
      await underWay;
      const { value, revision: at } = last?.revision === now ? last : await begin();
      return { value, exact: at === now };
    }
    const { value, endedMs, tookMs } = last;
    // Whoever asks next is told when this one failed.
    if (nowMs() - endedMs >= REST * tookMs) begin().catch(() => undefined);
    return { value, exact: false };
  };
}
