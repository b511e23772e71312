/**
 * Peak resident memory and time of training steps as in `training-step`, with what the forward pass made kept, and computed a
 * second time: each in a process of its own, beside what was resident there when its network had been read.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rounded } from './process.ts';
import { NETWORKS, type StepTime } from './training-step.ts';

const CHILD = fileURLToPath(new URL('./training-memory.child.ts', import.meta.url));

/** What the child prints. */
export interface StepMemory extends StepTime {
  /** Resident when the threads and the network were there, and no image yet. */
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

export async function run(): Promise<unknown> {
  const found: Record<string, unknown> = {};
  for (const network of NETWORKS) {
    const kept = await measured(network, 'kept');
    const again = await measured(network, 'again');
    found[network] = { kept, again };
    process.stderr.write(`  ${network}: ${JSON.stringify(found[network])}\n`);
  }
  return found;
}

async function measured(...args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, ...args]);
  const { beforeBytes, peakBytes, cpuMs } = JSON.parse(stdout) as StepMemory;
  const [before, peak] = [beforeBytes, peakBytes].map((bytes) => rounded(bytes / 1e6, 0));
  return { beforeMB: before, peakMB: peak, cpuMs: rounded(cpuMs, 0) };
}
