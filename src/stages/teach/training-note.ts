/**
 * Which training is under way, kept in the record of its run while it goes: what `status` says in another terminal, and
 * after the training's process was killed.
 */
import { z } from 'zod';
import type { RunId } from '../../core/ids.ts';
import { progressMeter } from '../../jobs/progress.ts';
import type { RunRecord, RunStore } from '../../store/store.ts';
import { type DepthRound, roundText, STEP_NAMES } from './fine-tune/steps.ts';
import type { Step } from './learn-rounds.ts';

/** Each figure is of `atMs`, the time of day when it was noted; `remainingMs` is null where the speed is not known yet. */
const NOTE = z.discriminatedUnion('what', [
  z.object({
    what: z.literal('methods of a classifier'),
    /** Whose cross-validation is through. */
    compared: z.number(),
    remainingMs: z.null(),
    atMs: z.number(),
  }),
  z.object({
    what: z.literal('embedder'),
    depth: z.enum(STEP_NAMES),
    /** Of that depth, from 1. */
    round: z.number().default(1),
    /** From 1: one without each fold, and the last, where the folds are passed, on all labels. */
    training: z.number(),
    of: z.number(),
    step: z.number(),
    /** 0 while the images are prepared. */
    ofSteps: z.number(),
    /** Then, whether this run has trained nothing yet. */
    isFirst: z.boolean().optional(),
    /** Of the step, mean over its items in nats; null where it is no number. */
    loss: z.number().nullable(),
    /** Of this depth with all its trainings; what is judged between them comes on top. */
    remainingMs: z.number().nullable(),
    atMs: z.number(),
  }),
  z.object({
    what: z.literal('images of a detector'),
    done: z.number(),
    of: z.number(),
    remainingMs: z.number().nullable(),
    atMs: z.number(),
  }),
  z.object({
    what: z.literal('head of a detector'),
    /** Once it has passed on the images that were held out, it learns from them too. */
    onAll: z.boolean(),
    step: z.number(),
    ofSteps: z.number(),
    /** Of all points together. */
    loss: z.number().nullable(),
    /** Of these steps. */
    remainingMs: z.number().nullable(),
    atMs: z.number(),
  }),
]);
export type TrainingNote = z.infer<typeof NOTE>;
/** What is to be noted; the time is added. */
export type NewTrainingNote = TrainingNote extends infer One
  ? One extends TrainingNote
    ? Omit<One, 'atMs'>
    : never
  : never;

/** Not more often: each note is a transaction. */
const EVERY_MS = 2000;

export interface TrainingNotes {
  /** @param isLast of something that takes a while to be judged: it is noted whenever it comes */
  note(note: NewTrainingNote, isLast?: boolean): void;
  /** Nothing is trained any more. */
  end(): Promise<void>;
}

/** @param now the time of day, ms */
export function trainingNotes(store: Pick<RunStore, 'noteRun'>, runId: RunId, now = Date.now): TrainingNotes {
  let notedAtMs = Number.NEGATIVE_INFINITY;
  let last: Promise<void> = Promise.resolve();
  // What cannot be noted now is noted with the next.
  const write = (metrics: Readonly<Record<string, unknown>>) => {
    last = last.then(() => store.noteRun(runId, metrics)).catch(() => {});
    return last;
  };
  return {
    note(note, isLast = false) {
      const atMs = now();
      if (atMs - notedAtMs < EVERY_MS && !isLast) return;
      notedAtMs = atMs;
      const training = { ...note, atMs };
      void write({ training });
    },
    end: () => (Number.isFinite(notedAtMs) ? write({}) : last),
  };
}

/** Where a training of an embedder is. */
export interface EmbedderProgress {
  /** Trainings that are done, of how many. */
  readonly trained: number;
  readonly of: number;
  /** Of the training under way, or of the last one where that is through. */
  readonly steps: number;
  readonly ofSteps: number;
  readonly loss: number;
}

/** What an earlier run left of one of them. */
export interface TakenOverTraining {
  /** From 1. */
  readonly training: number;
  readonly of: number;
  readonly steps: number;
  readonly ofSteps: number;
  readonly isDone: boolean;
}

interface ToldOfTraining<Progress, Taken> {
  readonly onTraining?: (tried: DepthRound, at: Progress) => void;
  readonly onTakenOver?: (tried: DepthRound, taken: Taken) => void;
  readonly onStep?: (step: Step) => void;
  readonly onAttempt?: (tried: DepthRound) => void;
}

/**
 * Notes of a classifier's learning before anything of its embedder is trained, and of the embedder's trainings, with the time left by
 * the speed of the last steps.
 * @param also told of each step, and of what is taken over, as well
 */
