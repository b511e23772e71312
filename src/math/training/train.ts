/**
 * Gradient descent on the inference threads: a step is some runs of one graph, each on so many items as the graph is built
 * for, whose gradients are added in order; then the optimiser moves the parameters in place.
 *
 * A run has one thread and a fixed size, so the same data, options and start give the same parameters, byte for byte,
 * with any number of threads and wherever a training was interrupted: a checkpoint holds everything that the next step
 * depends on. A loss or gradient that is not a number ends the training with the parameters of the last checkpoint.
 *
 * Resident beside the parameters: their state (twice their size for AdamW), a copy of them at the last checkpoint, one gradient
 * a run in flight, and what the graph needs for its forward values in each thread.
 */
import type { InferencePool, PoolModel } from '../../onnx/pool.ts';
import type { Tensors } from '../../onnx/session.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import {
  newOptimiserState,
  type OptimiserOptions,
  type OptimiserState,
  optimiserStep,
  type Parameter,
} from './optimiser.ts';
import { rateAt, type Schedule } from './schedule.ts';

export interface TrainOptions {
  readonly optimiser: OptimiserOptions;
  readonly schedule: Schedule;
  /** The largest rate; too much and the loss rises, too little and nothing is learned. */
  readonly learningRate: number;
  readonly steps: number;
  /** Gradients longer than this are shortened to it (default: none are). */
  readonly clipNorm?: number;
  /**
   * What comes out is a running mean of the parameters with this memory, which grows from nothing as steps are done (Polyak and
   * Juditsky, 1992; as in "mean teachers", Tarvainen and Valpola, NIPS 2017). Default: the parameters of the last step.
   */
  readonly averageDecay?: number;
  /** Ends the training early where held-out items say so, and takes what did best on them (default: the last step counts). */
  readonly watch?: Watch;
  /** The training ends after so many of its steps, whose rates are those of the whole (default: after all). */
  readonly endAfter?: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** Told every so many steps; the state is good until the promise settles. */
  readonly checkpoint?: { readonly every: number; readonly save: (state: TrainingState) => Promise<void> };
}

/** Early stopping (Prechelt, "Early Stopping - But When?", 1998): a look at held-out items every so many steps. */
export interface Watch {
  readonly every: number;
  /** Looks in a row without a lower loss than before that end the training. Few end it by chance, many cost their steps. */
  readonly patience: number;
  /** Mean loss of the held-out items. @param parameters as those that are trained */
  lossOf(parameters: readonly Float32Array[]): Promise<number>;
}

/** What the looks of a {@link Watch} came to. */
export interface Watched {
  readonly losses: number[];
  /** Parameters at the lowest of them; empty before the first. */
  best: readonly Float32Array[];
}

export interface StepReport {
  /** Steps done. */
  readonly step: number;
  readonly steps: number;
  /** Mean loss of the step's items. */
  readonly loss: number;
  /** Share of the step's items that were taken for their likeliest class; NaN where the graph does not say. */
  readonly accuracy: number;
  readonly learningRate: number;
}

/** What a training is after some steps: enough to go on with. */
export interface TrainingState {
  /** As the parameters are given. */
  readonly parameters: readonly Float32Array[];
  readonly optimiser: OptimiserState;
  /** Their running mean; empty where none is kept. */
  readonly average: readonly Float32Array[];
  readonly watched: Watched;
  /** What each step so far came to. */
  readonly curve: TrainingCurve;
}

/** What each step came to, in their order. */
export interface TrainingCurve {
  readonly losses: number[];
  /** See {@link StepReport.accuracy}. */
  readonly accuracies: number[];
}

/**
 * The graph of a step: inputs of the parameters' names and others; `loss` and, where there is one, `correct`, which are sums
 * over its items, and `d:NAME` of each parameter.
 */
export interface StepGraph {
  readonly model: PoolModel;
  readonly gradientOf: (parameter: string) => string;
}

/** What one run of the graph is fed beside the parameters, and how much its items weigh together. */
export interface MicroBatch {
  readonly feeds: Tensors;
  readonly weight: number;
}

export interface TrainResult extends Readonly<TrainingCurve> {
  /** Why it ended early; null where it went all the way. */
  readonly stopped: 'loss not a number' | 'gradient not a number' | 'no longer falls' | null;
  /** Loss of the held-out items at each look. */
  readonly heldOutLosses: readonly number[];
}

