/**
 * A lock that processes on several machines share through a folder that all of them see.
 *
 * The lock is a folder with one file in it, named after its holder: it is made aside and renamed into place, which fails
 * while another one with a file in it is there. A lock whose holder was killed is taken over by renaming that holder's file
 * to one's own name, which of several that try only one can do. No clock is compared with another's: a lock is abandoned
 * when this process has seen it with the same holder for `abandonedAfterMs`.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors.ts';

export interface FolderLockOptions {
  /** How long the same holder is waited for, in ms (default 10,000). Has to be far more than what is done under the lock takes. */
  readonly abandonedAfterMs?: number;
}

const POLL_MS = 10;
/** What systems answer when the place is taken. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'EBUSY']);

/** Runs `work` while nobody else does under the same lock. The folder that `lock` lies in has to be there. */
export async function withFolderLock<T>(
  lock: string,
  work: () => Promise<T>,
  { abandonedAfterMs = 10_000 }: FolderLockOptions = {},
): Promise<T> {
  const own = randomUUID();
  await acquire(lock, own, abandonedAfterMs);
  try {
    return await work();
  } finally {
    await rm(join(lock, own), { force: true });
    // Somebody may have moved in between the two calls.
    await rmdir(lock).catch(() => {});
  }
}

async function acquire(lock: string, own: string, abandonedAfterMs: number): Promise<void> {
  const ready = `${lock}.${own}`;
  await mkdir(ready);
  await writeFile(join(ready, own), '');
  let holder: string | undefined;
  let sinceMs = performance.now();
  try {
    for (;;) {
      if (await moved(ready, lock)) return;
      const [now] = await readdir(lock).catch(() => []);
      if (now !== holder) [holder, sinceMs] = [now, performance.now()];
      if (holder !== undefined && performance.now() - sinceMs > abandonedAfterMs) {
        if (await moved(join(lock, holder), join(lock, own))) {
          await rm(ready, { recursive: true, force: true });
          return;
        }
      }
      await sleep(POLL_MS);
    }
  } catch (error) {
    await rm(ready, { recursive: true, force: true });
    throw error;
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    // The holder that was seen is gone.
    if (code === 'ENOENT' || (code !== undefined && TAKEN.has(code))) return false;
    throw error;
  }
}
