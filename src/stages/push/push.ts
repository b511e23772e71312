/**
 * `push`: the files of a folder to a target, each once. The ledger in the folder says what is where, so a push that ends in
 * between is gone on with by the same command; where the ledger is lost, the target's own listing says it again.
 *
 * Nothing of another's is written over: a file is put under the condition that nothing, or what this folder put there, is
 * there. A file that fails is counted and the rest goes on; a target that is not there, refuses, or is silent for too long
 * ends the push.
 *
 * Memory: up to two parts (16 MiB) for each file under way, and one page of the target's listing.
 */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chunksOfStream } from '../../core/chunks.ts';
import { inLanes } from '../../core/lanes.ts';
import { retry } from '../../core/retry.ts';
import { isInterruption, LabelsmithError, messageOf } from '../../errors.ts';
import { progressMeter } from '../../jobs/progress.ts';
import type { Progress } from '../../jobs/stage.ts';
import type { Sink } from '../../sources/sink.ts';
import { filesIn } from '../../sources/tree.ts';
import type { PushLedger } from '../../store/push-ledger.ts';
import { openPushLedger } from '../../store/sqlite/push-ledger.ts';
import { bandwidth } from './bandwidth.ts';
import { refuseOwnFolder } from './own-files.ts';
import { type Before, deletePushed, type LocalFile, localFile, type PushFileContext, pushFile } from './push-file.ts';
import { QuickDisk } from './quick-disk.ts';
import { RemoteCursor } from './remote-cursor.ts';

export interface PushOptions {
  /** Files at once (default 16). More helps where the way is long, and takes up to 16 MiB each. */
  readonly parallel?: number;
  /** Bytes a second over all files (default: no limit). */
  readonly bytesPerSecond?: number;
  readonly verify?: 'store' | 'bytes';
  /** Deletes a local file when the target has it, verified. */
  readonly deleteAfterVerified?: boolean;
  /** Writes over files of the target that this folder did not put there. */
  readonly replace?: boolean;
  /** Also asks the target whether it still has what the ledger says that it has. */
  readonly check?: boolean;
  /** How long a silent target is waited for, in ms (default 120,000). */
  readonly patienceMs?: number;
  /** The waits between attempts, in ms (default 200 to 20,000). */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** A file is deleted only when nobody has changed it for so long, in ms (default 2,000). */
  readonly settleMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface PushProblem {
  readonly path: string;
  readonly reason: 'left-out' | 'conflict' | 'changed' | 'failed';
  readonly message: string;
}

export interface PushCounts {
  files: number;
  pushed: number;
  /** As the ledger has them. */
  unchanged: number;
  /** The target had them already. */
  there: number;
  conflicts: number;
  /** Changed or gone while they were pushed. */
  changed: number;
  leftOut: number;
  failed: number;
  deleted: number;
  retries: number;
  bytesSent: number;
}

export interface PushResult {
  readonly target: string;
  readonly counts: Readonly<PushCounts>;
  /** The first of them, at most {@link MAX_PROBLEMS}. */
  readonly problems: readonly PushProblem[];
  readonly interrupted: boolean;
  /** False on a full disk: the next push compares with the target. */
  readonly ledgerKept: boolean;
}

const MAX_PROBLEMS = 100;
const STATS_AT_ONCE = 64;
const BACKOFF = { baseMs: 200, maxMs: 20_000 };

export async function push(folder: string, sink: Sink, options: PushOptions = {}): Promise<PushResult> {
  const root = resolve(folder);
  const found = await stat(root).catch(() => undefined);
  if (!found?.isDirectory()) {
    const what = found ? `${root} is no folder` : `the folder ${root} is not there`;
    throw new LabelsmithError('NOT_FOUND', what, { hint: 'Name the folder to push.' });
  }
  await refuseOwnFolder(root, sink.uri);
  const ledger = openPushLedger(root);
  try {
    return await new Push(root, sink, ledger, options).run();
  } finally {
    ledger.close();
  }
}

interface Planned {
  readonly file: LocalFile;
  readonly before: Before;
  readonly isUnchanged: boolean;
}

class Push {
  readonly #root: string;
  readonly #sink: Sink;
  readonly #ledger: PushLedger;
  readonly #options: PushOptions;
  readonly #counts: PushCounts = {
    files: 0,
    pushed: 0,
    unchanged: 0,
    there: 0,
    conflicts: 0,
    changed: 0,
    leftOut: 0,
    failed: 0,
    deleted: 0,
    retries: 0,
    bytesSent: 0,
  };
  readonly #problems: PushProblem[] = [];
  readonly #context: PushFileContext;
  readonly #stop: AbortSignal;
  readonly #fatal = new AbortController();
  /** When the target last answered with what was wanted. */
  #answeredAtMs = performance.now();

