/**
 * The exit gate of fine-tuning: whether a depth serves a task better than what was best before it, by cross-validation with
 * networks that never saw the labels they are judged on, both on the same folds. The frozen embedder is the first that is
 * best, so what is kept is never below it on those labels.
 */
import { correctRows, meanCrossEntropy } from '../../../math/calibration.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { isAsGood } from '../backbones.ts';
import { type ComparedMethods, learnRounds, type RoundsOptions, type RoundsResult } from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import type { EndedTraining, FineTuned } from './fine-tune.ts';
import type { StepName } from './steps.ts';

/** More folds cost a training each; the network is the slow part. */
export const FOLDS = 3;

/** What the exit gate goes by. */
export interface GateFigures {
  /** 1 for each label that was right while it was held out, shape [labelled]. */
  readonly correct: Uint8Array;
  /** Cross-entropy of the held-out labels at the temperature that fits them best, nats. */
  readonly loss: number;
}

/** The same, as it is told. */
export interface GateSums {
  /** Labels that were right while they were held out. */
  readonly right: number;
  readonly loss: number;
}

/** What decided over each depth: figures on the same folds of the same labels, and on no others. */
export interface GateReport {
  readonly folds: number;
  readonly labels: number;
  readonly frozen: GateSums;
  /** In the order in which they were tried. */
  readonly depths: readonly DepthOutcome[];
}

export interface DepthOutcome {
  readonly depth: StepName;
  /** From 1: how often this depth was trained, each time by what was believed with the vectors of the round before. */
  readonly round: number;
  readonly kept: boolean;
  /** Null where the trainings of the folds did not come to their end. */
  readonly figures: GateSums | null;
  /** A clause that ends the sentence "it is kept: …" or "it is not kept: …". */
  readonly why: string;
}

export function sumsOf(figures: GateFigures): GateSums {
  return { right: rightOf(figures), loss: figures.loss };
}

export function gateFigures(
  { heldOut: { logits }, restTemperature }: Pick<RoundsResult, 'heldOut' | 'restTemperature'>,
  labels: Int32Array,
): GateFigures {
  return { correct: correctRows(logits, labels), loss: meanCrossEntropy(logits, labels, restTemperature) };
}

export function comparedFigures(
  { chosen: { heldOut, temperature } }: ComparedMethods,
  labels: Int32Array,
): GateFigures {
  return gateFigures({ heldOut, restTemperature: temperature }, labels);
}

/**
 * Fewer held-out labels right is never better, however little that may mean; more of them by more than one standard error over
 * the same labels is. Between these, where a hundred labels say nothing, the loss decides, which tells apart how sure of each
 * label it was.
 */
export function verdictOf(
  one: GateFigures,
  best: GateFigures,
): 'fewer right' | 'more right' | 'less loss' | 'no less loss' {
  if (rightOf(one) < rightOf(best)) return 'fewer right';
  if (!isAsGood(best.correct, one.correct)) return 'more right';
  return one.loss < best.loss ? 'less loss' : 'no less loss';
}

export function isBetter(one: GateFigures, best: GateFigures): boolean {
  const verdict = verdictOf(one, best);
  return verdict === 'more right' || verdict === 'less loss';
}

/** As the end of a sentence. @param than what it was compared with */
export function verdictText(one: GateFigures, best: GateFigures, than: string): string {
  const verdict = verdictOf(one, best);
  const [right, before] = [rightOf(one), rightOf(best)];
  const losses = `${one.loss.toFixed(3)} against ${best.loss.toFixed(3)}`;
  switch (verdict) {
    case 'fewer right':
      return `${right} held-out labels right, ${before} with ${than}`;
    case 'more right':
      return `${right} held-out labels right, ${before} with ${than}, more than one standard error apart`;
    case 'less loss':
      return `${right} held-out labels right, ${before} with ${than}, and less loss (${losses})`;
    case 'no less loss':
      return `${right} held-out labels right, ${before} with ${than}, which says nothing, and no less loss (${losses})`;
    default:
      return verdict satisfies never;
  }
}

export function rightOf({ correct }: GateFigures): number {
  return correct.reduce((sum, one) => sum + one, 0);
}

/** A base model on some vectors, cross-validated on the gate's folds. */
export async function baseFigures(
  pool: InferencePool,
  problem: Problem,
  { seed, signal }: Pick<RoundsOptions, 'seed' | 'signal'>,
): Promise<GateFigures> {
  const base = await learnRounds(pool, problem, { seed, signal, methods: [], folds: FOLDS });
  return gateFigures(base, problem.labels);
}

/**
 * Whether the network that was trained on all labels came out well too: of it the folds' networks tell nothing. It has seen
 * the labels, so a base model on its vectors has to be about as good as one on the frozen embedder's at least. That it is
 * says nothing in its favour.
 * @param frozen {@link baseFigures} of the frozen embedder's vectors
 */
export async function isSound(
  pool: InferencePool,
  { sample }: Pick<FineTuned, 'sample'>,
  frozen: GateFigures,
  options: Pick<RoundsOptions, 'seed' | 'signal'>,
): Promise<boolean> {
  const { correct } = await baseFigures(pool, { ...sample, foldFeatures: undefined }, options);
  return isAsGood(correct, frozen.correct);
}

/** The first training that made no step, since something was no number: then nothing was tried. */
export function withoutAStep(spoiled: readonly EndedTraining[]): EndedTraining | undefined {
  return spoiled.find(({ losses }) => losses.length === 0);
}

export function spoiledText({ training, of, losses, stopped }: EndedTraining): string {
  const what = stopped === 'gradient not a number' ? 'its gradient' : 'its loss';
  const after = losses.length === 0 ? 'made no step' : `ended early, after ${losses.length} steps`;
  return `training ${training} of ${of} ${after}, since ${what} was no number`;
}
