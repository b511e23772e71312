/** Which process a run belongs to, and whether that process is gone. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCodeOf } from '../errors.ts';

export interface ProcessMark {
  readonly host: string;
  readonly pid: number;
  /** Boot and start time, which tell a process from a later one of the same number; empty where unknown. */
  readonly process_mark: string;
}

export function thisProcess(): ProcessMark {
  return { host: hostname(), pid: process.pid, process_mark: startOf(process.pid) ?? '' };
}

/** False when it cannot be told: a process on another host, or one of another user. */
export function isGone(mark: ProcessMark): boolean {
  if (mark.host !== hostname()) return false;
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'ESRCH';
  }
  return mark.process_mark !== '' && mark.process_mark !== startOf(mark.pid);
}

/** Linux: the boot's id and the start in clock ticks since then (field 22 of `/proc/PID/stat`; the name may hold spaces). */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended, though its parent has not asked for it yet.
    return afterName[0] === 'Z' ? 'ended' : `${boot} ${afterName[19]}`;
  } catch {
    return undefined;
  }
}
