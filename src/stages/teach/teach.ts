/**
 * `teach train` and `teach rounds`: from the record's labels to a classifier's file, labels for the rest, and an account
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
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Matrix } from '../../math/matrix.ts';
import { type ClassifierInfo, classifierModel } from '../classify/classifier-file.ts';
import { embedIn } from '../embed/embed.ts';
import { augmentationsOf } from './augmentations.ts';
import { type BackboneChoice, type BackboneTrial, backboneNames, searchBackbones } from './backbones.ts';
import { evaluationOf, type TaskEvaluation } from './evaluation.ts';
import { familiarityOf } from './familiarity.ts';
import { type LabelledTask, labelledTaskOf, type TaskItems, taskItems } from './items.ts';
import { labelTheRest } from './label-rest.ts';
import { learnRounds, type RoundsResult, type Step } from './learn-rounds.ts';
import type { MethodName } from './methods.ts';
import type { Augmentations, Problem } from './problem.ts';
import type { SearchWidth } from './search.ts';
import { type StatedAccuracy, type TaughtAccuracy, taughtAccuracy, wasPicked } from './stated-accuracy.ts';

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
  readonly techniques?: readonly MethodName[];
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
  readonly onStep?: (step: Step) => void;
}

/** At four in five, what is left to people is mostly what they would have to look at anyway. */
export const DEFAULT_THRESHOLD = 0.8;

export interface TeachResult extends RunResult {
  readonly task: string;
  /** Absolute path of the classifier. */
  readonly model: string;
  readonly modelSha256: string;
  readonly technique: MethodName;
  /** What the classifier sees with, as `embed --model` takes it. */
  readonly embedder: string;
  /** What a wide search found of embedders, in the order of preference; empty where none was asked for. */
  readonly backbones: readonly BackboneTrial[];
  /** Folds of the cross-validation, whole groups in each. */
  readonly folds: number;
  readonly steps: readonly Step[];
  /** What it comes to: one figure a question. */
  readonly accuracy: TaughtAccuracy;
  /** Where the classifier is right and where not, with the figure for new images once more. */
  readonly account: TaskEvaluation & Partial<Pick<StatedAccuracy, 'accuracy' | 'interval'>>;
  readonly warnings: readonly string[];
  readonly counts: {
    readonly items: number;
    readonly labelled: number;
    readonly audit: number;
    readonly classes: number;
    /** Items that got a label. */
    readonly labels: number;
    /** Items that look like nothing that was labelled, estimated. */
    readonly foreign: number;
    /** Items whose prediction is below the threshold. */
    readonly unsure: number;
  };
}

/** Folder of a workspace's own classifiers. */
export const MODELS_FOLDER = 'models';

export async function teachIn(workspace: Workspace, options: TeachOptions): Promise<TeachResult> {
  const { store } = workspace;
  const { task, threshold, labelRest, techniques } = options;
  const startedAt = performance.now();
  const { items, labelled, backbone } = await onBestBackbone(workspace, options);
  const budgetMs = options.budgetMs && Math.max(1, options.budgetMs - (performance.now() - startedAt));
  const stage = labelRest ? 'teach rounds' : 'teach train';
  const settings = {
    task,
    threshold,
    techniques: techniques ?? null,
    budgetMs: options.budgetMs ?? null,
    search: options.search ?? 'quick',
    backbones: options.backbones ?? [],
    views: options.views ?? 0,
    space: items.recipe.space,
  };
  return recordRun(store, { stage, settings, modelKey: items.recipe.modelKey }, options, async (runId) => {
    try {
      const augmentations = await augmentationsFor(workspace, items, labelled.problem, options);
      const labelledTask = { ...labelled, problem: { ...labelled.problem, augmentations } };
      const { learned, familiarity, evaluation } = await workspace.engine.withInference(options, async (pool) => {
        const rounds = await learnRounds(pool, labelledTask.problem, { ...options, budgetMs });
        const familiarity = await familiarityOf(pool, labelledTask.problem, rounds.folds, options.signal);
        scaleRows(rounds.probabilities, familiarity.known);
        return { learned: rounds, familiarity, evaluation: await evaluationOf(pool, items, labelledTask, rounds) };
      });
      const model = await saveClassifier(workspace, items, labelledTask, learned, options);
      const rest = labelRest
        ? await labelTheRest({ ...options, workspace, settings: { task, threshold }, runId }, items, labelledTask, {
            probabilities: learned.probabilities,
            key: model.sha256,
          })
        : { labels: 0, unsure: 0 };
      const { probabilities } = learned;
      const { knownHeldOut, foreign } = familiarity;
      const picked = await wasPicked(store, task);
      const question = { items, labelledTask, probabilities, knownHeldOut, threshold, labelRest, picked };
      const accuracy = taughtAccuracy(question);
      return resultOf({ items, labelledTask, learned, evaluation, accuracy, foreign, model, rest, backbone });
    } catch (error) {
      if (!options.signal?.aborted) throw error;
      throw new LabelsmithError('INTERRUPTED', 'Stopped; nothing was changed. Run it again to start over.', {
        cause: error,
      });
    }
  });
}

/** Of the budget, what trying embedders may take; the one that is chosen still has to embed everything. */
const BACKBONE_SHARE = 0.2;

