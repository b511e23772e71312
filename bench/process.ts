/** Whole processes, timed from outside, with their peak memory. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

const CLI = resolve(import.meta.dirname, '../dist/cli/main.js');

export interface ProcessRun {
  readonly seconds: number;
  /** Of the processor, in and for it, polled; needs Linux, else 0. Others on the machine change it less than `seconds`. */
  readonly processorSeconds: number;
  /** Highest resident set, in bytes, polled from the kernel's own high-water mark. */
  readonly peakBytes: number;
  readonly stdout: string;
}

/** Runs Node on a script and measures it. `peakBytes` needs Linux; elsewhere it is 0. */
export async function timed(script: string, args: readonly string[], cwd: string): Promise<ProcessRun> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [script, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let [peakBytes, processorSeconds] = [0, 0];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    said = `${said}${text}`.slice(-500);
  });
  const poll = setInterval(() => {
    peakBytes = Math.max(peakBytes, highWaterMark(child.pid as number));
    processorSeconds = Math.max(processorSeconds, processorTime(child.pid as number));
  }, 50);
  const code = await new Promise<number | null>((done, fail) => child.on('close', done).on('error', fail));
  clearInterval(poll);
  if (code !== 0) {
    const command = [basename(script), ...args].join(' ');
    throw new Error(`${command.slice(0, 100)} ended with ${code}: ${said.trim().replaceAll(/\s+/g, ' ')}`);
  }
  return { seconds: (performance.now() - startedAt) / 1000, processorSeconds, peakBytes, stdout };
}

export function labelsmith(args: readonly string[], cwd: string): Promise<ProcessRun> {
  return timed(CLI, [...args, '--json', '--quiet'], cwd);
}

function highWaterMark(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0; // the process is gone, or this is not Linux
  }
}

/** Of all its threads, in seconds: fields 14 and 15 of proc_pid_stat(5), in the 100 ticks a second that Linux tells. */
function processorTime(pid: number): number {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
    const [user, system] = afterName.split(' ').slice(11, 13);
    return (Number(user) + Number(system)) / 100;
  } catch {
    return 0;
  }
}

/** Runs `work` in a folder that is gone afterwards. */
export async function inScratch<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-bench-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** To `digits` decimals, so that the JSON shows what was measured and not the float. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
