/** Runs: one execution of a stage each. A part of the store's contract (`store.ts`). */

import type { RunId } from '../core/ids.ts';

export interface RunStore {
  /** Records the start of a stage's execution and gives its id (a time-ordered string). */
  startRun(run: NewRun): Promise<RunId>;
  /** Keeps how a run is that is under way, in place of what was noted before; metrics of its end come beside it. */
  noteRun(runId: RunId, metrics: Readonly<Record<string, unknown>>): Promise<void>;
  /** Ends a run. A run that was killed is shown as interrupted: at once on the machine it ran on, elsewhere once its lease has ended. */
  finishRun(runId: RunId, outcome: RunOutcome): Promise<void>;
  /** Newest first. */
  runs(filter?: { stage?: string; limit?: number }): Promise<RunRecord[]>;
}

export interface NewRun {
  readonly stage: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly modelKey: string | null;
  readonly seed: number;
  readonly threads: number;
  /** labelsmith, node, onnxruntime, sharp. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface RunOutcome {
  readonly status: 'done' | 'failed' | 'interrupted';
  /** Whole numbers: images, regions, quarantined, shards, skipped … */
  readonly counts: Readonly<Record<string, number>>;
  readonly metrics?: Readonly<Record<string, unknown>>;
}

export interface RunRecord extends NewRun {
  readonly id: RunId;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly status: 'running' | RunOutcome['status'];
  readonly counts: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, unknown>>;
}
