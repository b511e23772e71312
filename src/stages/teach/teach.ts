/**
 * `teach train` and `teach rounds`: from the record's labels to a classifier's file, labels for the rest, and an evaluation
 * of how good they are.
 *
 * The order of writing: the model's file, then predictions, then labels, then the run's end. All of it follows from the
 * labels, the vectors and the seed, so a run that was killed is simply run again and ends with the same bytes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { writeWorkspaceFile } from '../../files/atomic.ts';
import { dropParts } from '../../jobs/reduction.ts';
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { StageJob } from '../../jobs/stage.ts';
import { classifierFile, fileNameOf, keepTaught, keptFile, shareTaught, taughtPath } from '../../jobs/taught-files.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Matrix } from '../../math/matrix.ts';
import { type ClassifierInfo, type ClassifierParts, classifierModel } from '../classify/classifier-file.ts';
import { embedIn } from '../embed/embed.ts';
import type { PredictionSet } from '../predictions.ts';
import { withAllLabels } from './all-labels.ts';
import { augmentationsOf } from './augmentations.ts';
import { type BackboneChoice, type BackboneTrial, backboneNames, searchBackbones } from './backbones.ts';
import { evaluationOf, type TaskEvaluation } from './evaluation.ts';
import { familiarityOf, scaleRows } from './familiarity.ts';
import {
  type FineTuneChoice,
  type FineTunedTask,
  type FineTuneOutcome,
  type FineTuneTaskOptions,
  fineTuneTask,
} from './fine-tune/fine-tuned-task.ts';
import { type TuningRecord, tuningRecordIn } from './fine-tune/tuning-record.ts';
import { hasAuditAnswers, type LabelledTask, labelledTaskOf, type TaskItems } from './items.ts';
import { itemsToLearnFrom } from './items-to-learn-from.ts';
import { labelTheRest, labelTheWhole, withAnswers } from './label-rest.ts';
import type { LabelSettings } from './label-stage.ts';
import { type LearnedOfAll, learnRounds, type Step } from './learn-rounds.ts';
import type { ManyItemsOptions } from './many-items.ts';
import type { MethodName } from './methods.ts';
import { predictWhole } from './predict-whole.ts';
import { rowsStage } from './rows-stage.ts';
import type { SearchWidth } from './search.ts';
import { measuredBefore, type TaughtAccuracy, taughtAccuracy, wasPicked } from './stated-accuracy.ts';
import { statisticsStage } from './statistics-stage.ts';
import { resultOf, type TeachResult } from './teach-result.ts';
import { notedTraining } from './training-note.ts';

export interface TeachOptions extends Pick<RunOptions, 'seed' | 'threads' | 'signal'> {
  /** The task whose labels are learned. Default `class`. */
  readonly task: string;
  /**
   * Calibrated confidence that a machine label needs, 0 to 1 (default {@link DEFAULT_THRESHOLD}): higher labels fewer
   * items and is right more often. The rest stay for people.
   */
  readonly threshold: number;
  /** No further method is begun after this long. Default: no end. */
  readonly budgetMs?: number;
  /** Tried after the base; `[]` trains the base alone. Default: those that help. */
  readonly methods?: readonly MethodName[];
  /** What the search for the base model's settings tries: see `SearchWidth`. Default `quick`. */
  readonly search?: SearchWidth;
  /** Augmented views of each labelled image that are learned from as well (default 0: they did not help). */
  readonly views?: number;
  /**
   * Embedders to try beside the one in use, each by itself and beside another; a quick search tries them too. Where one of
   * them is better, all items are embedded with it, and it is the workspace's embedder from then on. Default: none.
   */
  readonly backbones?: readonly string[];
  readonly onTrial?: (trial: BackboneTrial) => void;
  readonly onProgress?: RunOptions['onProgress'];
  /** Gives every other item its label or its prediction. `train` does not. */
  readonly labelRest: boolean;
  /**
   * Learns from the audit's answers too, at the end: the model is first made without them, which is what the stated accuracy
   * is of, and then once more with them. Takes twice as long. Default false.
   */
  readonly final?: boolean;
  readonly onStep?: (step: Step) => void;
  /** How deep the embedder may be trained on the labels, where that helps; default `off`. */
  readonly fineTune?: FineTuneChoice;
  readonly onAttempt?: FineTuneTaskOptions['onAttempt'];
  readonly onTraining?: FineTuneTaskOptions['onTraining'];
  readonly onTakenOver?: FineTuneTaskOptions['onTakenOver'];
  readonly onDepth?: FineTuneTaskOptions['onDepth'];
  /** Keeps what fine-tuning made of the embedder under this name, for `embed --model`; nothing where the frozen one stayed. */
  readonly keepEmbedder?: string;
  /**
   * Items from which vectors are read and predicted in parts, by the engine of the workspace, and not held (default 100,000).
   * Fine-tuning holds them all, however many.
   */
  readonly spreadFrom?: number;
  readonly held?: ManyItemsOptions;
}

