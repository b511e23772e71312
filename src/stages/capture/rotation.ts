/**
 * Room for new frames: the oldest go, by size and by age, but only those that are somewhere else already, pushed (the
 * ledger says so) or taken in by the workspace. What is nowhere else stays, whatever the limit, and is counted.
 *
 * Only files under names that `capture` gives are looked at. A turn looks at 10,000 files at most, so that a folder full of
 * what may not go costs little.
 */
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface KeepLimits {
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
}

export interface CapturedFile {
  readonly path: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
  /** Time in nanoseconds and size, as the ledger has it. */
  readonly localVersion: string;
}

export interface RotationOptions {
  readonly to: string;
  readonly limits: KeepLimits;
  /** Which of these are somewhere else, in their order. */
  readonly areSafe: (files: readonly CapturedFile[]) => Promise<readonly boolean[]>;
  /** The time in ms (default: the system's). */
  readonly now?: () => number;
}

export interface RotationTurn {
  readonly deleted: number;
  /** Over a limit and nowhere else. */
  readonly held: number;
}

const MAX_LOOKED_AT = 10_000;
const BATCH = 256;
const DAY = /^\d{4}-\d\d-\d\d$/;
const FRAME = /-\d{8}T\d{6}\.\d{3}Z-\d{6,}\.jpg$/;
/** So often the sizes are summed anew, since others delete too, in ms. */
const COUNT_AGAIN_MS = 600_000;

export class Rotation {
  readonly #options: RotationOptions;
  readonly #now: () => number;
  #bytes = 0;
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  onWritten(byteSize: number): void {
    this.#bytes += byteSize;
  }

  async turn(): Promise<RotationTurn> {
    const { limits, areSafe } = this.#options;
    const { maxBytes = Number.POSITIVE_INFINITY, maxAgeMs = Number.POSITIVE_INFINITY } = limits;
    const days = await this.#days();
    if (performance.now() - this.#countedAtMs > COUNT_AGAIN_MS) await this.#count(days);
    let [deleted, held, lookedAt] = [0, 0, 0];
    for (const day of days) {
      const isTooOld = (file: CapturedFile) => this.#now() - file.modifiedAtMs > maxAgeMs;
      for await (const batch of batches(day.folder)) {
        const over = batch.filter((file) => isTooOld(file) || this.#bytes > maxBytes);
        if (over.length === 0 && this.#bytes <= maxBytes) break;
        const safe = await areSafe(over);
        for (const [i, file] of over.entries()) {
          if (!isTooOld(file) && this.#bytes <= maxBytes) break;
          if (!safe[i]) held++;
          else {
            await rm(file.path, { force: true });
            this.#bytes -= file.byteSize;
            deleted++;
          }
        }
        lookedAt += batch.length;
        if (lookedAt > MAX_LOOKED_AT) return { deleted, held };
      }
      // It goes when it is empty.
      await rmdir(day.folder).catch(() => {});
    }
    return { deleted, held };
  }

  /** Oldest first, over all cameras. */
  async #days(): Promise<readonly { readonly day: string; readonly folder: string }[]> {
    const { to } = this.#options;
    const days: { day: string; folder: string }[] = [];
    for (const camera of await readdir(to, { withFileTypes: true })) {
      if (!camera.isDirectory() || camera.name.startsWith('.')) continue;
      for (const day of await readdir(join(to, camera.name))) {
        if (DAY.test(day)) days.push({ day, folder: join(to, camera.name, day) });
      }
    }
    return days.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.folder < b.folder ? -1 : 1));
  }

  async #count(days: readonly { readonly folder: string }[]): Promise<void> {
    let bytes = 0;
    for (const { folder } of days) {
      for await (const batch of batches(folder)) for (const { byteSize } of batch) bytes += byteSize;
    }
    this.#bytes = bytes;
    this.#countedAtMs = performance.now();
  }
}

/** The frames of a folder in order of their names, which begin with the time. */
async function* batches(folder: string): AsyncGenerator<readonly CapturedFile[]> {
  const names = (await readdir(folder)).filter((name) => FRAME.test(name)).sort();
  for (let at = 0; at < names.length; at += BATCH) {
    const files = names.slice(at, at + BATCH).map((name) => fileAt(join(folder, name)));
    yield (await Promise.all(files)).filter((file) => file !== undefined);
  }
}

async function fileAt(path: string): Promise<CapturedFile | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  const localVersion = `${found.mtimeNs}-${found.size}`;
  return { path, byteSize: Number(found.size), modifiedAtMs: Number(found.mtimeMs), localVersion };
}
