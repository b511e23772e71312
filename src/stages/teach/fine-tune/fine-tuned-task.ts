/**
 * Whether a fine-tuned embedder serves a task better than the frozen one, by cross-validation with networks that never saw
 * the labels they are judged on. The frozen one stays unless another is better by more than one standard error of the
 * difference; what was tried is handed back either way. Writes nothing.
 */
import { isImageId } from '../../../core/ids.ts';
import { LabelsmithError } from '../../../errors.ts';
import { originalBytes, readImageIfThere } from '../../../jobs/image-reader.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import { argMaxRows } from '../../../math/calibration.ts';
import type { ComposedEmbedder, TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { simplestGood } from '../backbones.ts';
import type { LabelledTask, TaskItems } from '../items.ts';
import { learnRounds, type RoundsOptions, type RoundsResult, type Step } from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import { type FineTuned, type FineTuneProgress, fineTune } from './fine-tune.ts';
import { STEP_NAMES, STEPS, type StepName } from './steps.ts';

/** `auto` tries what helped where it was measured, if there are labels enough; `off` and `head` leave the embedder as it is. */
export const FINE_TUNE_CHOICES = ['off', 'auto', 'head', 'bias', 'last', 'all'] as const;
export type FineTuneChoice = (typeof FINE_TUNE_CHOICES)[number];

/** More folds cost a training each; the network is the slow part. */
const FOLDS = 3;

export interface FineTunedTask {
  readonly step: StepName;
  readonly learned: RoundsResult;
  readonly embedder: ComposedEmbedder;
  readonly mean: Float32Array;
}

export interface FineTuneOutcome {
  /** Null: the frozen embedder stays. */
  readonly chosen: FineTunedTask | null;
  readonly steps: readonly Step[];
  /** What was not tried, and why. */
  readonly notes: readonly string[];
}

export interface FineTuneTaskOptions extends Omit<RoundsOptions, 'sample' | 'folds'> {
  readonly fineTune: FineTuneChoice;
  readonly onTraining?: (step: StepName, progress: FineTuneProgress) => void;
}

export async function fineTuneTask(
  workspace: Workspace,
  pool: InferencePool,
  { items, labelledTask }: { readonly items: TaskItems; readonly labelledTask: LabelledTask },
  frozen: RoundsResult,
  options: FineTuneTaskOptions,
): Promise<FineTuneOutcome> {
  const nothing = (...notes: string[]): FineTuneOutcome => ({ chosen: null, steps: [], notes });
  const { fineTune: choice, budgetMs = Number.POSITIVE_INFINITY } = options;
  const { problem } = labelledTask;
  const wanted = wantedSteps(choice, problem);
  if (wanted.length === 0) return nothing(...(choice === 'auto' ? ['too few labels to fine-tune the embedder'] : []));
  if (items.task.items !== 'images') return nothing('the embedder was not fine-tuned: the task is on regions');
  const embedder = await openOrSay(workspace, items.recipe.model);
  if (typeof embedder === 'string') return nothing(`the embedder was not fine-tuned: ${embedder}`);
  const startedAt = performance.now();
  const steps: Step[] = [];
  const notes: string[] = [];
  // On the same folds: with more of the labels to learn from, the frozen one would be ahead by that alone.
  const { method } = frozen;
  const methods = method === 'base' ? [] : [method];
  const { seed, search, signal } = options;
  const alike = await learnRounds(pool, problem, { seed, search, signal, methods, folds: FOLDS });
  let best: Candidate = { ...candidateOf(alike, problem), task: null };
  for (const step of wanted) {
    if (performance.now() - startedAt > budgetMs) {
      notes.push(`the time budget left none for fine-tuning step ${step}`);
      continue;
    }
    const tuned = await tunedBy(workspace, pool, { items, problem, embedder, frozen }, { ...options, step });
    const learned = await learnRounds(pool, tuned.problem, roundsOptions(options, step, tuned));
    steps.push(...learned.steps.map((one) => ({ ...one, fineTuned: step })));
    const candidate: Candidate = {
      ...candidateOf(learned, problem),
      task: { step, learned, embedder: tuned.embedder, mean: tuned.mean },
    };
    if (simplestGood([best, candidate]) === candidate) best = candidate;
  }
  return { chosen: best.task, steps, notes };
}

interface Candidate {
  readonly accuracy: number;
  readonly loss: number;
  /** 1 where the held-out prediction was correct, shape [labels]. */
  readonly correct: Uint8Array;
  readonly task: FineTunedTask | null;
}

function candidateOf({ heldOut }: RoundsResult, { labels }: Problem): Omit<Candidate, 'task'> {
  const best = argMaxRows(heldOut.logits);
  const { accuracy, loss } = heldOut;
  return { accuracy, loss, correct: Uint8Array.from(best, (label, i) => Number(label === labels[i])) };
}

/** Steps that there are labels enough for. One that is named is taken at its word. */
function wantedSteps(choice: FineTuneChoice, { labelled, classes }: Problem): StepName[] {
  switch (choice) {
    case 'off':
    case 'head':
      return [];
    case 'auto':
      return STEP_NAMES.filter((name) => STEPS[name].inAuto && labelled.length >= STEPS[name].minLabels * classes);
    case 'bias':
    case 'last':
    case 'all':
      return [choice];
    default:
      return choice satisfies never;
  }
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
  readonly problem: Problem;
  readonly embedder: TunableEmbedder;
  readonly frozen: RoundsResult;
}

async function tunedBy(
  workspace: Workspace,
  pool: InferencePool,
  { items, problem, embedder, frozen }: TuneRequest,
  { step, seed, signal, onTraining }: FineTuneTaskOptions & { readonly step: StepName },
): Promise<FineTuned> {
  const readBytes = originalBytes(workspace);
  return fineTune(pool, {
    ...{ embedder, problem, step, seed, signal },
    blocks: items.recipe.blocks,
    ids: items.ids,
    folds: FOLDS,
    teacher: { method: frozen.method, ...frozen.settings },
    async read(row) {
      const id = items.ids[row];
      if (id === undefined || !isImageId(id)) return undefined;
      return (await readImageIfThere(workspace.store, id, readBytes)) ?? undefined;
    },
    onProgress: (progress) => onTraining?.(step, progress),
  });
}

function roundsOptions(options: FineTuneTaskOptions, step: StepName, { sample }: FineTuned): RoundsOptions {
  const { seed, methods, search, signal, onStep } = options;
  return {
    ...{ seed, methods, search, signal, sample },
    folds: FOLDS,
    onStep: (one) => onStep?.({ ...one, fineTuned: step }),
  };
}
