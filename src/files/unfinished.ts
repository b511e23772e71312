/**
 * Files and folders that are being written, under a name beside their place, and what killed processes left of them.
 *
 * A name says which machine and process writes it. It is abandoned when that process of this machine is gone, or when
 * nobody has touched it for {@link LEASE_MS}: in containers every run has another machine's name, and numbers of
 * processes come again. Who writes for long touches it meanwhile ({@link keepAlive}).
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { systemCodeOf } from '../errors.ts';

/** Longer than any process that lives is busy without a turn of its event loop. */
export const LEASE_MS = 15 * 60_000;
const HEARTBEAT_MS = 30_000;

/** Source of an expression for {@link writerName}. */
export const WRITER_PATTERN = '[0-9a-f]{6}-\\d+';

/** This machine and process: `a1b2c3-4711`. */
export function writerName(): string {
  return `${machine()}-${process.pid}`;
}

/** Containers of one name are told apart by their own numbering of processes. */
function machine(): string {
  let numbering = '';
  try {
    numbering = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has it.
  }
  return createHash('sha256').update(`${hostname()} ${numbering}`).digest('hex').slice(0, 6);
}

/**
 * Whether nobody writes this any more. False where it is gone already.
 * @param writer as its name has it; undefined where the name says nothing of it
 * @param nowMs the file system's time as far as is known, which may be another machine's
 */
export async function isAbandoned(path: string, writer: string | undefined, nowMs = Date.now()): Promise<boolean> {
  let touchedMs: number;
  try {
    touchedMs = (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
  const [where, pid] = writer?.split('-') ?? [];
  if (where === machine()) {
    // Our own number on something older than this process was a former process's.
    if (Number(pid) === process.pid) return touchedMs < performance.timeOrigin - 1000;
    if (!isRunning(Number(pid))) return true;
  }
  // A time in the future says that a clock was set back since.
  return Math.abs(nowMs - touchedMs) > LEASE_MS;
}

/**
 * Whether a process of this machine runs no more; false of other machines' processes, of which nothing is known.
 * @param writer see {@link writerName}
 */
export function hasEnded(writer: string): boolean {
  const [where, pid] = writer.split('-');
  return where === machine() && !isRunning(Number(pid));
}

/** Whether a process of this number runs on this machine, whoever's it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

/** Whether it has ended, and only waits for its parent to ask how: in a container often for ever. Known on Linux alone. */
function isZombie(pid: number): boolean {
  try {
    // "pid (name) state …", and a name may hold anything.
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Touches a file or folder every `everyMs` until `stop` is called. */
export function keepAlive(path: string, everyMs = HEARTBEAT_MS): { stop(): void } {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // it is not there yet, or no more
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