/** At four in five, what is left to people is mostly what they would have to look at anyway. */
export const DEFAULT_THRESHOLD = 0.8;

export async function teachIn(workspace: Workspace, options: TeachOptions): Promise<TeachResult> {
  const { store } = workspace;
  const { task, threshold, labelRest, methods, fineTune = 'off', final = false } = options;
  const startedAt = performance.now();
  const { items, labelled, backbone } = await onBestBackbone(workspace, options);
  const budgetMs = options.budgetMs && Math.max(1, options.budgetMs - (performance.now() - startedAt));
  const stage = labelRest ? 'teach rounds' : 'teach train';
  const settings = {
    task,
    threshold,
    methods: methods ?? null,
    budgetMs: options.budgetMs ?? null,
    search: options.search ?? 'quick',
    backbones: options.backbones ?? [],
    views: options.views ?? 0,
    ...(fineTune !== 'off' && { fineTune }),
    ...(final && { final }),
    space: items.recipe.space,
  };
  return recordRun(store, { stage, settings, modelKey: items.recipe.modelKey }, options, async (runId) => {
    try {
      const answered = final && hasAuditAnswers(items, labelled);
      const warned =
        final && !answered ? { ...labelled, warnings: [...labelled.warnings, NO_AUDIT_ANSWERS] } : labelled;
      const labelledTask = await withViews(workspace, items, warned, options);
      const job = { ...options, workspace, settings: { task, threshold }, runId };
      const request = { items, labelledTask, budgetMs, keeps: labelRest && !answered };
      const measured = await learnFrom(job, request, options);
      const taught = answered
        ? await learnFinally(job, items, { ...options, budgetMs })
        : { ...measured, labelledTask };
      const model = await saveClassifier(workspace, items, taught, options);
      const rest = labelRest ? await labelledRest(job, items, taught, model) : { labels: 0, unsure: 0 };
      const accuracy = answered ? measuredBefore(measured.stated, rest.labels) : measured.stated;
      if (items.whole) await dropParts(workspace.blobs, [rowsStage.name, statisticsStage.name]);
      const keptEmbedder = await keptOf(workspace, options, taught.fineTuning.chosen);
      // Labels are others now, and so is what would be trained: nothing goes on from what one that was stopped left.
      if (labelRest) await tuningRecordOf(workspace, task).clear();
      return resultOf({
        ...taught,
        evaluation: measured.evaluation,
        items,
        accuracy,
        model,
        rest,
        backbone,
        keptEmbedder,
        toKeepAs: options.keepEmbedder,
      });
    } catch (error) {
      if (!options.signal?.aborted) throw error;
      const again = fineTune === 'off' ? ' to start over' : ': what was trained so far is kept';
      throw new LabelsmithError('INTERRUPTED', `Stopped; nothing was changed. Run it again${again}.`, {
        cause: error,
      });
    }
  });
}

function labelledRest(
  job: StageJob<LabelSettings>,
  items: TaskItems,
  { labelledTask, probabilities, predictions }: LearnedTask & { readonly labelledTask: LabelledTask },
  { sha256 }: { readonly sha256: string },
) {
  const ofAll = { probabilities, key: sha256 };
  return predictions ? labelTheWhole(job, predictions) : labelTheRest(job, items, labelledTask, ofAll);
}

interface LearnedTask {
  readonly learned: LearnedOfAll;
  /** Of every item, where what people said counts; shape [n, classes]. */
  readonly probabilities: Matrix;
  /** Where the items are a part of the pile: what waits for all of it, if it is to be labelled. */
  readonly predictions: PredictionSet | null;
  readonly foreign: number;
  readonly stated: TaughtAccuracy;
  readonly evaluation: TaskEvaluation;
  readonly fineTuning: FineTuneOutcome;
}