/** The task's items on the embedder and the weights that a wide search finds best, else on those in use. */
async function onBestBackbone(
  workspace: Workspace,
  options: TeachOptions,
): Promise<{ items: TaskItems; labelled: LabelledTask; backbone: BackboneChoice | null }> {
  const { task, search, backbones = [], budgetMs = Number.POSITIVE_INFINITY } = options;
  const items = await taskItems(workspace, task);
  const labelled = labelledTaskOf(items);
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
  const chosen = await taskItems(workspace, task, backbone.weights);
  return { items: chosen, labelled: labelledTaskOf(chosen), backbone };
}

async function augmentationsFor(
  workspace: Workspace,
  items: TaskItems,
  problem: Problem,
  { views: count = 0, seed, threads, signal }: TeachOptions,
): Promise<Augmentations | undefined> {
  if (count === 0) return undefined;
  const embedder = await workspace.models.openEmbedder(items.recipe.model, { threads });
  try {
    return await augmentationsOf(workspace, items, problem, { count, seed, embedder, signal });
  } finally {
    await embedder.close();
  }
}

/** The chance of every class, where an item may be of none of them. */
export function scaleRows({ data, columns }: Matrix, known: Float64Array): void {
  for (const [row, chance] of known.entries()) {
    if (chance === 1) continue;
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = data[i] * chance;
  }
}

/** An interval wider than this says little. */
const WIDE = 0.25;

interface Taught {
  readonly items: TaskItems;
  readonly labelledTask: LabelledTask;
  readonly learned: RoundsResult;
  readonly evaluation: TaskEvaluation;
  readonly accuracy: TaughtAccuracy;
  readonly foreign: number;
  readonly model: { readonly path: string; readonly sha256: string };
  readonly rest: { readonly labels: number; readonly unsure: number };
  readonly backbone: BackboneChoice | null;
}

function resultOf({
  items,
  labelledTask,
  learned,
  evaluation,
  accuracy,
  foreign,
  model,
  rest,
  backbone,
}: Taught): TeachResult {
  const { steps, trials, technique, settings, temperature, restTemperature, skipped } = learned;
  const labels = labelledTask.problem.labelled.length;
  const folds = learned.folds.count;
  const { newImages } = accuracy;
  const account = { ...evaluation, accuracy: newImages?.accuracy, interval: newImages?.interval };
  const warnings = [...labelledTask.warnings, ...evaluation.warnings];
  if (newImages && newImages.interval[1] - newImages.interval[0] > WIDE) {
    warnings.push(
      newImages.measuredOn === 'audit'
        ? `${newImages.count} audit items say little: draw more with labelsmith teach select --audit N`
        : `${newImages.count} labels say little of how good it is`,
    );
  }
  for (const { model: name, reason } of backbone?.skipped ?? []) warnings.push(`${name} was not tried: ${reason}`);
  if (foreign > 0) {
    warnings.push(
      `about ${foreign} items look like nothing that was labelled and are left for people: label some of them if they are of other classes`,
    );
  }
  if (skipped.length > 0) warnings.push(`the time budget left none for: ${skipped.join(', ')}`);
  return {
    task: items.task.name,
    model: model.path,
    modelSha256: model.sha256,
    technique,
    embedder: items.recipe.model,
    folds,
    backbones: backbone?.trials ?? [],
    steps,
    accuracy,
    account,
    warnings,
    interrupted: false,
    counts: {
      items: items.ids.length,
      labelled: labels,
      audit: items.audit.size,
      classes: labelledTask.classNames.length,
      foreign,
      ...rest,
    },
    metrics: {
      accuracy,
      technique,
      settings,
      temperature,
      restTemperature,
      folds,
      steps: timeless(steps),
      trials,
      embedder: items.recipe.model,
      backbones: backbone?.trials ?? [],
      account,
      warnings,
    },
  };
}

/** Steps as they are recorded: the run has its own clock. */
function timeless(steps: readonly Step[]): Omit<Step, 'elapsedMs'>[] {
  return steps.map(({ elapsedMs: _, ...step }) => step);
}

async function saveClassifier(
  { dir, models }: Workspace,
  items: TaskItems,
  { problem, classNames }: LabelledTask,
  learned: RoundsResult,
  { labelRest, threshold, seed }: TeachOptions,
): Promise<{ path: string; sha256: string }> {
  const { recipe, mean, task } = items;
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
  const info: ClassifierInfo = {
    version: 1,
    task: task.name,
    items: task.items,
    classNames,
    input,
    margin: recipe.margin,
    embedder: key,
    space: recipe.space,
    temperature: learned.temperature,
    threshold,
    training: {
      labels: problem.labelled.length,
      items: problem.features.rows,
      technique: learned.technique,
      head: learned.head.kind,
      C: learned.settings.C,
      augmented: String(learned.settings.augment),
      classWeights: learned.settings.classWeights,
      crossValidatedAccuracy: learned.heldOut.accuracy,
      seed,
    },
  };
  const embedder = typeof model === 'string' ? await readFile(model) : model;
  const bytes = classifierModel({ info, recipe, mean: mean.values, head: learned.head, embedder });
  const path = join(dir, MODELS_FOLDER, `${fileNameOf(task.name)}${labelRest ? '' : '.base'}.onnx`);
  await writeWorkspaceFile(path, bytes);
  return { path, sha256: sha256Hex(bytes) };
}

/** A task's name as a file's: other characters than these become their code, so different names stay different. */
export function fileNameOf(name: string): string {
  return name.replace(/[^a-z0-9_-]/g, (character) => `%${(character.codePointAt(0) as number).toString(16)}`);
}
