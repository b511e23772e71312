/**
 * Whether a fine-tuned embedder serves a task better than the frozen one. The steps go from little to much, then what is best is
 * trained again by what it believes itself; each takes the place of what was best before only where the exit gate says so. What
 * was tried is handed back either way. Writes nothing but what a run that was killed goes on from.
 */
import { plural } from '../../../core/count-text.ts';
import { LabelsmithError } from '../../../errors.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import { gatherRows } from '../../../math/matrix.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import type { LabelledTask, TaskItems } from '../items.ts';
import {
  compareMethods,
  finishRounds,
  learnRounds,
  type RoundsOptions,
  type RoundsResult,
  type Step,
} from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import { asSureAsHeldOut } from './as-sure-as-held-out.ts';
import { attemptsOf, MAX_ROUNDS } from './attempts.ts';
import { ImagesVanished } from './embed-rows.ts';
import {
  baseFigures,
  comparedFigures,
  type DepthOutcome,
  FOLDS,
  type GateFigures,
  type GateReport,
  gateFigures,
  isBetter,
  isSound,
  rightOf,
  spoiledText,
  sumsOf,
  verdictText,
  withoutAStep,
} from './exit-gate.ts';
import {
  type EndedTraining,
  type FineTuned,
  type FineTuneProgress,
  type FineTuneRequest,
  type KnownOfTask,
  learnsFromBeliefs,
  type TunedFolds,
  tuneFolds,
} from './fine-tune.ts';
import { openItems } from './open-items.ts';
import { frozenBelow } from './reach-text.ts';
import { ofAllRows, type ReadableRows, unreadableRows, withoutRows } from './readable-rows.ts';
import { type DepthRound, MIN_LABELS, roundText, STEP_NAMES, type StepName } from './steps.ts';
import { OutOfTime, untilEnd } from './time-plan.ts';
import type { TuningRecord } from './tuning-record.ts';
import { unreadableText } from './unreadable-text.ts';

/** `auto` tries each step where there are labels enough; `off` and `head` leave the embedder as it is. */
export const FINE_TUNE_CHOICES = ['off', 'auto', 'head', 'bias', 'last', 'all'] as const;
export type FineTuneChoice = (typeof FINE_TUNE_CHOICES)[number];

export interface FineTunedTask extends Pick<FineTuned, 'embedder' | 'mean' | 'parameters' | 'share'> {
  readonly step: StepName;
  readonly round: number;
  readonly learned: RoundsResult;
  /** What it was before. */
  readonly tunable: TunableEmbedder;
}

export interface FineTuneOutcome {
  /** Null: the frozen embedder stays. */
  readonly chosen: FineTunedTask | null;
  readonly steps: readonly Step[];
  /** Of every training that came to its end, of depths that were not kept too. */
  readonly curves: readonly TrainingOfDepth[];
  /** What decided; null where nothing was tried. */
  readonly gate: GateReport | null;
  /** What was not tried or not finished, and why. */
  readonly notes: readonly string[];
}

export interface TrainingOfDepth extends EndedTraining, DepthRound {}

export type TakenOverProgress = Parameters<NonNullable<FineTuneRequest['onTakenOver']>>[0];

export interface FineTuneTaskOptions extends Omit<RoundsOptions, 'sample' | 'folds' | 'budgetMs'> {
  readonly fineTune: FineTuneChoice;
  /** Of `performance.now()`: what is not done by then is given up. Default: no end. */
  readonly endMs?: number;
  /** Where what was done is kept for a run that goes on. */
  readonly record?: TuningRecord;
  /** Told of each before its images are prepared. */
  readonly onAttempt?: (tried: DepthRound) => void;
  readonly onTraining?: (tried: DepthRound, progress: FineTuneProgress) => void;
  readonly onTakenOver?: (tried: DepthRound, training: TakenOverProgress) => void;
  /** Told before the first depth, with none, and after each round of each. */
  readonly onDepth?: (gate: GateReport) => void;
}