/** Learns, and measures how often and where it is right. */
async function learnFrom(
  job: Omit<StageJob<unknown>, 'settings'>,
  { items, labelledTask, budgetMs, keeps }: LearnRequest,
  options: TeachOptions,
): Promise<LearnedTask> {
  const { workspace } = job;
  const { problem, classNames } = labelledTask;
  const { labelRest, threshold } = options;
  const { whole } = items;
  const picked = await wasPicked(workspace.store, options.task);
  const endMs = budgetMs === undefined ? undefined : performance.now() + budgetMs;
  return workspace.engine.withInference(options, async (pool) => {
    const { end, ...noted } = notedTraining(workspace.store, job.runId, options);
    const frozen = await learnRounds(pool, problem, { ...options, ...noted, budgetMs });
    const record = tuningRecordOf(workspace, options.task);
    const tuning = { ...options, ...noted, endMs, record, fineTune: options.fineTune ?? 'off' };
    const fineTuning = await fineTuneTask(workspace, pool, { items, labelledTask }, frozen, tuning);
    await end();
    const best = fineTuning.chosen?.learned ?? frozen;
    const ofSome = { ...best, steps: [...frozen.steps, ...fineTuning.steps] };
    const learned = await withAllLabels(job, pool, items, labelledTask, ofSome, options.onStep);
    const { probabilities } = learned;
    // What is like the labelled items, and how much more labels would bring, is asked of vectors that no label made.
    const { folds, settings, trials } = frozen;
    // Of a part of the pile it would say nothing of the others.
    const familiarity = whole ? { foreign: 0 } : await familiarityOf(pool, problem, folds, options);
    if ('known' in familiarity) scaleRows(probabilities, familiarity.known);
    if (labelRest) withAnswers(probabilities, items, classNames);
    const how = { threshold, withAnswers: labelRest, keeps };
    const pile = whole && (await predictWhole(job, pool, { ...items, whole }, labelledTask, learned, how));
    const question = { ...options, items, labelledTask, probabilities, picked, ...familiarity };
    const all = pile && whole && { ...pile, annotations: whole.said.annotations.values() };
    const stated = taughtAccuracy({ ...question, whole: all });
    const accuracy = stated.newImages?.accuracy ?? null;
    const evaluation = await evaluationOf(pool, items, labelledTask, { ...learned, folds, settings, trials, accuracy });
    const predictions = pile?.set ?? null;
    return { learned, probabilities, predictions, foreign: familiarity.foreign, stated, evaluation, fineTuning };
  });
}

/** Where a fine-tuning that is under way keeps what it has. */
function tuningRecordOf({ dir }: Workspace, task: string): TuningRecord {
  return tuningRecordIn(join(dir, 'cache', 'fine-tune', fileNameOf(task)));
}

interface LearnRequest {
  readonly items: TaskItems;
  readonly labelledTask: LabelledTask;
  readonly budgetMs?: number;
  /** Whether what is thought of all items is kept, where these are a part of them. */
  readonly keeps: boolean;
}

const NO_AUDIT_ANSWERS = 'no answers of an audit are there, so there was nothing more to learn from at last';

/** Once more, from the audit's answers too. */
async function learnFinally(
  job: Omit<StageJob<unknown>, 'settings'>,
  items: TaskItems,
  { budgetMs, ...options }: TeachOptions,
): Promise<LearnedTask & { readonly labelledTask: LabelledTask }> {
  const labelledTask = await withViews(job.workspace, items, labelledTaskOf(items, { auditToo: true }), options);
  const request = { items, labelledTask, budgetMs, keeps: options.labelRest };
  return { labelledTask, ...(await learnFrom(job, request, options)) };
}

/** Of the budget, what trying embedders may take; the one that is chosen still has to embed everything. */
const BACKBONE_SHARE = 0.2;

/** The task's items on the embedder and the weights that a wide search finds best, else on those in use. */
async function onBestBackbone(
  workspace: Workspace,
  options: TeachOptions,
): Promise<{ items: TaskItems; labelled: LabelledTask; backbone: BackboneChoice | null }> {
  const { search, backbones = [], budgetMs = Number.POSITIVE_INFINITY } = options;
  const items = await itemsToLearnFrom(workspace, options);
  const labelled = await withSeenWarning(workspace.models, items, labelledTaskOf(items));
  if (search !== 'wide' && backbones.length === 0) return { items, labelled, backbone: null };
  const now = performance.now();
  const models = backboneNames(backbones);
  const backbone = await workspace.engine.withInference(options, (pool) =>
    searchBackbones(workspace, pool, items, labelled.problem, {
      ...options,
      models,
      deadlineMs: now + BACKBONE_SHARE * budgetMs,
      endMs: now + budgetMs,
    }),
  );
  if (backbone.model !== items.recipe.model) {
    const embedder = await workspace.models.openEmbedder(backbone.model, options);
    try {
      const { interrupted } = await embedIn(workspace, embedder, { ...options, items: items.task.items });
      if (interrupted) throw new LabelsmithError('INTERRUPTED', 'Stopped. Run it again: it goes on.');
    } finally {
      await embedder.close();
    }
  }
  const chosen = await itemsToLearnFrom(workspace, options, backbone.weights);
  return { items: chosen, labelled: await withSeenWarning(workspace.models, chosen, labelledTaskOf(chosen)), backbone };
}

