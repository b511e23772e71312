/**
 * How far the work of a fleet is, as anybody sees it who can read the record: the command that was given to the workers, the
 * run under way, what each worker does, and what it costs.
 */
import type { CommandState, GivenCommand } from '../../jobs/fleet/commands.ts';
import { type FleetProgress, progressIn } from '../../jobs/fleet/fleet-progress.ts';
import type { FleetOrders } from '../../jobs/fleet/orders.ts';
import type { RunRecord } from '../../store/store.ts';

export interface FleetView {
  /** Undefined where none was ever given. */
  readonly command?: { readonly words: readonly string[]; readonly state: CommandState };
  /** The run under way, the newest of several. */
  readonly run?: {
    readonly id: string;
    readonly stage: string;
    readonly elapsedMs: number;
    readonly progress?: FleetProgress;
  };
  readonly paused: boolean;
  /** Time of machines so far, milliseconds: of each run, as many as brought something, for as long as it took. */
  readonly machineMs: number;
  /** What is left of the run under way. */
  readonly remainingMachineMs?: number;
  readonly isOver: boolean;
}

export interface FollowedState {
  readonly given?: GivenCommand;
  readonly state?: CommandState;
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  readonly orders: FleetOrders;
  /** Runs that were there before, and are no part of it. Not told by time: clocks of machines differ. */
  readonly before: ReadonlySet<string>;
  readonly nowMs: number;
}

export function viewOf({ given, state, runs, orders, before, nowMs }: FollowedState): FleetView {
  const own = runs.filter(({ id, status }) => status === 'running' || !before.has(id));
  const current = own.find(({ status }) => status === 'running');
  let machineMs = 0;
  for (const { startedAtMs, endedAtMs, metrics } of own) {
    machineMs += Math.max(0, (endedAtMs ?? nowMs) - startedAtMs) * machinesOf(progressIn(metrics));
  }
  const progress = current && progressIn(current.metrics);
  const remainingMs = progress?.remainingMs ?? undefined;
  const isCommandOver = state === undefined || (state.kind !== 'waiting' && state.kind !== 'running');
  return {
    ...(given && state && { command: { words: given.words, state } }),
    ...(current && {
      run: { id: current.id, stage: current.stage, elapsedMs: Math.max(0, nowMs - current.startedAtMs), progress },
    }),
    paused: orders.paused,
    machineMs,
    ...(remainingMs !== undefined && { remainingMachineMs: remainingMs * machinesOf(progress) }),
    isOver: isCommandOver && current === undefined,
  };
}

/** A run that is not spread is done by one. */
function machinesOf(progress: FleetProgress | undefined): number {
  return Math.max(1, progress?.workers.length ?? 1);
}

/** @param price of a worker's hour */
export function costOf({ machineMs, remainingMachineMs }: FleetView, price: number) {
  const HOUR_MS = 3_600_000;
  return {
    soFar: (machineMs / HOUR_MS) * price,
    ...(remainingMachineMs !== undefined && { left: (remainingMachineMs / HOUR_MS) * price }),
  };
}