export async function fineTuneTask(
  workspace: Workspace,
  pool: InferencePool,
  { items, labelledTask }: { readonly items: TaskItems; readonly labelledTask: LabelledTask },
  frozen: RoundsResult,
  options: FineTuneTaskOptions,
): Promise<FineTuneOutcome> {
  const nothing = (...notes: string[]): FineTuneOutcome => ({ ...NOTHING, notes });
  const { fineTune: choice, endMs } = options;
  if (choice === 'off' || choice === 'head') return nothing();
  if (!labelledTask.isMeasurable) return nothing(NOT_MEASURABLE);
  const wanted = wantedSteps(choice, labelledTask.problem);
  if (wanted.length === 0) return nothing(tooFew(labelledTask.problem));
  const embedder = await openOrSay(workspace, items.recipe.model);
  if (typeof embedder === 'string') return nothing(`the embedder was not fine-tuned: ${embedder}`);
  const reach = frozenBelow(embedder);
  if (reach?.isAll) return nothing(`the embedder was not fine-tuned: ${reach.text}`);
  const notes = reach ? [reach.text] : [];
  const opened = await openItems(workspace, items);
  try {
    const { problem } = labelledTask;
    const missing = await unreadableRows(problem.features.rows, opened.open, untilEnd(options.signal, endMs));
    if (missing.length > 0) notes.push(await unreadableText(workspace.store, opened, missing, problem));
    const readable = withoutRows(problem, missing);
    if (wantedSteps(choice, readable.problem).length === 0 || new Set(readable.problem.labels).size < 2)
      return nothing(...notes, tooFew(readable.problem));
    const task = { items, classNames: labelledTask.classNames, embedder, frozen, readable, opened };
    const outcome = await tryDepths(pool, task, wanted, options);
    const { chosen } = outcome;
    const ofAll = chosen && { ...chosen, learned: ofAllRows(chosen.learned, frozen, readable, problem.labels) };
    return { ...outcome, chosen: ofAll, notes: [...notes, ...outcome.notes] };
  } catch (error) {
    if (!(error instanceof OutOfTime) || options.signal?.aborted) throw error;
    return nothing(...notes, ...wanted.map((step) => `fine-tuning step ${step} was left out: ${error.message}`));
  }
}

const NOT_MEASURABLE =
  'the embedder was not fine-tuned: with one example a class nothing can be measured, so nothing would say whether it helped';

const NOTHING: FineTuneOutcome = { chosen: null, steps: [], curves: [], gate: null, notes: [] };

interface TuneRequest {
  readonly items: TaskItems;
  readonly classNames: readonly string[];
  readonly embedder: TunableEmbedder;
  readonly frozen: RoundsResult;
  readonly readable: ReadableRows;
  readonly opened: Awaited<ReturnType<typeof openItems>>;
}

/** What was best so far. */
interface Candidate extends GateFigures {
  readonly name: string;
  readonly task: FineTunedTask | null;
  /** With the vectors of its folds, and the method that came out best with them: what a further round begins with. */
  readonly teaches?: Pick<FineTuneRequest, 'teacher' | 'believedBy'>;
}

async function tryDepths(
  pool: InferencePool,
  task: TuneRequest,
  wanted: readonly StepName[],
  options: FineTuneTaskOptions,
): Promise<FineTuneOutcome> {
  const { seed, search, signal, fineTune, onDepth } = options;
  const { problem } = task.readable;
  const { labels } = problem;
  // On the same folds: with more of the labels to learn from, the frozen one would be ahead by that alone.
  const methods = task.frozen.method === 'base' ? [] : [task.frozen.method];
  const startedAt = performance.now();
  const alike = await learnRounds(pool, problem, { seed, search, signal, methods, folds: FOLDS });
  const judgeMs = JUDGED_AS_OFTEN * (performance.now() - startedAt);
  const frozen = gateFigures(alike, labels);
  if (!isWorthTrying(fineTune, frozen)) return { ...NOTHING, notes: [nothingToGain(labels.length)] };
  const frozenBase = await baseFigures(pool, problem, { seed, signal });
  let best: Candidate = { ...frozen, name: 'the embedder as it is', task: null };
  const depths: DepthOutcome[] = [];
  const gate: GateReport = { folds: alike.folds.count, labels: labels.length, frozen: sumsOf(frozen), depths };
  const found = { steps: [] as Step[], curves: [] as TrainingOfDepth[], notes: [] as string[] };
  onDepth?.(gate);
  const known: KnownOfTask = { beliefs: new Map() };
  const rounds = learnsFromBeliefs(problem) ? MAX_ROUNDS : 1;
  const attempts = attemptsOf(wanted, { isHurried: options.endMs !== undefined, rounds });
  for (let one = attempts.next(null); one; one = attempts.next(best.task)) {
    options.onAttempt?.(one);
    const tried = await tryDepth(pool, { ...task, known, judgeMs, best, frozenBase, found }, { ...options, ...one });
    if (tried.candidate) {
      for (const [i, before] of depths.entries())
        if (before.kept)
          depths[i] = { ...before, kept: false, why: `${before.why}; ${roundText(one)} is better still` };
      best = tried.candidate;
    }
    depths.push(tried.outcome);
    onDepth?.(gate);
  }
  return { chosen: best.task, gate, ...found };
}

/** The shares of the weights, then all methods, and the one that is chosen once more. */
const JUDGED_AS_OFTEN = 3;

interface DepthRequest extends TuneRequest, Pick<FineTuneRequest, 'judgeMs'> {
  readonly known: KnownOfTask;
  readonly best: Candidate;
  readonly frozenBase: GateFigures;
  /** Filled here. */
  readonly found: { readonly steps: Step[]; readonly curves: TrainingOfDepth[]; readonly notes: string[] };
}

