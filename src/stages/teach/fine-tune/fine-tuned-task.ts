/**
 * Whether a fine-tuned embedder serves a task better than the frozen one, by cross-validation with networks that never saw
 * the labels they are judged on. The steps go from little to much; each takes the place of what was best before only where
 * no fewer held-out labels are right with it, and more of them than chance explains, or with less loss; the frozen embedder is
 * the first of them, so what is kept is never below it on those labels. What was tried is handed back either way. Writes nothing
 * but what a run that was killed goes on from.
 */
import { plural } from '../../../core/count-text.ts';
import { LabelsmithError } from '../../../errors.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import { correctRows, meanCrossEntropy } from '../../../math/calibration.ts';
import type { TrainingCurve } from '../../../math/training/train.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { isAsGood } from '../backbones.ts';
import type { LabelledTask, TaskItems } from '../items.ts';
import {
  type ComparedMethods,
  compareMethods,
  finishRounds,
  learnRounds,
  type RoundsOptions,
  type RoundsResult,
  type Step,
} from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import { type FineTuned, type FineTuneProgress, type KnownOfTask, type TunedFolds, tuneFolds } from './fine-tune.ts';
import { openItems } from './open-items.ts';
import { MIN_LABELS, STEP_NAMES, type StepName } from './steps.ts';
import { OutOfTime } from './time-plan.ts';
import type { TuningRecord } from './tuning-record.ts';

/** `auto` tries each step where there are labels enough; `off` and `head` leave the embedder as it is. */
export const FINE_TUNE_CHOICES = ['off', 'auto', 'head', 'bias', 'last', 'all'] as const;
export type FineTuneChoice = (typeof FINE_TUNE_CHOICES)[number];

/** More folds cost a training each; the network is the slow part. */
export const FOLDS = 3;

export interface FineTunedTask extends Pick<FineTuned, 'embedder' | 'mean' | 'parameters' | 'share'> {
  readonly step: StepName;
  readonly learned: RoundsResult;
  /** What it was before. */
  readonly tunable: TunableEmbedder;
}

export interface FineTuneOutcome {
  /** Null: the frozen embedder stays. */
  readonly chosen: FineTunedTask | null;
  readonly steps: readonly Step[];
  /** Of the trainings on all labels; a step that the folds turned down has none. */
  readonly curves: readonly ({ readonly step: StepName } & Readonly<TrainingCurve>)[];
  /** What was not tried or not finished, and why. */
  readonly notes: readonly string[];
}

export interface FineTuneTaskOptions extends Omit<RoundsOptions, 'sample' | 'folds' | 'budgetMs'> {
  readonly fineTune: FineTuneChoice;
  /** Of `performance.now()`: what is not done by then is given up. Default: no end. */
  readonly endMs?: number;
  /** Where what was done is kept for a run that goes on. */
  readonly record?: TuningRecord;
  readonly onTraining?: (step: StepName, progress: FineTuneProgress) => void;
}

export async function fineTuneTask(
  workspace: Workspace,
  pool: InferencePool,
  { items, labelledTask }: { readonly items: TaskItems; readonly labelledTask: LabelledTask },
  frozen: RoundsResult,
  options: FineTuneTaskOptions,
): Promise<FineTuneOutcome> {
  const nothing = (...notes: string[]): FineTuneOutcome => ({ chosen: null, steps: [], curves: [], notes });
  const { fineTune: choice } = options;
  const { problem } = labelledTask;
  const wanted = wantedSteps(choice, problem);
  if (wanted.length === 0) return nothing(...(choice === 'auto' ? [tooFew(problem)] : []));
  const embedder = await openOrSay(workspace, items.recipe.model);
  if (typeof embedder === 'string') return nothing(`the embedder was not fine-tuned: ${embedder}`);
  const open = await openItems(workspace, items);
  const steps: Step[] = [];
  const notes: string[] = [];
  const curves: ({ readonly step: StepName } & Readonly<TrainingCurve>)[] = [];
  // On the same folds: with more of the labels to learn from, the frozen one would be ahead by that alone.
  const { method } = frozen;
  const methods = method === 'base' ? [] : [method];
  const { seed, search, signal } = options;
  const alike = await learnRounds(pool, problem, { seed, search, signal, methods, folds: FOLDS });
  const { labels } = problem;
  const frozenBase = await baseFigures(pool, problem, { seed, signal });
  let best: Candidate = { ...gateFigures(alike, labels), task: null };
  if (!isWorthTrying(choice, best)) return nothing(nothingToGain(labels.length));
  const known: KnownOfTask = { beliefs: new Map() };
  // With little time, what was worth most where it was measured comes first.
  for (const step of options.endMs === undefined ? wanted : wanted.toReversed()) {
    try {
      const folds = await tunedBy(pool, { items, labelledTask, embedder, frozen, open, known }, { ...options, step });
      const compared = await compareMethods(pool, folds.judged, roundsOptions(options, step));
      steps.push(...compared.steps.map((one) => ({ ...one, fineTuned: step })));
      const figures = comparedFigures(compared, labels);
      // The training on all labels is a quarter of the time, and changes nothing of what the folds say.
      const tuned = isBetter(figures, best) ? await folds.finish() : null;
      if ((tuned ?? folds).endedEarly)
        notes.push(`fine-tuning step ${step}: a training ended early, since its loss was no number`);
      if (!tuned) continue;
      const learned = await finishRounds(pool, { problem: tuned.sample, whole: tuned.problem }, compared);
      curves.push({ step, ...tuned.curve });
      if (tuned.untaught > 0)
        notes.push(
          `fine-tuning step ${step}: ${labels.length - tuned.untaught} of the ${labels.length} labelled items were trained on, drawn at random: more take too much memory`,
        );
      const { parameters, share, mean } = tuned;
      const task = { step, learned, parameters, share, mean, embedder: tuned.embedder, tunable: embedder };
      if (!(await isSound(pool, tuned, frozenBase, { seed, signal })))
        notes.push(
          `fine-tuning step ${step} was left out: the network that was trained on all labels tells less apart`,
        );
      else best = { ...figures, task };
    } catch (error) {
      if (!(error instanceof OutOfTime) || signal?.aborted) throw error;
      notes.push(`fine-tuning step ${step} was left out: ${error.message}`);
    }
  }
  return { chosen: best.task, steps, curves, notes };
}

