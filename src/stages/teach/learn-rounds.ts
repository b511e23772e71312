/**
 * From a few labels to the final head: search, baseline, then one method after the other, each cross-validated as a
 * whole, until none helps. Pure: numbers in, numbers out; everything it measured is in `steps`.
 */
import { fitTemperature, meanCrossEntropy, softmaxRows } from '../../math/calibration.ts';
import { type Head, headLogits } from '../../math/heads/head.ts';
import { type Matrix, newSharedMatrix, rowsOf } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { crossValidate, type Folds, foldsOf, type HeldOut } from './cross-validation.ts';
import type { StepName } from './fine-tune/steps.ts';
import { joinGraph, principalFeatures } from './graph-features.ts';
import {
  type LearnContext,
  type Learned,
  type LearnSettings,
  learn,
  logitsOfRows,
  type MethodName,
  needsGraph,
} from './methods.ts';
import { type BaseSettings, type Problem, subsample } from './problem.ts';
import { baseCandidates, type SearchWidth, searchBase, type Trial } from './search.ts';

export interface RoundsOptions {
  readonly seed: number;
  /** Tried in this order after `base`. Default {@link DEFAULT_METHODS}. */
  readonly methods?: readonly MethodName[];
  /**
   * Folds of the cross-validation. Default 10 up to 300 labels: with few, what is learned from four fifths of them is a
   * good deal worse than what is learned from all, and confidence would be set too low. 5 up to 3000, else 3: then
   * chance is small anyway.
   */
  readonly folds?: number;
  /** What the search for the base model's settings tries. Default `quick`. */
  readonly search?: SearchWidth;
  /** What methods look at: the problem or some of its rows, every labelled one among them. Default: as many as they can. */
  readonly sample?: Problem;
  /** No further method is begun after this long (default: no end). What was begun is finished. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: Step) => void;
}

/** What was measured of one way of learning, on the labels it may be trained on. */
export interface Step {
  /** `discriminant`: from all labels of a pile of which some alone fit into memory. */
  readonly method: MethodName | 'discriminant';
  /** With an embedder that was fine-tuned so deep; absent where it is as it was. */
  readonly fineTuned?: StepName;
  /** Of that depth, from 1. */
  readonly round?: number;
  /** Of the cross-validation: figures on different folds are not to be compared. */
  readonly folds: number;
  /** Cross-validated, fraction. */
  readonly accuracy: number;
  /** Cross-validated mean cross-entropy after temperature scaling, nats. */
  readonly loss: number;
  readonly temperature: number;
  readonly elapsedMs: number;
}

export interface RoundsResult {
  readonly method: MethodName;
  readonly settings: BaseSettings;
  readonly head: Head;
  /** For images that the head has not seen, labelled or not. */
  readonly temperature: number;
  /** For the rows of the problem: the head was training what its teacher thinks of them, and is surer of them. */
  readonly restTemperature: number;
  /** Calibrated, of every row; shape [n, classes]. Labelled rows: as the cross-validation saw them, never in-sample. */
  readonly probabilities: Matrix;
  readonly heldOut: HeldOut;
  readonly steps: readonly Step[];
  readonly trials: readonly Trial[];
  readonly folds: Folds;
  /** Methods that the budget left no time for. */
  readonly skipped: readonly MethodName[];
}

/** The same, or in its place what all labels of a pile taught of which some alone fit into memory. */
export interface LearnedOfAll extends Omit<RoundsResult, 'method'> {
  readonly method: Step['method'];
}

/** `naive` is there to be compared with. What `bench/teach.ts` found no use in is not. */
export const DEFAULT_METHODS: readonly MethodName[] = ['naive', 'metric'];

/** One of `DEFAULT_METHODS` that is worth more than the base where cross-validation cannot tell. */
const TRUSTED: ReadonlySet<MethodName> = new Set(['graph', 'aligned', 'metric']);

/**
 * Rows that methods look at, at most: the neighbour graphs cost the square of them, and a linear head on some hundred
 * numbers learns no more from the hundred thousandth item than from the twenty thousandth.
 */
export const MAX_ROWS = 20_000;
/** Of the budget, what the search may take before it is cut short. */
const SEARCH_SHARE = 0.4;

export async function learnRounds(pool: InferencePool, whole: Problem, options: RoundsOptions): Promise<RoundsResult> {
  const problem = options.sample ?? subsample(whole, MAX_ROWS, options.seed);
  return finishRounds(pool, { problem, whole }, await compareMethods(pool, problem, options));
}

/** What cross-validation makes of the methods, before one of them learns from all labels. */
export interface ComparedMethods extends Pick<RoundsResult, 'steps' | 'trials' | 'folds' | 'skipped' | 'settings'> {
  readonly chosen: Candidate;
  /** With the graph of all rows, where one was made. */
  readonly context: LearnContext;
}

/** The first half of {@link learnRounds}: of `problem`, whose every row is looked at. With `foldFeatures` nothing but these counts. */
export async function compareMethods(
  pool: InferencePool,
  problem: Problem,
  options: Omit<RoundsOptions, 'sample'>,
): Promise<ComparedMethods> {
  const { seed, methods = DEFAULT_METHODS, budgetMs = Number.POSITIVE_INFINITY, signal, onStep } = options;
  const startedAt = performance.now();
  const folds = foldsOf(problem, options.folds ?? defaultFolds(problem.labelled.length), seed);
  let context: LearnContext = { pool, joined: null, principal: null, seed, signal };
  const candidates = baseCandidates(options.search ?? 'quick', problem.augmentations !== undefined);
  const deadlineMs = startedAt + SEARCH_SHARE * budgetMs;
  const { best, trials, heldOut } = await searchBase(context, problem, folds, candidates, { deadlineMs });
  const { head, C, classWeights, augment } = best;
  const settings: BaseSettings = { head, C, classWeights, augment };
  const steps: Step[] = [];
  const skipped: MethodName[] = [];
  const measured = (method: MethodName, held: HeldOut, fresh: Matrix): Candidate => {
    const elapsedMs = Math.round(performance.now() - startedAt);
    const step: Step = { ...figuresOf(held, problem.labels), method, folds: folds.count, elapsedMs };
    steps.push(step);
    onStep?.(step);
    return { ...step, method, heldOut: held, fresh };
  };

  let chosen = measured('base', heldOut, heldOut.logits);
  for (const method of methods) {
    signal?.throwIfAborted();
    if (performance.now() - startedAt > budgetMs) {
      skipped.push(method);
      continue;
    }
    // Where each fold has its own vectors, it has its own graph.
    if (needsGraph(method) && !problem.foldFeatures) context = await withGraph(context, problem);
    const validated = await validate(context, problem, folds, { method, ...settings });
    const candidate = measured(method, validated.heldOut, validated.fresh);
    if (isBetter(candidate, chosen, problem.labelled.length)) chosen = candidate;
  }
  return { chosen, context, settings, steps, trials, folds, skipped };
}

/** The second half: the method that came out best learns from all labels. @param problem its rows are learned from, `whole` is judged */
export async function finishRounds(
  pool: InferencePool,
  { problem, whole }: { readonly problem: Problem; readonly whole: Problem },
  { chosen, context: known, ...compared }: ComparedMethods,
): Promise<RoundsResult> {
  const context = needsGraph(chosen.method) ? await withGraph({ ...known, pool }, problem) : known;
  return { ...(await fitted(context, problem, whole, chosen, compared.settings)), ...compared };
}

function figuresOf(heldOut: HeldOut, labels: Int32Array): Pick<Step, 'accuracy' | 'loss' | 'temperature'> {
  const temperature = fitTemperature(heldOut.logits, labels);
  const loss = meanCrossEntropy(heldOut.logits, labels, temperature);
  return { accuracy: heldOut.accuracy, loss, temperature };
}

/** The context with what methods on the neighbour graph look at; made once. */
async function withGraph(context: LearnContext, { features }: Problem): Promise<LearnContext> {
  if (context.joined) return context;
  const { pool, seed, signal } = context;
  const joined = await joinGraph(pool, features, { seed, signal });
  return { ...context, joined, principal: await principalFeatures(pool, features, seed) };
}

/** One method with its settings: what it makes of held-out labels. */
export async function crossValidateMethod(
  pool: InferencePool,
  problem: Problem,
  folds: Folds,
  settings: LearnSettings,
  { seed, signal }: Pick<RoundsOptions, 'seed' | 'signal'>,
): Promise<HeldOut> {
  const none: LearnContext = { pool, joined: null, principal: null, seed, signal };
  const shared = needsGraph(settings.method) && !problem.foldFeatures ? await withGraph(none, problem) : none;
  return (await validate(shared, problem, folds, settings)).heldOut;
}

/** A method, cross-validated as a whole. */
async function validate(
  context: LearnContext,
  problem: Problem,
  folds: Folds,
  settings: LearnSettings,
): Promise<Pick<Candidate, 'heldOut' | 'fresh'>> {
  const { pool } = context;
  const { labelled, classes } = problem;
  const placeOf = new Map(Array.from(labelled, (row, place) => [row, place]));
  const fresh = newSharedMatrix(labelled.length, classes);
  // Every other fold begins with the head of the first one.
  let first: Promise<Learned> | undefined;
  const own = problem.foldFeatures !== undefined;
  const heldOut = await crossValidate(problem, folds, async (training, rows) => {
    const before = own ? undefined : await first;
    const start = before?.head.kind === 'linear' ? before.head : undefined;
    const around = own && needsGraph(settings.method) ? await withGraph(context, training) : context;
    const learning = learn({ ...around, heldOut: rows, start }, training, settings);
    first ??= learning;
    const { head, freshHead } = await learning;
    const unseen = await logitsOfRows(pool, freshHead, training.features, rows);
    for (const [i, row] of rows.entries()) {
      fresh.data.set(rowsOf(unseen, i, i + 1).data, (placeOf.get(row) as number) * classes);
    }
    return logitsOfRows(pool, head, training.features, rows);
  });
  return { heldOut, fresh };
}

/** The chosen method on all labels, and what it makes of every item. */
async function fitted(
  context: LearnContext,
  problem: Problem,
  whole: Problem,
  chosen: Candidate,
  settings: BaseSettings,
): Promise<Pick<RoundsResult, 'method' | 'head' | 'temperature' | 'restTemperature' | 'probabilities' | 'heldOut'>> {
  const { method, temperature: restTemperature, heldOut } = chosen;
  const temperature = fitTemperature(chosen.fresh, problem.labels);
  const { head } = await learn(context, problem, { method, ...settings });
  const probabilities = softmaxRows(await headLogits(context.pool, head, whole.features), restTemperature);
  const honest = softmaxRows(heldOut.logits, restTemperature);
  const { classes } = problem;
  for (const [place, row] of whole.labelled.entries()) {
    probabilities.data.set(honest.data.subarray(place * classes, (place + 1) * classes), row * classes);
  }
  return { method, head, temperature, restTemperature, probabilities, heldOut };
}

function defaultFolds(labels: number): number {
  return labels <= 300 ? 10 : labels <= 3000 ? 5 : 3;
}

/** A method with what it made of the held-out labels. */
export interface Candidate extends Omit<Step, 'method'> {
  readonly method: MethodName;
  readonly heldOut: HeldOut;
  /** Logits of each labelled item by a model that had not seen it, labelled or not; shape [labelled, classes]. */
  readonly fresh: Matrix;
}

/**
 * Cross-validation on a hundred labels is out by some points, so what was found to help on every set that was tried takes
 * the place of what came before unless it is worse by more than one standard error; any other has to be better.
 */
function isBetter(candidate: Candidate, chosen: Candidate, labels: number): boolean {
  const difference = candidate.accuracy - chosen.accuracy;
  if (!TRUSTED.has(candidate.method) || TRUSTED.has(chosen.method)) return difference > 0;
  // As good is not worse: where every held-out label is right, the standard error is 0.
  return difference >= -Math.sqrt((chosen.accuracy * (1 - chosen.accuracy)) / labels);
}
