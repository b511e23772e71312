/**
 * A claim on doing something alone, in the record. Its holder changes it every few seconds; whoever else wants it watches by
 * a clock of their own whether it changes, and takes it when it does not. So machines whose clocks differ agree on it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabelsmithError } from '../../errors.ts';
import type { HousekeepingStore } from '../../store/store.ts';

export interface ClaimOptions {
  /** How often the holder changes it, milliseconds (default 2000). */
  readonly beatMs?: number;
  /** Unchanged for so long, it is anybody's, milliseconds (default 20,000). */
  readonly takenMs?: number;
  readonly clock?: () => number;
}

export type Claimed<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'held' };

type Settings = Pick<HousekeepingStore, 'getSetting' | 'swapSetting'>;

/**
 * Does `work` while nobody else does; `held` where somebody is at it.
 *
 * @param work is given a check that fails when the claim was lost (this process stood still for too long)
 */
export async function withClaim<T>(
  store: Settings,
  name: string,
  work: (mine: () => void) => Promise<T>,
  options: ClaimOptions = {},
): Promise<Claimed<T>> {
  const { beatMs = 2000 } = options;
  const key = `claim ${name}`;
  const owner = randomUUID();
  let value = `${owner} 0`;
  if (!(await isFree(store, key, value, options))) return { kind: 'held' };
  let isLost = false;
  let beats = 0;
  let beating: Promise<void> = Promise.resolve();
  const beat = async () => {
    const next = `${owner} ${++beats}`;
    if (await store.swapSetting(key, value, next)) value = next;
    else isLost = true;
  };
  const timer = setInterval(() => {
    // A store that does not answer is asked again with the next.
    beating = beating.then(beat).catch(() => {});
  }, beatMs);
  try {
    const mine = () => {
      if (isLost) throw lostClaim(name);
    };
    return { kind: 'done', value: await work(mine) };
  } finally {
    clearInterval(timer);
    await beating;
    await store.swapSetting(key, value, undefined).catch(() => {});
  }
}

export interface TurnOptions extends ClaimOptions {
  /** When aborted, waiting ends. */
  readonly signal?: AbortSignal;
}

/** The same, but waits while somebody else is at it. */
export async function inTurn<T>(
  store: Settings,
  name: string,
  work: (mine: () => void) => Promise<T>,
  { signal, ...options }: TurnOptions = {},
): Promise<T> {
  for (;;) {
    const claimed = await withClaim(store, name, work, options);
    if (claimed.kind === 'done') return claimed.value;
    if (signal?.aborted) {
      throw new LabelsmithError('INTERRUPTED', `Stopped while another process is at ${name}.`, {
        hint: 'Run it again.',
      });
    }
  }
}

/** Takes the claim, at once where nobody has it, or when its holder was not heard of for long. */
async function isFree(
  store: Settings,
  key: string,
  mine: string,
  { beatMs = 2000, takenMs = 20_000, clock = () => performance.now() }: ClaimOptions,
): Promise<boolean> {
  const first = await store.getSetting(key);
  if (first === undefined) return store.swapSetting(key, undefined, mine);
  const since = clock();
  while (clock() - since < takenMs) {
    await sleep(Math.min(beatMs / 2, takenMs / 10));
    const now = await store.getSetting(key);
    if (now === undefined) return store.swapSetting(key, undefined, mine);
    if (now !== first) return false;
  }
  return store.swapSetting(key, first, mine);
}

function lostClaim(name: string): LabelsmithError {
  return new LabelsmithError('BUSY', `Another process is at ${name}, since this one was not heard of`, {
    hint: 'Nothing is lost: run the same command again when it has ended.',
  });
}
