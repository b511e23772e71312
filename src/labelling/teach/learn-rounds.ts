/**
 * From a few labels to the final head: search, baseline, then one technique after the other, each cross-validated as a
 * whole, until none helps. Pure: numbers in, numbers out; everything it measured is in `steps`.
 */
import { fitTemperature, softmaxRows } from '../../math/calibration.ts';
import { type LinearHead, logitsOf } from '../../math/heads/linear-head.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../math/pool.ts';
import { crossValidate, type Folds, foldsOf, type HeldOut } from './cross-validation.ts';
import { joinGraph, principalFeatures } from './graph-features.ts';
import type { Problem } from './problem.ts';
import { type BaseSettings, searchBase, type Trial } from './search.ts';
import { type LearnContext, learn, logitsOfRows, needsGraph, type TechniqueName } from './techniques.ts';

export interface RoundsOptions {
  readonly seed: number;
  /** Tried in this order after `base`. Default {@link DEFAULT_TECHNIQUES}. */
  readonly techniques?: readonly TechniqueName[];
  /**
   * Folds of the cross-validation. Default 10 up to 300 labels, else 5: with few labels, what is learned from four fifths of
   * them is a good deal worse than what is learned from all, and confidence would be set too low.
   */
  readonly folds?: number;
  /** No further technique is begun after this long (default: no end). What was begun is finished. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: Step) => void;
}

/** What was measured of one way of learning, on the labels it may be trained on. */
export interface Step {
  readonly technique: TechniqueName;
  /** Cross-validated, fraction. */
  readonly accuracy: number;
  /** Cross-validated mean cross-entropy after temperature scaling, nats. */
  readonly loss: number;
  readonly temperature: number;
  readonly elapsedMs: number;
}

export interface RoundsResult {
  readonly technique: TechniqueName;
  readonly settings: BaseSettings;
  readonly head: LinearHead;
  readonly temperature: number;
  /** Calibrated, of every row; shape [n, classes]. Labelled rows: as the cross-validation saw them, never in-sample. */
  readonly probabilities: Matrix;
  readonly heldOut: HeldOut;
  readonly steps: readonly Step[];
  readonly trials: readonly Trial[];
  readonly folds: Folds;
  /** Techniques that the budget left no time for. */
  readonly skipped: readonly TechniqueName[];
}

/** `naive` is there to be compared with. What `bench/teach.ts` found no use in is not. */
export const DEFAULT_TECHNIQUES: readonly TechniqueName[] = ['naive', 'metric'];

/** One of `DEFAULT_TECHNIQUES` that is worth more than the base where cross-validation cannot tell. */
const TRUSTED: ReadonlySet<TechniqueName> = new Set(['graph', 'aligned', 'metric']);

export async function learnRounds(
  pool: InferencePool,
  problem: Problem,
  options: RoundsOptions,
): Promise<RoundsResult> {
  const { seed, techniques = DEFAULT_TECHNIQUES, budgetMs = Number.POSITIVE_INFINITY, signal, onStep } = options;
  const startedAt = performance.now();
  const folds = foldsOf(problem, options.folds ?? (problem.labelled.length <= 300 ? 10 : 5), seed);
  let context: LearnContext = { pool, joined: null, principal: null, seed, signal };
  const { best, trials, heldOut: baseHeldOut } = await searchBase(context, problem, folds);
  const settings: BaseSettings = { C: best.C, classWeights: best.classWeights };
  const steps: Step[] = [];
  const skipped: TechniqueName[] = [];
  const measure = (technique: TechniqueName, heldOut: HeldOut): Candidate => {
    const temperature = fitTemperature(heldOut.logits, problem.labels);
    const loss = lossAt(heldOut.logits, problem.labels, temperature);
    const elapsedMs = Math.round(performance.now() - startedAt);
    const step = { technique, accuracy: heldOut.accuracy, loss, temperature, elapsedMs };
    steps.push(step);
    onStep?.(step);
    return { ...step, heldOut };
  };

  let chosen = measure('base', baseHeldOut);
  for (const technique of techniques) {
    signal?.throwIfAborted();
    if (performance.now() - startedAt > budgetMs) {
      skipped.push(technique);
      continue;
    }
    if (needsGraph(technique) && !context.joined) {
      const joined = await joinGraph(pool, problem.features, { seed, signal });
      context = { ...context, joined, principal: await principalFeatures(pool, problem.features, seed) };
    }
    const heldOut = await crossValidate(problem, folds, async (taught, rows) => {
      const { head } = await learn(context, taught, { technique, ...settings });
      return logitsOfRows(pool, head, taught.features, rows);
    });
    const candidate = measure(technique, heldOut);
    if (isBetter(candidate, chosen, problem.labelled.length)) chosen = candidate;
  }

  const { technique, temperature, heldOut } = chosen;
  const { head } = await learn(context, problem, { technique, ...settings });
  const probabilities = softmaxRows(await logitsOf(pool, head, problem.features), temperature);
  const honest = softmaxRows(heldOut.logits, temperature);
  const { classes } = problem;
  for (const [place, row] of problem.labelled.entries()) {
    probabilities.data.set(honest.data.subarray(place * classes, (place + 1) * classes), row * classes);
  }
  return { technique, settings, head, temperature, probabilities, heldOut, steps, trials, folds, skipped };
}

interface Candidate extends Step {
  readonly heldOut: HeldOut;
}

/**
 * Cross-validation on a hundred labels is out by some points, so what was found to help on every set that was tried takes
 * the place of what came before unless it is worse by more than one standard error; any other has to be better.
 */
function isBetter(candidate: Candidate, chosen: Candidate, labels: number): boolean {
  const deviation = Math.sqrt((chosen.accuracy * (1 - chosen.accuracy)) / labels);
  const margin = TRUSTED.has(candidate.technique) && !TRUSTED.has(chosen.technique) ? -deviation : 0;
  return candidate.accuracy - chosen.accuracy > margin;
}

function lossAt(logits: Matrix, labels: Int32Array, temperature: number): number {
  const { data, columns } = softmaxRows(logits, temperature);
  let sum = 0;
  for (const [i, label] of labels.entries()) sum -= Math.log(Math.max(1e-12, data[i * columns + label] as number));
  return sum / labels.length;
}