export function notedTraining<Progress extends EmbedderProgress, Taken extends TakenOverTraining>(
  store: Pick<RunStore, 'noteRun'>,
  runId: RunId,
  also: ToldOfTraining<Progress, Taken>,
  now = Date.now,
): Pick<TrainingNotes, 'end'> & Required<ToldOfTraining<Progress, Taken>> {
  const notes = trainingNotes(store, runId, now);
  let compared = 0;
  const noteMethods = () =>
    notes.note({ what: 'methods of a classifier', compared, remainingMs: null }, compared === 0);
  noteMethods();
  let of: { readonly tried: string; readonly remainingAfter: (done: number) => number | null } | undefined;
  // What is judged between two trainings says nothing of the speed of their steps: the first step of one counts like the last of the other.
  let last: { readonly training: number; readonly atMs: number; readonly tookMs: number } | undefined;
  let betweenMs = 0;
  let isFirst = true;
  const clock = () => now() - betweenMs;
  const note = (tried: DepthRound, at: EmbedderProgress, isTaken = false) => {
    const { trained, steps, ofSteps, loss } = at;
    const { step: depth, round } = tried;
    isFirst = false;
    // A training whose last step is done counts among those that are.
    const before = steps === ofSteps ? trained - 1 : trained;
    const atMs = now();
    let tookMs = last ? atMs - last.atMs : 0;
    if (last && last.training !== before) {
      betweenMs += Math.max(0, tookMs - last.tookMs);
      tookMs = Math.min(tookMs, last.tookMs);
    }
    last = { training: before, atMs, tookMs };
    if (of?.tried !== roundText(tried)) of = { tried: roundText(tried), remainingAfter: remaining(at.of, clock) };
    // By trainings, since folds of unequal size have unequal numbers of steps.
    const remainingMs = of.remainingAfter(before + steps / ofSteps);
    const where = { training: before + 1, of: at.of, step: steps, ofSteps, loss: finite(loss), remainingMs };
    notes.note({ what: 'embedder', depth, round, ...where }, isTaken || steps === ofSteps);
  };
  return {
    onAttempt(tried) {
      const { step: depth, round } = tried;
      of = undefined;
      last = undefined;
      const where = { training: 1, of: 0, step: 0, ofSteps: 0, isFirst, loss: null, remainingMs: null };
      notes.note({ what: 'embedder', depth, round, ...where }, true);
      also.onAttempt?.(tried);
    },
    onStep(step) {
      // What is measured between trainings says where it is by the last of them.
      compared++;
      if (!of) noteMethods();
      also.onStep?.(step);
    },
    onTraining(tried, at) {
      note(tried, at);
      also.onTraining?.(tried, at);
    },
    onTakenOver(tried, taken) {
      const trained = taken.training - (taken.isDone ? 0 : 1);
      note(tried, { ...taken, trained, loss: Number.NaN }, true);
      also.onTakenOver?.(tried, taken);
    },
    end: notes.end,
  };
}

/** A function that is told how much is done and says how long the rest takes. What was done when it was first told says nothing of the speed. */
export function remaining(total: number, clock: () => number): (done: number) => number | null {
  let before: number | undefined;
  const meter = progressMeter('training', total, clock);
  return (done) => {
    if (before === undefined) meter.add(done, 0);
    else if (done > before) meter.add(done - before);
    before = done;
    const { remainingMs } = meter.snapshot(0);
    return remainingMs === undefined ? null : Math.round(remainingMs);
  };
}

export function finite(loss: number): number | null {
  return Number.isFinite(loss) ? loss : null;
}

/** A training that goes on, or that was stopped and that no later run of the same stage and task took up. */
export interface TrainingUnderWay {
  readonly run: RunId;
  readonly stage: string;
  readonly task: string;
  readonly status: 'running' | 'interrupted';
  readonly training: TrainingNote;
}

/** Whether something of it is there to be gone on with. */
function hasTrained(note: TrainingNote): boolean {
  return note.what !== 'methods of a classifier' && !(note.what === 'embedder' && note.isFirst);
}

/** @param runs newest first */
export function trainingsUnderWay(runs: readonly RunRecord[]): TrainingUnderWay[] {
  const seen = new Set<string>();
  const found: TrainingUnderWay[] = [];
  for (const { id: run, stage, settings, status, metrics } of runs) {
    const { task } = settings;
    if (typeof task !== 'string') continue;
    const key = `${stage}\n${task}`;
    if (seen.has(key)) continue;
    const note = NOTE.safeParse(metrics.training);
    // One that was stopped before its first training left that of the run before to be gone on with.
    if (status === 'interrupted' && !(note.success && hasTrained(note.data))) continue;
    seen.add(key);
    if (note.success && (status === 'running' || status === 'interrupted'))
      found.push({ run, stage, task, status, training: note.data });
  }
  return found;
}