interface Candidate extends GateFigures {
  readonly task: FineTunedTask | null;
}

/** What the exit gate goes by. */
export interface GateFigures {
  /** 1 for each label that was right while it was held out, shape [labelled]. */
  readonly correct: Uint8Array;
  /** Cross-entropy of the held-out labels at the temperature that fits them best, nats. */
  readonly loss: number;
}

export function gateFigures(
  { heldOut: { logits }, restTemperature }: Pick<RoundsResult, 'heldOut' | 'restTemperature'>,
  labels: Int32Array,
): GateFigures {
  return { correct: correctRows(logits, labels), loss: meanCrossEntropy(logits, labels, restTemperature) };
}

function comparedFigures({ chosen: { heldOut, temperature } }: ComparedMethods, labels: Int32Array): GateFigures {
  return gateFigures({ heldOut, restTemperature: temperature }, labels);
}

/**
 * The exit gate. Fewer held-out labels right is never better, however little that may mean; more of them by more than one standard
 * error over the same labels is. Between these, where a hundred labels say nothing, the loss decides, which tells apart how sure of
 * each label it was.
 */
export function isBetter(one: GateFigures, best: GateFigures): boolean {
  if (rightOf(one) < rightOf(best)) return false;
  return !isAsGood(best.correct, one.correct) || one.loss < best.loss;
}

function rightOf({ correct }: GateFigures): number {
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

/** One that is named is taken at its word, however few labels there are. */
function wantedSteps(choice: FineTuneChoice, { labelled, classes }: Problem): readonly StepName[] {
  switch (choice) {
    case 'off':
    case 'head':
      return [];
    case 'auto':
      return labelled.length >= MIN_LABELS * classes ? STEP_NAMES : [];
    case 'bias':
    case 'last':
    case 'all':
      return [choice];
    default:
      return choice satisfies never;
  }
}

function tooFew({ labelled, classes }: Problem): string {
  return (
    `the embedder was not fine-tuned: ${plural(labelled.length, 'label')} of ${plural(classes, 'class', 'classes')}, where auto ` +
    `takes ${MIN_LABELS * classes} or more (--fine-tune last tries that depth with any number)`
  );
}

/** A depth that is named is tried whatever the frozen embedder comes to; `auto` tries none where no held-out label is wrong with it. */
export function isWorthTrying(choice: FineTuneChoice, frozen: GateFigures): boolean {
  return choice !== 'auto' || rightOf(frozen) < frozen.correct.length;
}

function nothingToGain(labels: number): string {
  return (
    `the embedder was not fine-tuned: all ${labels} labels were right while they were held out, so none could be gained ` +
    '(--fine-tune last tries that depth all the same)'
  );
}

async function openOrSay({ models }: Workspace, model: string): Promise<TunableEmbedder | string> {
  try {
    return await models.tunableEmbedder(model);
  } catch (error) {
    if (!(error instanceof LabelsmithError) || error.code !== 'UNSUPPORTED') throw error;
    return error.message;
  }
}

interface TuneRequest {
  readonly items: TaskItems;
  readonly labelledTask: LabelledTask;
  readonly embedder: TunableEmbedder;
  readonly frozen: RoundsResult;
  readonly open: Awaited<ReturnType<typeof openItems>>;
  readonly known: KnownOfTask;
}

function tunedBy(
  pool: InferencePool,
  { items, labelledTask, embedder, frozen, open, known }: TuneRequest,
  { step, seed, signal, endMs, record, onTraining }: FineTuneTaskOptions & { readonly step: StepName },
): Promise<TunedFolds> {
  return tuneFolds(pool, {
    embedder,
    step,
    seed,
    signal,
    endMs,
    record,
    open,
    known,
    problem: labelledTask.problem,
    classNames: labelledTask.classNames,
    blocks: items.recipe.blocks,
    ids: items.ids,
    folds: FOLDS,
    teacher: { method: frozen.method, ...frozen.settings },
    onProgress: (progress) => onTraining?.(step, progress),
  });
}

function roundsOptions(options: FineTuneTaskOptions, step: StepName): RoundsOptions {
  const { seed, methods, search, signal, onStep } = options;
  return {
    seed,
    methods,
    search,
    signal,
    folds: FOLDS,
    onStep: (one) => onStep?.({ ...one, fineTuned: step }),
  };
}
