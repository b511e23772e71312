/**
 * What a step costs: time on the clock, and of the processor, which other work on the machine changes less. For benches of
 * PostgreSQL, whose processes are others than ours.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { rounded } from '../process.ts';

export interface Spent {
  readonly seconds: number;
  /** Of the processor, by this process with all its threads. */
  readonly own: number;
  /** Of the processor, by the server and all processes it has or had; 0 where this is not Linux. */
  readonly postgres: number;
}

/** @returns what was spent since it was last asked */
export function stopwatch(serverPid: number): () => Spent {
  let before = spentSoFar(serverPid);
  return () => {
    const now = spentSoFar(serverPid);
    const since = (part: keyof Spent) => rounded(now[part] - before[part], 1);
    const spent = { seconds: since('seconds'), own: since('own'), postgres: since('postgres') };
    before = now;
    return spent;
  };
}

function spentSoFar(serverPid: number): Spent {
  const { user, system } = process.cpuUsage();
  return {
    seconds: performance.now() / 1000,
    own: (user + system) / 1e6,
    postgres: ofFamily(serverPid),
  };
}

/** Fields of proc_pid_stat(5) from the state on, which is the third; times are in the 100 ticks a second that Linux tells. */
const PARENT = 1;
const OWN_TIMES = [11, 12];
const TIMES_WITH_ENDED_CHILDREN = [...OWN_TIMES, 13, 14];

function ofFamily(pid: number): number {
  let ticks = 0;
  for (const name of processes()) {
    const fields = statOf(name);
    const isParent = Number(name) === pid;
    if (!isParent && Number(fields[PARENT]) !== pid) continue;
    for (const at of isParent ? TIMES_WITH_ENDED_CHILDREN : OWN_TIMES) ticks += Number(fields[at]);
  }
  return ticks / 100;
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  } catch {
    return []; // it ended meanwhile
  }
}
