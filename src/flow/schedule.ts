/** One schedule of a flow: its stages in their order, at its times, one time after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countedName } from '../core/count-text.ts';
import { isInterruption, LabelsmithError, messageOf } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import type { FlowSchedule, FlowStage } from './flow.ts';
import type { ScheduleState } from './flow-state.ts';
import type { StageCounts } from './run-stage.ts';
import { timesText, untilNext } from './times.ts';

export interface ScheduleEffects {
  readonly now: () => number;
  readonly openWorkspace: () => Promise<Workspace>;
  readonly runStage: (
    stage: FlowStage,
    workspace: () => Promise<Workspace>,
    signal: AbortSignal,
  ) => Promise<StageCounts>;
  /** Stages that work on the workspace are done by one schedule at a time. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
  readonly onLine: (text: string) => void;
  readonly onWarn: (text: string) => void;
}

/** The clock is looked at so often, since it may be set. */
const LOOK_EVERY_MS = 10_000;

export function newScheduleState(schedule: FlowSchedule, before: ScheduleState | undefined): ScheduleState {
  return {
    name: schedule.name,
    times: timesText(schedule),
    state: 'waiting',
    stage: null,
    nextAtMs: null,
    runs: before?.runs ?? 0,
    failures: before?.failures ?? 0,
    lastBeganAtMs: before?.lastBeganAtMs ?? null,
    lastEndedAtMs: before?.lastEndedAtMs ?? null,
    lastError: before?.lastError ?? null,
    counts: before?.counts ?? [],
  };
}

/** Runs it again and again until the signal is aborted; what fails is told and tried at the next time. */
export async function keepSchedule(
  schedule: FlowSchedule,
  state: ScheduleState,
  effects: ScheduleEffects,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await untilDue(schedule, state, effects.now, signal);
    if (signal.aborted) return;
    await runScheduleOnce(schedule, state, effects, signal).catch((error: unknown) => {
      if (isInterruption(error) && signal.aborted) return;
      effects.onWarn(
        `${schedule.name}: ${state.stage ?? 'it'} failed, and is tried again at the next time: ${messageOf(error)}`,
      );
      if (error instanceof LabelsmithError && error.hint !== undefined) effects.onWarn(`  ${error.hint}`);
    });
  }
}

async function untilDue(
  schedule: FlowSchedule,
  state: ScheduleState,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const dueAt = () => now() + untilNext(schedule, state.lastBeganAtMs ?? undefined, now());
  let nextAtMs = dueAt();
  let lookedAtMs = now();
  for (;;) {
    state.nextAtMs = nextAtMs;
    const leftMs = nextAtMs - now();
    if (leftMs <= 0 || signal.aborted) break;
    await sleep(Math.min(leftMs, LOOK_EVERY_MS), undefined, { signal }).catch(() => {});
    // A clock that went back would make it wait for as long as it went.
    if (now() < lookedAtMs) nextAtMs = dueAt();
    lookedAtMs = now();
  }
  state.nextAtMs = null;
}

/** Fails with what the stage that failed said; the stages after it are left out. */
export async function runScheduleOnce(
  schedule: FlowSchedule,
  state: ScheduleState,
  effects: ScheduleEffects,
  signal: AbortSignal,
): Promise<void> {
  const needsWorkspace = schedule.run.some(({ stage }) => stage !== 'push');
  [state.state, state.lastBeganAtMs] = [needsWorkspace ? 'queued' : 'running', effects.now()];
  try {
    if (needsWorkspace) await effects.inTurn(() => runStages(schedule, state, effects, signal));
    else await runStages(schedule, state, effects, signal);
    state.lastError = null;
  } catch (error) {
    if (!(isInterruption(error) && signal.aborted)) {
      state.failures++;
      state.lastError = `${state.stage ?? 'it'}: ${messageOf(error)}`;
    }
    throw error;
  } finally {
    state.runs++;
    [state.state, state.lastEndedAtMs] = ['waiting', effects.now()];
  }
}

async function runStages(
  { name, run }: FlowSchedule,
  state: ScheduleState,
  effects: ScheduleEffects,
  signal: AbortSignal,
): Promise<void> {
  [state.state, state.counts] = ['running', []];
  let opened: Promise<Workspace> | undefined;
  const workspace = () => {
    opened ??= effects.openWorkspace();
    return opened;
  };
  try {
    for (const stage of run) {
      signal.throwIfAborted();
      state.stage = stage.stage;
      const startedAtMs = performance.now();
      const counts = await effects.runStage(stage, workspace, signal);
      state.counts.push({ stage: stage.stage, counts: { ...counts } });
      effects.onLine(`${name}: ${stage.stage}: ${countsText(counts)} (${seconds(performance.now() - startedAtMs)})`);
    }
  } finally {
    await (await opened?.catch(() => undefined))?.close();
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `12 images, 3 regions`. */
export function countsText(counts: StageCounts): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.map(([name, count]) => countedName(name, count)).join(', ') || 'nothing to do';
}