/** Trains `parameters` in place. @param batchOf the runs of a step; depends on nothing but the step */
export async function train(
  pool: InferencePool,
  { model, gradientOf }: StepGraph,
  parameters: readonly Parameter[],
  batchOf: (step: number) => readonly MicroBatch[] | Promise<readonly MicroBatch[]>,
  options: TrainOptions,
  from?: TrainingState,
): Promise<TrainResult> {
  const { optimiser, schedule, learningRate, steps, clipNorm, averageDecay, signal, onStep, checkpoint } = options;
  const { watch, endAfter = steps } = options;
  const state = from ? resumed(parameters, from) : begun(options, parameters);
  const feeds = Object.fromEntries(parameters.map(({ name, data, dims }) => [name, float32(data, dims)]));
  const sums = model.outputs.includes(CORRECT) ? [LOSS, CORRECT] : [LOSS];
  const gradientNames = parameters.map(({ name }) => gradientOf(name));
  const outputs = [...sums, ...gradientNames];
  // What comes out if a later step spoils everything.
  const good = snapshot(parameters);
  const { losses, accuracies } = state.curve;
  const result = { losses, accuracies, heldOutLosses: state.watched.losses };
  for (let step = state.optimiser.steps; step < Math.min(steps, endAfter); step++) {
    if (watch && isOver(state.watched.losses, watch.patience)) break;
    signal?.throwIfAborted();
    const batch = await batchOf(step);
    const runs = batch.map((micro) => pool.run(model, { ...feeds, ...micro.feeds }, outputs));
    const weight = batch.reduce((sum, micro) => sum + micro.weight, 0);
    const { loss, accuracy, gradients } = summed(await Promise.all(runs), gradientNames, weight);
    const length = norm(gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(length)) {
      restore(parameters, numbersOf(state.watched.best.length > 0 ? state.watched.best : good.map(({ data }) => data)));
      return { ...result, stopped: Number.isFinite(loss) ? 'gradient not a number' : 'loss not a number' };
    }
    if (clipNorm !== undefined && length > clipNorm) scale(gradients, clipNorm / length);
    const rate = learningRate * rateAt(schedule, step, steps);
    optimiserStep(optimiser, state.optimiser, parameters, gradients, rate);
    if (averageDecay !== undefined) moveAverage(state.average, parameters, averageDecay, step + 1);
    losses.push(loss);
    accuracies.push(accuracy);
    onStep?.({ step: step + 1, steps, loss, accuracy, learningRate: rate });
    if (watch && (step + 1) % watch.every === 0) await look(watch, state);
    if (checkpoint && (step + 1) % checkpoint.every === 0) {
      restore(good, parameters);
      await checkpoint.save(state);
    }
  }
  restore(parameters, numbersOf(state.watched.best.length > 0 ? state.watched.best : state.average));
  return { ...result, stopped: watch && isOver(state.watched.losses, watch.patience) ? 'no longer falls' : null };
}

/** Of the looks so far, the first with the lowest loss. A loss that is no number is never that. */
export function bestLook(losses: readonly number[]): number {
  let best = -1;
  for (const [i, loss] of losses.entries()) if (loss < (losses[best] ?? Number.POSITIVE_INFINITY)) best = i;
  return best;
}

/** Whether so many looks in a row have brought no lower loss. */
export function isOver(losses: readonly number[], patience: number): boolean {
  return losses.length - 1 - bestLook(losses) >= patience;
}

async function look(watch: Watch, { parameters, average, watched }: TrainingState): Promise<void> {
  const now = average.length > 0 ? average : parameters;
  watched.losses.push(await watch.lossOf(now));
  if (bestLook(watched.losses) === watched.losses.length - 1) watched.best = now.map((data) => Float32Array.from(data));
}

/** In place. The memory is short at first, so that the start is soon forgotten. */
function moveAverage(
  average: readonly Float32Array[],
  parameters: readonly Numbers[],
  decay: number,
  steps: number,
): void {
  const memory = Math.min(decay, (1 + steps) / (10 + steps));
  for (const [i, mean] of average.entries()) {
    const data = parameters[i]?.data ?? mean;
    for (let j = 0; j < mean.length; j++) mean[j] = memory * mean[j] + (1 - memory) * data[j];
  }
}

const LOSS = 'loss';
const CORRECT = 'correct';

type Numbers = { readonly data: Float32Array };

function begun({ optimiser, averageDecay }: TrainOptions, parameters: readonly Parameter[]): TrainingState {
  return {
    parameters: parameters.map(({ data }) => data),
    optimiser: newOptimiserState(optimiser, parameters),
    average: averageDecay === undefined ? [] : parameters.map(({ data }) => Float32Array.from(data)),
    watched: { losses: [], best: [] },
    curve: { losses: [], accuracies: [] },
  };
}

function resumed(parameters: readonly Parameter[], from: TrainingState): TrainingState {
  restore(parameters, numbersOf(from.parameters));
  return {
    parameters: parameters.map(({ data }) => data),
    optimiser: {
      steps: from.optimiser.steps,
      first: from.optimiser.first.map((data) => data.slice()),
      second: from.optimiser.second.map((data) => data.slice()),
    },
    average: from.average.map((data) => data.slice()),
    watched: { losses: [...from.watched.losses], best: from.watched.best },
    curve: { losses: [...from.curve.losses], accuracies: [...from.curve.accuracies] },
  };
}

function numbersOf(arrays: readonly Float32Array[]): Numbers[] {
  return arrays.map((data) => ({ data }));
}

function snapshot(numbers: readonly Numbers[]): Numbers[] {
  return numbers.map(({ data }) => ({ data: Float32Array.from(data) }));
}

function restore(to: readonly Numbers[], from: readonly Numbers[]): void {
  for (const [i, { data }] of from.entries()) to[i]?.data.set(data);
}

/** The mean loss, accuracy and gradient; the first run's arrays are the sum's. */
function summed(
  results: readonly Tensors[],
  gradientNames: readonly string[],
  weight: number,
): { readonly loss: number; readonly accuracy: number; readonly gradients: Float32Array[] } {
  const mean = (name: string) => results.reduce((sum, result) => sum + Number(result[name]?.data[0]), 0) / weight;
  const gradients = gradientNames.map((name) => {
    const [first, ...others] = results.map((result) => float32Data(result[name], name));
    if (!first) throw new RangeError('a step has no runs');
    for (const other of others) for (let i = 0; i < first.length; i++) first[i] = first[i] + other[i];
    return first;
  });
  scale(gradients, 1 / weight);
  return { loss: mean(LOSS), accuracy: mean(CORRECT), gradients };
}

function scale(vectors: readonly Float32Array[], factor: number): void {
  for (const vector of vectors) for (let i = 0; i < vector.length; i++) vector[i] = vector[i] * factor;
}

function norm(vectors: readonly Float32Array[]): number {
  let square = 0;
  for (const vector of vectors) for (let i = 0; i < vector.length; i++) square += vector[i] * vector[i];
  return Math.sqrt(square);
}
