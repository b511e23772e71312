/**
 * The model cache: a folder of files that can all be made again, shared by every workspace and process of the user.
 *
 *     sources/SHA256          downloaded files, named by their content
 *     refs/ID.json            which content a reference was found to have (ID: SHA-256 of the reference)
 *     partial/                unfinished downloads and their locks
 *     models/ID/KEY.onnx      converted models (made by `models/prepare.ts`)
 *     prepared/ID-KEY.json    what each of them was when it was made, where this version does not pin it
 *     imported/NAME.json      what `models import` declared
 *     words/KEY.f32           vectors of words that detectors were told to find (made by `models/word-cache.ts`)
 *     corrupt/                files whose content was not what it should be, put aside
 *
 * Guarantees: a file under its final name is whole (written elsewhere, synced, renamed); a reader checks its SHA-256
 * before use, and a file that fails is moved to `corrupt/` and counts as absent. Any of it may be deleted at any time;
 * a model that was imported from a local file then has to be imported again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { writeFileAtomically } from '../files/atomic.ts';
import { homedirIfAny } from '../files/home.ts';
import { makeFolder } from '../files/make-folder.ts';
import { isRunning, keepAlive } from '../files/unfinished.ts';

/** The folder of the cache: `LABELSMITH_CACHE`, else the platform's cache folder for this user. */
export function cacheDirectory(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string | undefined = homedirIfAny(),
): string {
  if (env.LABELSMITH_CACHE) return env.LABELSMITH_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'labelsmith');
  if (home === undefined) {
    throw new LabelsmithError('NOT_FOUND', 'There is no place for the model cache: this user has no home folder.', {
      hint: 'Set LABELSMITH_CACHE to a folder that you may write to.',
    });
  }
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'labelsmith');
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'labelsmith', 'Cache');
  return join(home, '.cache', 'labelsmith');
}

export function sourcePath(cacheDir: string, sha256: string): string {
  return join(cacheDir, 'sources', sha256);
}

/** SHA-256 of a file's content in lower-case hexadecimal, read in pieces. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/**
 * True when `path` exists and has that content. Another content is put aside under `corrupt/` and reported to
 * `onCorrupt`, so that the caller makes or fetches the file again.
 */
export async function isIntact(
  cacheDir: string,
  path: string,
  sha256: string,
  onCorrupt: (movedTo: string) => void = () => {},
): Promise<boolean> {
  let found: string;
  try {
    found = await sha256OfFile(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw cacheError(error, `cannot read ${path}`);
  }
  if (found === sha256) return true;
  onCorrupt(await putAside(cacheDir, path));
  return false;
}

/** Moves a bad file to `corrupt/`. When another process was quicker, there is nothing left to move. */
export async function putAside(cacheDir: string, path: string): Promise<string> {
  const to = join(cacheDir, 'corrupt', `${path.split(/[/\\]/).at(-1)}-${randomBytes(4).toString('hex')}`);
  try {
    await makeFolder(dirname(to));
    await rename(path, to);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw cacheError(error, `cannot put ${path} aside`);
  }
  return to;
}

/** Writes a file so that its name only ever stands for the whole content: temporary name, sync, rename. */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  await writeFileAtomically(path, content).catch((error) => {
    throw cacheError(error, `cannot write ${path}`);
  });
}

/** The parsed content of a JSON file of the cache, or undefined when it is absent or not JSON (a lost record, not an error). */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw cacheError(error, `cannot read ${path}`);
  }
}

/** What the system says where a folder cannot be made or used; ENOENT of `/proc` and its like, whatever is asked of them. */
const NO_PLACE: ReadonlySet<string> = new Set(
  'EACCES EPERM EROFS ENOTDIR EISDIR EEXIST ENOENT ENAMETOOLONG ELOOP EINVAL'.split(' '),
);

/** A failed write or read of the cache as an error for people. */
export function cacheError(error: unknown, what: string): Error {
  if (error instanceof LabelsmithError) return error;
  const code = systemCodeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LabelsmithError('DISK_FULL', `${what}: the disk is full`, {
      hint: 'Free some space, or set LABELSMITH_CACHE to a folder on another disk.',
      cause: error,
    });
  }
  if (code !== undefined && NO_PLACE.has(code)) {
    return new LabelsmithError('BAD_FILE', `${what}: ${messageOf(error)}`, {
      hint: 'Set LABELSMITH_CACHE to a folder that you may write to.',
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(`${what}: ${messageOf(error)}`);
}

/** How often a lock's holder says that it lives, and after how long a silent one counts as dead. */
export interface LockTiming {
  readonly heartbeatMs: number;
  readonly staleMs: number;
}

const LOCK_TIMING: LockTiming = { heartbeatMs: 1_000, staleMs: 30_000 };

/**
 * Runs `work` while no other process works under the same lock file. A holder touches its lock every `heartbeatMs`; one
 * that has been silent for `staleMs`, or for five heartbeats when its process on this machine is gone, is taken over.
 * Where a lock's time is in the future, its silence is counted by this process from when it first saw that time.
 * The lock only saves doing things twice: whatever is done under it ends in an atomic rename.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { timing?: LockTiming; onWait?: () => void; signal?: AbortSignal } = {},
): Promise<T> {
  const timing = options.timing ?? LOCK_TIMING;
  await makeFolder(dirname(path)).catch((error) => {
    throw cacheError(error, `cannot make ${dirname(path)}`);
  });
  const seen: Seen = { touchedMs: Number.NaN, sinceMs: 0 };
  for (let waited = false; !(await claim(path)); ) {
    options.signal?.throwIfAborted();
    if (await isStale(path, timing, seen)) {
      await takeAway(path, timing, seen);
      continue;
    }
    if (!waited) options.onWait?.();
    waited = true;
    await sleep(100, undefined, { signal: options.signal });
  }
  const alive = keepAlive(path, timing.heartbeatMs);
  try {
    return await work();
  } finally {
    alive.stop();
    await rm(path, { force: true });
  }
}

/** The time that a lock was last seen to have, and since when (of the monotonic clock). */
interface Seen {
  touchedMs: number;
  sinceMs: number;
}

async function claim(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw cacheError(error, `cannot make ${path}`);
  }
}

/**
 * Removes a stale lock. Of several processes that saw it stale, a slow one may take away the new lock of a quick one:
 * so it is renamed first, looked at again, and put back when it turns out to be alive.
 */
async function takeAway(path: string, timing: LockTiming, seen: Seen): Promise<void> {
  const taken = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, taken);
    if (!(await isStale(taken, timing, seen))) await link(taken, path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw cacheError(error, `cannot take over ${path}`);
  } finally {
    await rm(taken, { force: true });
  }
}

async function isStale(path: string, timing: LockTiming, seen: Seen): Promise<boolean> {
  let touchedMs: number;
  try {
    touchedMs = (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw cacheError(error, `cannot read ${path}`);
  }
  if (touchedMs !== seen.touchedMs) Object.assign(seen, { touchedMs, sinceMs: performance.now() });
  const silentMs = touchedMs > Date.now() ? performance.now() - seen.sinceMs : Date.now() - touchedMs;
  if (silentMs > timing.staleMs) return true;
  if (silentMs < 5 * timing.heartbeatMs) return false;
  const holder = (await readJson(path)) as { pid?: number; host?: string } | undefined;
  return holder?.host === hostname() && typeof holder.pid === 'number' && !isRunning(holder.pid);
}