  constructor(root: string, sink: Sink, ledger: PushLedger, options: PushOptions) {
    this.#root = root;
    this.#sink = sink;
    this.#ledger = ledger;
    this.#options = options;
    this.#stop = AbortSignal.any([this.#fatal.signal, ...(options.signal ? [options.signal] : [])]);
    this.#context = {
      disk: new QuickDisk(),
      sink,
      ledger,
      verify: options.verify ?? 'store',
      replace: options.replace ?? false,
      signal: this.#stop,
      now: Date.now,
      bandwidth:
        options.bytesPerSecond === undefined
          ? undefined
          : bandwidth(options.bytesPerSecond, {
              now: () => performance.now(),
              sleep: (ms) => sleep(ms, undefined, { signal: this.#stop }),
            }),
      onSent: (bytes) => {
        this.#counts.bytesSent += bytes;
      },
    };
  }

  async run(): Promise<PushResult> {
    const { parallel = 16, signal, onProgress } = this.#options;
    const meter = progressMeter('push', undefined, () => performance.now());
    const result = (interrupted: boolean) => {
      const ledgerKept = this.#ledger.isKept;
      return { target: this.#sink.uri, counts: this.#counts, problems: this.#problems, interrupted, ledgerKept };
    };
    try {
      await inLanes(this.#plan(), parallel, async (planned) => {
        await this.#one(planned);
        meter.add(1);
        onProgress?.(meter.snapshot(0));
      });
      return result(signal?.aborted ?? false);
    } catch (error) {
      if (signal?.aborted && isInterruption(error)) return result(true);
      throw error;
    }
  }

  async *#plan(): AsyncGenerator<Planned> {
    const remote = new RemoteCursor(this.#sink);
    let before = '';
    try {
      // Sizes and times of many are asked for at once: one after the other they would hold up all lanes.
      for await (const items of chunksOfStream(filesIn(this.#root), STATS_AT_ONCE)) {
        const files = await Promise.all(
          items.map((item) => (item.kind === 'file' ? localFile(this.#context.disk, item.key, item.path) : item)),
        );
        for (const file of files) {
          if (this.#stop.aborted) return;
          if (file === undefined) continue;
          if ('kind' in file) {
            this.#problem('leftOut', { path: file.path, reason: 'left-out', message: file.message });
            continue;
          }
          this.#counts.files++;
          const { key } = file;
          const pushed = this.#ledger.pushed(this.#sink.uri, key);
          const isKnown = pushed?.localVersion === file.localVersion;
          const { check = false } = this.#options;
          // A put under a condition finds out by itself; a listing tells of many before.
          const isAsked = isKnown ? check : check || this.#sink.list !== undefined;
          const [from, at] = [before, key];
          const there = isAsked ? await this.#patiently(() => remote.at(at, from)) : undefined;
          before = key;
          const isUnchanged = isKnown && (!check || there?.version === pushed.version);
          if (isKnown && !isUnchanged) this.#ledger.forget(this.#sink.uri, key);
          yield { file, before: { pushed, remote: there }, isUnchanged };
        }
      }
    } finally {
      await remote.close();
    }
  }

  async #one({ file, before, isUnchanged }: Planned): Promise<void> {
    const counts = this.#counts;
    try {
      if (isUnchanged) counts.unchanged++;
      else await this.#push(file, before);
      if (this.#options.deleteAfterVerified) await this.#delete(file, isUnchanged);
    } catch (error) {
      if (isInterruption(error)) throw error;
      if (!(error instanceof LabelsmithError) || error.details.scope === 'target' || error.code === 'DISK_FULL') {
        this.#fatal.abort(error);
        throw error;
      }
      this.#problem('failed', { path: file.path, reason: 'failed', message: messageOf(error) });
    }
  }

  async #push(file: LocalFile, before: Before): Promise<void> {
    const { path } = file;
    let broken: string | undefined;
    const outcome = await this.#patiently(async () => {
      try {
        return await pushFile(this.#context, file, { ...before, broken });
      } catch (error) {
        if (error instanceof LabelsmithError && typeof error.details.broken === 'string') broken = error.details.broken;
        throw error;
      }
    });
    switch (outcome.kind) {
      case 'pushed':
        this.#counts.pushed++;
        return;
      case 'there':
        this.#counts.there++;
        return;
      case 'conflict': {
        const message = 'the target has another file under this name, which was not pushed from here';
        return this.#problem('conflicts', { path, reason: 'conflict', message });
      }
      case 'changed': {
        const message = 'it changed while it was pushed; the next push takes it';
        return this.#problem('changed', { path, reason: 'changed', message });
      }
      default:
        throw new Error(`unknown outcome ${outcome satisfies never}`);
    }
  }

  /** What the target has lost since it was pushed is pushed again. */
  async #delete(file: LocalFile, isUnchanged: boolean): Promise<void> {
    const { settleMs = 2000 } = this.#options;
    const ageMs = Date.now() - file.modifiedAtMs;
    // A clock that was set back makes files of the future: these are waited for once as well.
    if (ageMs < settleMs) await sleep(Math.min(settleMs, settleMs - ageMs), undefined, { signal: this.#stop });
    let outcome = await this.#patiently(() => deletePushed(this.#context, file));
    if (outcome === 'not-there') {
      if (isUnchanged) this.#counts.unchanged--;
      await this.#push(file, { pushed: undefined, remote: undefined });
      outcome = await this.#patiently(() => deletePushed(this.#context, file));
    }
    if (outcome === 'deleted') this.#counts.deleted++;
  }

  /** Tries again what the target did not take, for as long as it answers anybody. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { patienceMs = 120_000, backoff = BACKOFF } = this.#options;
    const startedAtMs = performance.now();
    try {
      const result = await retry(work, {
        ...backoff,
        patienceMs,
        isTransient: (error) => error instanceof LabelsmithError && error.code === 'NETWORK' && !this.#stop.aborted,
        onRetry: () => this.#counts.retries++,
        sleep: (ms) => sleep(ms, undefined, { signal: this.#stop }),
        now: () => performance.now(),
        random: Math.random,
      });
      this.#answeredAtMs = performance.now();
      return result;
    } catch (error) {
      if (!(error instanceof LabelsmithError) || error.code !== 'NETWORK' || this.#answeredAtMs > startedAtMs)
        throw error;
      throw new LabelsmithError(
        'NETWORK',
        `${error.message}, and nothing else for ${Math.round(patienceMs / 1000)} s`,
        {
          hint: 'Run the same command when the target is back: what is there already is not sent twice.',
          details: { ...error.details, scope: 'target' },
          cause: error,
        },
      );
    }
  }

  #problem(count: 'leftOut' | 'conflicts' | 'changed' | 'failed', problem: PushProblem): void {
    this.#counts[count]++;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }
}
