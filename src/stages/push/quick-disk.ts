/**
 * Small questions to the file system, asked where they are: on a disk that answers at once, waking a thread for each costs
 * several times what it does. A disk that took its time is asked through threads for a while, so that a slow one (a network's,
 * say) holds up the rest for one question in five seconds at most.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFile as readFileThen,
  readSync,
  statSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

/** An answer that took longer makes the disk a slow one, and for how long, in ms. */
const [QUICK_MS, SLOW_FOR_MS] = [2, 5000];
/** Larger files are worth a thread. */
const MAX_SMALL_BYTES = 2 ** 16;

/** Costs a fifth less than that of `node:fs/promises`, which makes a handle for each small file. */
const readFile = promisify(readFileThen);

export class QuickDisk {
  #slowUntilMs = 0;

  stat(path: string): BigIntStats | Promise<BigIntStats> {
    return this.#isQuick() ? this.#timed(() => statSync(path, { bigint: true })) : stat(path, { bigint: true });
  }

  /** The whole file. @param byteSize as it was found; of one that has grown, a byte more */
  read(path: string, byteSize: number): Buffer | Promise<Buffer> {
    if (byteSize > MAX_SMALL_BYTES || !this.#isQuick()) return readFile(path);
    return this.#timed(() => readSmall(path, byteSize)) ?? readFile(path);
  }

  #isQuick(): boolean {
    return performance.now() >= this.#slowUntilMs;
  }

  #timed<T>(ask: () => T): T {
    const startedAtMs = performance.now();
    try {
      return ask();
    } finally {
      const nowMs = performance.now();
      if (nowMs - startedAtMs > QUICK_MS) this.#slowUntilMs = nowMs + SLOW_FOR_MS;
    }
  }
}

/** Opening never waits: what has become a pipe since is left to a thread. */
function readSmall(path: string, byteSize: number): Buffer | undefined {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.allocUnsafe(byteSize + 1);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < bytes.length; filled += read) {
      read = readSync(file, bytes, filled, bytes.length - filled, null);
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}