/** An embedder that was trained on these labels knows them: what is measured on them says too much. */
async function withSeenWarning(
  { imported }: Workspace['models'],
  { recipe, task }: TaskItems,
  labelled: LabelledTask,
): Promise<LabelledTask> {
  const { tunedOn } = await import('../../models/tuning/keep-tuned.ts');
  const tuned = await tunedOn(recipe.model, imported);
  if (tuned?.task !== task.name) return labelled;
  const warning =
    `${recipe.model} was trained on labels of this task, so accuracy by cross-validation says too much: ` +
    `go by an audit set, or learn on ${tuned.of} (labelsmith embed --model ${tuned.of})`;
  return { ...labelled, warnings: [...labelled.warnings, warning] };
}

/** With augmented views of the labelled images, where some are asked for. */
async function withViews(
  workspace: Workspace,
  items: TaskItems,
  labelledTask: LabelledTask,
  { views: count = 0, seed, threads, signal }: TeachOptions,
): Promise<LabelledTask> {
  if (count === 0) return labelledTask;
  const { problem } = labelledTask;
  const embedder = await workspace.models.openEmbedder(items.recipe.model, { threads });
  try {
    const augmentations = await augmentationsOf(workspace, items, problem, { count, seed, embedder, signal });
    return { ...labelledTask, problem: { ...problem, augmentations } };
  } finally {
    await embedder.close();
  }
}

/** What a classifier sees with: the embedder in use, or what fine-tuning made of it. */
async function classifierParts(
  { models }: Workspace,
  { recipe, mean }: TaskItems,
  fineTuned: FineTunedTask | null,
): Promise<Pick<ClassifierParts, 'mean' | 'embedder'> & Pick<ClassifierInfo, 'input' | 'space'> & { key: string }> {
  if (fineTuned) {
    const { key, model, input } = fineTuned.embedder;
    return { key, input, space: key, mean: fineTuned.mean, embedder: model };
  }
  const { key, model, input } = await models.prepareEmbedder(recipe.model);
  if (key !== recipe.modelKey) {
    throw new LabelsmithError(
      'WORKSPACE',
      `The embeddings here are of ${recipe.modelKey}, and ${recipe.model} is now ${key}.`,
      {
        hint: 'Run labelsmith embed, then this again.',
      },
    );
  }
  const embedder = typeof model === 'string' ? await readFile(model) : model;
  return { key, input, space: recipe.space, mean: mean.values, embedder };
}

/** Keeps the fine-tuned embedder, where that is asked for and there is one; its name, else null. */
async function keptOf(
  workspace: Workspace,
  { keepEmbedder: name, task }: TeachOptions,
  chosen: FineTunedTask | null,
): Promise<string | null> {
  if (name === undefined || !chosen) return null;
  const { keepTuned } = await import('../../models/tuning/keep-tuned.ts');
  const { tunable: embedder, parameters } = chosen;
  const file = keptFile(name);
  const path = taughtPath(workspace, file);
  const keep = (bytes: Uint8Array) => writeWorkspaceFile(path, bytes).then(() => path);
  const { network, entry } = await keepTuned({ name, task, embedder, parameters, keep });
  await shareTaught(workspace, file, network, entry);
  return name;
}

async function saveClassifier(
  workspace: Workspace,
  items: TaskItems,
  { labelledTask, learned, fineTuning }: LearnedTask & { readonly labelledTask: LabelledTask },
  { labelRest, threshold, seed }: TeachOptions,
): Promise<{ path: string; sha256: string }> {
  const { recipe, task } = items;
  const { problem, classNames } = labelledTask;
  const { chosen } = fineTuning;
  const { key, mean, embedder, ...seen } = await classifierParts(workspace, items, chosen);
  const info: ClassifierInfo = {
    version: 1,
    task: task.name,
    items: task.items,
    classNames,
    input: seen.input,
    margin: recipe.margin,
    embedder: key,
    space: seen.space,
    temperature: learned.temperature,
    threshold,
    training: {
      labels: problem.labelled.length,
      items: items.whole?.count ?? problem.features.rows,
      method: learned.method,
      head: learned.head.kind,
      C: learned.settings.C,
      augmented: String(learned.settings.augment),
      classWeights: learned.settings.classWeights,
      crossValidatedAccuracy: learned.heldOut.accuracy,
      seed,
      ...(chosen && { fineTuned: chosen.step }),
    },
  };
  const bytes = classifierModel({ info, recipe, mean, head: learned.head, embedder });
  const path = await keepTaught(workspace, classifierFile(task.name, { base: !labelRest }), bytes);
  return { path, sha256: sha256Hex(bytes) };
}
