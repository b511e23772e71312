/**
 * A rename onto a name that may be taken, on every system.
 *
 * Elsewhere that is one call. On Windows it fails for as long as somebody has either of the two open, a virus scanner or
 * an indexer among them, which lasts milliseconds: so there it is tried again for a while. What is still refused then is
 * an error as everywhere.
 */
import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors.ts';

export interface RenameOptions {
  /** Default: this one. */
  readonly platform?: NodeJS.Platform;
  /** How long a refused rename is tried again, in ms (default 5,000). */
  readonly patienceMs?: number;
  /** The rename itself (default: the file system's). */
  readonly rename?: (from: string, to: string) => Promise<void>;
}

/** What Windows answers while a file is open. */
const HELD = new Set(['EPERM', 'EACCES', 'EBUSY']);

const FIRST_WAIT_MS = 5;
const MAX_WAIT_MS = 200;

export async function renameOver(from: string, to: string, options: RenameOptions = {}): Promise<void> {
  const { platform = process.platform, patienceMs = 5_000, rename: move = rename } = options;
  if (platform !== 'win32') return move(from, to);
  const until = performance.now() + patienceMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
    try {
      return await move(from, to);
    } catch (error) {
      if (!HELD.has(systemCodeOf(error) ?? '') || performance.now() >= until) throw error;
    }
    await sleep(waitMs);
  }
}
