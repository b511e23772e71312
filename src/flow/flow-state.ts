/**
 * How a flow is, in a file of its workspace that is written each second while it runs: what `status --flow` shows. It may be
 * deleted at any time; schedules then begin as at the first start. No credential is in it.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../files/atomic.ts';

const CAMERA = z.looseObject({
  name: z.string(),
  source: z.string(),
  state: z.enum(['connecting', 'live', 'waiting', 'ended']),
  frames: z.number(),
  written: z.number(),
  dropped: z.number(),
  broken: z.number(),
  reconnects: z.number(),
  lastFrameAtMs: z.number().nullable(),
  lastError: z.string().nullable(),
});

const SCHEDULE = z.object({
  name: z.string(),
  times: z.string(),
  state: z.enum(['waiting', 'running', 'queued']),
  /** The stage that runs, or ran last. */
  stage: z.string().nullable(),
  runs: z.number(),
  failures: z.number(),
  lastBeganAtMs: z.number().nullable(),
  lastEndedAtMs: z.number().nullable(),
  nextAtMs: z.number().nullable(),
  lastError: z.string().nullable(),
  /** Of the last time, stage by stage. */
  counts: z.array(z.object({ stage: z.string(), counts: z.record(z.string(), z.number()) })),
});

const STATE = z.object({
  version: z.literal(1),
  file: z.string(),
  pid: z.number(),
  host: z.string(),
  startedAtMs: z.number(),
  atMs: z.number(),
  reloadedAtMs: z.number().nullable(),
  /** Why the file as it is now is not what runs. */
  reloadError: z.string().nullable(),
  stoppedAtMs: z.number().nullable(),
  captureError: z.string().nullable(),
  cameras: z.array(CAMERA),
  watch: z
    .object({
      folder: z.string(),
      images: z.number(),
      unfit: z.number(),
      latencyMs: z.number(),
      lastBatchAtMs: z.number().nullable(),
      lastError: z.string().nullable(),
    })
    .nullable(),
  schedules: z.array(SCHEDULE),
  targets: z.array(z.object({ name: z.string(), address: z.string() })),
  /** What is pushed. */
  folders: z.array(z.string()),
});

export type FlowState = z.output<typeof STATE>;
export type ScheduleState = z.output<typeof SCHEDULE>;

function statePath(workspaceDir: string): string {
  return join(workspaceDir, 'flow.json');
}

export function writeFlowState(workspaceDir: string, state: FlowState): Promise<void> {
  return writeFileAtomically(statePath(workspaceDir), `${JSON.stringify(state, null, 2)}\n`);
}

/** Undefined where no flow ran here yet, or another version of this program wrote it. */
export async function readFlowState(workspaceDir: string): Promise<FlowState | undefined> {
  const text = await readFile(statePath(workspaceDir), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return STATE.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A running flow writes each second. */
const SILENT_MS = 15_000;

export type FlowLife = 'running' | 'stopped' | 'killed' | 'silent';

/** `killed`: it neither stopped nor is there; `silent`: its process may be there, and says nothing. */
export function lifeOf(state: FlowState, nowMs: number, isProcess = isRunning): FlowLife {
  if (state.stoppedAtMs !== null) return 'stopped';
  if (state.host === hostname() && !isProcess(state.pid)) return 'killed';
  // A clock that was set back makes states of the future, which are of now.
  return nowMs - state.atMs > SILENT_MS ? 'silent' : 'running';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
