/**
 * A folder as a feed: it is listed again and again, and what has stayed as it is for a while is whole. Looking works on
 * every file system; notices of changes do not (network mounts, containers), so none are used.
 *
 * Whole is a file whose size and time have not changed for `settleMs`. Writers that pause for longer are caught when they
 * go on: the file has a new version then and is given again. Archives settle before they are opened.
 *
 * Cost: a look is one listing, and looking takes at most a fifth of the time. Memory: about 300 bytes a file that is there.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isInterruption, LabelsmithError } from '../errors.ts';
import type { ListedFile } from './entry.ts';
import type { Feed, FollowOptions } from './feed.ts';
import { openSource } from './open.ts';
import type { Source, SourceItem } from './source.ts';

export interface WatchOptions {
  /** Where a relative folder starts. */
  readonly cwd: string;
  readonly archiveCache?: string;
  readonly skipFolders?: readonly string[];
  /**
   * How long a file must stay as it is, in ms (default 2000). Less gives half of what a slow writer writes, more makes
   * everybody wait.
   */
  readonly settleMs?: number;
  /** Time between two looks while nothing happens, in ms (default 1000). */
  readonly lookEveryMs?: number;
  /** The time in ms, and waiting for some (default: the system's). */
  readonly clock?: WatchClock;
}

export interface WatchClock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const SYSTEM_CLOCK: WatchClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** Fails with `NOT_FOUND` where there is no such folder. */
export async function watchFolder(spec: string, options: WatchOptions): Promise<Feed> {
  const source = await openSource(spec, options);
  if (!(await isFolder(source.root))) {
    throw new LabelsmithError('NOT_FOUND', `${source.root} is not a folder`, {
      hint: 'Only folders are watched; add takes a file or an archive.',
    });
  }
  return { spec, root: source.root, follow: (follow) => followFolder(source, options, follow) };
}

async function* followFolder(
  source: Source,
  { settleMs = 2000, lookEveryMs = 1000, clock = SYSTEM_CLOCK }: WatchOptions,
  { signal, untilIdle = false, isKnown = async () => false, onLook }: FollowOptions,
): AsyncGenerator<SourceItem> {
  const seen = new Settling(settleMs);
  while (!signal.aborted) {
    const startedAt = clock.now();
    seen.begin(startedAt);
    let hasNew = false;
    for await (const item of lookOnce(source, seen)) {
      if (signal.aborted) return;
      hasNew = true;
      if (item.kind === 'problem' || !(await isKnown(item.entry))) yield item;
    }
    seen.end();
    const isWaiting = seen.settlesAtMs < Number.POSITIVE_INFINITY;
    onLook?.(isWaiting);
    if (untilIdle && !hasNew && !isWaiting) return;
    try {
      const nowMs = clock.now();
      // The next file to settle is not kept waiting for the look after it.
      const nextMs = Math.min(lookEveryMs, Math.max(1, seen.settlesAtMs - nowMs));
      await clock.sleep(Math.max(4 * (nowMs - startedAt), nextMs), signal);
    } catch (error) {
      if (!isInterruption(error)) throw error;
    }
  }
}

/** What has come to stay since the last look. */
async function* lookOnce(source: Source, seen: Settling): AsyncGenerator<SourceItem> {
  if (!(await isFolder(source.root))) {
    const message = 'the folder is not there; it is waited for';
    const problem = { path: source.root, sourceRoot: source.root, reason: 'missing', message } as const;
    if (seen.isNew(source.root, message)) yield { kind: 'problem', problem };
    seen.keepAll();
    return;
  }
  try {
    for await (const item of source.list({ admit: (file) => seen.hasSettled(file) })) {
      // The folder went while it was looked at: the next look says so.
      if (item.kind === 'problem' && item.problem.path === source.root && !(await isFolder(source.root))) break;
      const isNew =
        item.kind === 'entry'
          ? seen.isNew(item.entry.uri, item.entry.version)
          : seen.isNew(`problem ${item.problem.path}`, item.problem.message);
      if (isNew) yield item;
    }
  } catch (error) {
    if (await isFolder(source.root)) throw error;
  }
  if (!(await isFolder(source.root))) seen.keepAll();
}

/** What was seen at the last look and at this one: how long each file has been as it is, and what was given. */
class Settling {
  readonly #settleMs: number;
  /** Of each file: its time and size, and since when it has had them. */
  #files = new Map<string, { readonly version: string; readonly sinceMs: number }>();
  #filesNow = new Map<string, { readonly version: string; readonly sinceMs: number }>();
  /** Of each item that was given: its version. */
  #given = new Map<string, string>();
  #givenNow = new Map<string, string>();
  #nowMs = 0;
  #settlesAtMs = Number.POSITIVE_INFINITY;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** When the first of the files that were not whole yet at this look may be; infinite where there were none. */
  get settlesAtMs(): number {
    return this.#settlesAtMs;
  }

  begin(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#settlesAtMs = Number.POSITIVE_INFINITY;
    this.#filesNow = new Map();
    this.#givenNow = new Map();
  }

  /** What was not met at this look is gone; if it comes again, it is new. */
  end(): void {
    this.#files = this.#filesNow;
    this.#given = this.#givenNow;
  }

  /** A folder that is away says nothing about what was in it. */
  keepAll(): void {
    for (const [name, file] of this.#files) this.#filesNow.set(name, file);
    for (const [name, version] of this.#given) if (!this.#givenNow.has(name)) this.#givenNow.set(name, version);
  }

  hasSettled({ path, byteSize, modifiedAtMs }: Omit<ListedFile, 'sourceRoot'>): boolean {
    const name = path.toString('latin1');
    const version = `${modifiedAtMs}-${byteSize}`;
    const before = this.#files.get(name);
    const file = before?.version === version ? before : { version, sinceMs: this.#nowMs };
    this.#filesNow.set(name, file);
    const settlesAtMs = file.sinceMs + this.#settleMs;
    if (settlesAtMs <= this.#nowMs) return true;
    this.#settlesAtMs = Math.min(this.#settlesAtMs, settlesAtMs);
    return false;
  }

  /** Whether this version was not given yet; from now on it was. */
  isNew(name: string, version: string): boolean {
    this.#givenNow.set(name, version);
    return this.#given.get(name) !== version;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
