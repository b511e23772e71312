/**
 * Blobs that other processes need while something lasts. Anybody may delete a blob at any time, as `discover` and `forget` do
 * with what holds vectors. So whoever keeps one for others looks every two seconds whether it is there, and puts it again;
 * whoever cannot do without it waits for that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore } from './blob-store.ts';

/** Puts a blob, and again where somebody deleted it, until all is done. */
export type Hold = (key: string, put: () => Promise<unknown>) => Promise<void>;

/** What was held stays where it is: whoever made it deletes it afterwards. @param everyMs between two looks (default 2000) */
export async function holdingBlobs<T>(
  blobs: Pick<BlobStore, 'stat'>,
  work: (hold: Hold) => Promise<T>,
  { everyMs = 2000 }: { readonly everyMs?: number } = {},
): Promise<T> {
  const held = new Map<string, () => Promise<unknown>>();
  const look = async () => {
    for (const [key, put] of held) if ((await blobs.stat(key)) === undefined) await put();
  };
  let looking: Promise<void> = Promise.resolve();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    // A store that does not answer is asked again with the next look.
    looking = look()
      .catch(() => {})
      .finally(() => {
        isLooking = false;
      });
  }, everyMs);
  try {
    return await work(async (key, put) => {
      await put();
      held.set(key, put);
    });
  } finally {
    clearInterval(timer);
    held.clear();
    await looking;
  }
}

const WAITED_MS = 30_000;
const ASKED_EVERY_MS = 500;

/** What a blob is read as, once it is there again; undefined where it is not within half a minute. */
export async function readHeld<T>(read: () => Promise<T | undefined>, withinMs = WAITED_MS): Promise<T | undefined> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await read();
    if (found !== undefined || performance.now() >= until) return found;
    await sleep(Math.min(ASKED_EVERY_MS, withinMs));
  }
}