async function tryDepth(
  pool: InferencePool,
  request: DepthRequest,
  options: FineTuneTaskOptions & DepthRound,
): Promise<{ readonly outcome: DepthOutcome; readonly candidate?: Candidate }> {
  const { best, found, readable } = request;
  const { step, round, signal } = options;
  const name = roundText(options);
  const { labels } = readable.problem;
  const dropped = (why: string, figures: GateFigures | null = null) => ({
    outcome: { depth: step, round, kept: false, figures: figures && sumsOf(figures), why },
  });
  let figures: GateFigures | null = null;
  try {
    const folds = await tunedBy(pool, request, options);
    const idle = withoutAStep(folds.spoiled);
    if (idle) return dropped(spoiledText(idle));
    const compared = await compareMethods(pool, folds.judged, roundsOptions(options));
    found.steps.push(...compared.steps.map((one) => ({ ...one, ...fineTunedAs(options) })));
    figures = comparedFigures(compared, labels);
    const why = verdictText(figures, best, best.name);
    // The training on all labels is a quarter of the time, and changes nothing of what the folds say.
    const tuned = isBetter(figures, best) ? await folds.finish() : null;
    const { spoiled } = tuned ?? folds;
    found.notes.push(...spoiled.map((one) => `fine-tuning step ${name}: ${spoiledText(one)}`));
    if (!tuned) return dropped(why, figures);
    const idleLast = withoutAStep(spoiled);
    if (idleLast) return dropped(spoiledText(idleLast), figures);
    if (tuned.untaught > 0) found.notes.push(untaughtText(name, tuned.untaught, labels.length));
    if (!(await isSound(pool, tuned, request.frozenBase, options)))
      return dropped('the network that was trained on all labels tells less apart', figures);
    const surer = await finishRounds(pool, { problem: tuned.sample, whole: tuned.problem }, compared);
    const ofFrozen = gatherRows(request.frozen.probabilities, readable.rows);
    const learned = asSureAsHeldOut(surer, tuned.problem.labelled, ofFrozen);
    const { parameters, share, mean, embedder } = tuned;
    const task = { step, round, learned, parameters, share, mean, embedder, tunable: request.embedder };
    const outcome = { depth: step, round, kept: true, figures: sumsOf(figures), why };
    const teaches = { teacher: { method: learned.method, ...learned.settings }, believedBy: tuned.sample };
    return { outcome, candidate: { ...figures, name, task, teaches } };
  } catch (error) {
    if (!(error instanceof OutOfTime || error instanceof ImagesVanished) || signal?.aborted) throw error;
    found.notes.push(`fine-tuning step ${name} was left out: ${error.message}`);
    return dropped(`left out, ${error.message}`, figures);
  }
}

function fineTunedAs({ step, round }: DepthRound): Required<Pick<Step, 'fineTuned' | 'round'>> {
  return { fineTuned: step, round };
}

function untaughtText(step: string, untaught: number, labels: number): string {
  return `fine-tuning step ${step}: ${labels - untaught} of the ${labels} labelled items were trained on, drawn at random: more take too much memory`;
}

/** One that is named is taken at its word, however few labels there are. */
function wantedSteps(choice: 'auto' | StepName, { labelled, classes }: Problem): readonly StepName[] {
  switch (choice) {
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

function tunedBy(
  pool: InferencePool,
  { items, classNames, embedder, frozen, readable, opened, known, judgeMs, best, found }: DepthRequest,
  { step, round, seed, signal, endMs, record, onTraining, onTakenOver }: FineTuneTaskOptions & DepthRound,
): Promise<TunedFolds> {
  const tried = { step, round };
  const teaches = round > 1 ? best.teaches : undefined;
  const rowOf = (row: number) => readable.rows[row] ?? -1;
  return tuneFolds(pool, {
    embedder,
    step,
    seed,
    signal,
    endMs,
    judgeMs,
    record,
    open: (row) => opened.open(rowOf(row)),
    known,
    problem: readable.problem,
    classNames,
    blocks: items.recipe.blocks,
    ids: readable.rows.map((row) => items.ids[row] ?? ''),
    folds: FOLDS,
    teacher: { method: frozen.method, ...frozen.settings },
    ...teaches,
    onProgress: (progress) => onTraining?.(tried, progress),
    onTakenOver: (training) => onTakenOver?.(tried, training),
    onTrained: (training) => found.curves.push({ ...tried, ...training }),
  });
}

function roundsOptions(options: FineTuneTaskOptions & DepthRound): RoundsOptions {
  const { seed, methods, search, signal, onStep } = options;
  return {
    seed,
    methods,
    search,
    signal,
    folds: FOLDS,
    onStep: (one) => onStep?.({ ...one, ...fineTunedAs(options) }),
  };
}
