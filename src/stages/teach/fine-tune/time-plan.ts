/**
 * How much training fits into a time: what a step takes is measured on a few, and a training is made shorter, or not begun
 * where too little of it would be left.
 */
import { LabelsmithError } from '../../../errors.ts';
import { medianOf } from '../../../math/median.ts';
import { stepsOf } from '../../../models/tuning/tune.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { setOf, type TrainingRequest, trainOnce } from './one-training.ts';

/** The time ended; what was made before stays. */
export class OutOfTime extends LabelsmithError {
  constructor(message: string) {
    super('UNSUPPORTED', message, { hint: 'Give it more with --budget, or none.' });
  }
}

/** A signal that also ends the work at `endMs` of `performance.now()`, with {@link OutOfTime}. */
export function untilEnd(signal: AbortSignal | undefined, endMs: number | undefined): AbortSignal | undefined {
  if (endMs === undefined || !Number.isFinite(endMs)) return signal;
  const controller = new AbortController();
  const stop = () => controller.abort(new OutOfTime('the time budget ended'));
  const leftMs = endMs - performance.now();
  if (leftMs <= 0) stop();
  else setTimeout(stop, Math.min(leftMs, MAX_TIMER_MS)).unref();
  return signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
}

/** What a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Steps that are timed, after one that is not; the median counts, since on a busy machine one of them may wait for long. */
const TIMED_STEPS = 5;
/** Less of a training than this is not worth its time. */
const MIN_PART = 0.3;
/** What is left for what nobody measured: the other threads, the machine's other users. */
const RESERVE = 0.85;

export interface TimePlan {
  /** Trainings of about this length. */
  readonly trainings: number;
  /** What else has to be done by then. */
  readonly otherMs: number;
  readonly endMs: number;
}

/** The samples a training may see; never more than its step wants. */
export async function samplesWithin(
  pool: InferencePool,
  request: TrainingRequest,
  { trainings, otherMs, endMs }: TimePlan,
): Promise<number> {
  const { samples } = request.step;
  const images = setOf(request).members?.length ?? 0;
  const stepMs = await timedStep(pool, request);
  const leftMs = endMs - performance.now();
  if (leftMs <= 0) throw new OutOfTime('the time budget ended');
  const forTrainingMs = RESERVE * leftMs - otherMs;
  const takenBy = (some: number) => trainings * stepsOf(images, { samples: some }).steps * stepMs;
  if (takenBy(samples) <= forTrainingMs) return samples;
  // Whole epochs, so that what is rounded does not take more time than there is.
  const { steps, stepsAnEpoch } = stepsOf(images, { samples });
  const epochs = Math.floor(forTrainingMs / (trainings * stepsAnEpoch * stepMs));
  const fewer = epochs * images;
  if (epochs * stepsAnEpoch >= MIN_PART * steps && takenBy(fewer) <= forTrainingMs) return fewer;
  throw new OutOfTime(
    `it would take about ${seconds(takenBy(samples) + otherMs)} s, and of the ${seconds(leftMs)} s that are left ` +
      `${seconds(RESERVE * leftMs)} are counted on`,
  );
}

function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / 1000));
}

/** Ends a training that was only to be timed. */
class Timed extends Error {}

async function timedStep(pool: InferencePool, request: TrainingRequest): Promise<number> {
  const ends: number[] = [];
  try {
    await trainOnce(pool, {
      ...request,
      record: undefined,
      onStep({ step, steps }) {
        ends.push(performance.now());
        if (step === Math.min(steps, 1 + TIMED_STEPS)) throw new Timed();
      },
    });
  } catch (error) {
    if (!(error instanceof Timed)) throw error;
  }
  const times = ends.slice(1).map((end, i) => end - ends[i]);
  // Of a training with one step alone nothing is known, and it is begun.
  return times.length === 0 ? 1 : Math.max(1, medianOf(times));
}
