/** What `teach train` and `teach rounds` give back: what was learned, how good it is, and what there is to say about it. */
import { formatCount, plural } from '../../core/count-text.ts';
import type { StatedShare } from '../../core/label-accuracy.ts';
import type { RunResult } from '../../jobs/run.ts';
import type { BackboneChoice, BackboneTrial } from './backbones.ts';
import { type TaskEvaluation, taskOption } from './evaluation.ts';
import { fewLabelsText } from './familiarity.ts';
import type { GateReport } from './fine-tune/exit-gate.ts';
import type { FineTuneOutcome } from './fine-tune/fine-tuned-task.ts';
import type { StepName } from './fine-tune/steps.ts';
import type { LabelledTask, TaskItems } from './items.ts';
import type { LearnedOfAll, Step } from './learn-rounds.ts';
import type { TaughtAccuracy } from './stated-accuracy.ts';

export interface TeachResult extends RunResult {
  readonly task: string;
  /** Absolute path of the classifier. */
  readonly model: string;
  readonly modelSha256: string;
  readonly method: Step['method'];
  /** What the classifier sees with, as `embed --model` takes it. */
  readonly embedder: string;
  /** What a wide search found of embedders, in the order of preference; empty where none was asked for. */
  readonly backbones: readonly BackboneTrial[];
  /** How deep the embedder was fine-tuned; null where it stayed as it was. */
  readonly fineTuned: StepName | null;
  /** What was right while it was held out, as the embedder is and with each depth, on the same folds; null where no depth was tried. */
  readonly fineTuning: GateReport | null;
  /** The name under which the fine-tuned embedder was kept; null where it was not. */
  readonly keptEmbedder: string | null;
  /** Folds of the cross-validation, whole groups in each. */
  readonly folds: number;
  readonly steps: readonly Step[];
  /** What it comes to: one figure a question. */
  readonly accuracy: TaughtAccuracy;
  /** Where the classifier is right and where not, with the figure for new images once more. */
  readonly evaluation: TaskEvaluation & Partial<Pick<StatedShare, 'accuracy' | 'interval'>>;
  readonly warnings: readonly string[];
  /** Those of them that say what was left out, or not done; the others say what to think of the result. */
  readonly leftOut: readonly string[];
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

/** An interval wider than this says little. */
const WIDE = 0.25;

/** What came of learning and labelling. */
export interface Taught {
  readonly items: TaskItems;
  readonly labelledTask: LabelledTask;
  readonly learned: LearnedOfAll;
  readonly evaluation: TaskEvaluation;
  readonly accuracy: TaughtAccuracy;
  readonly foreign: number;
  readonly model: { readonly path: string; readonly sha256: string };
  readonly rest: { readonly labels: number; readonly unsure: number };
  readonly backbone: BackboneChoice | null;
  readonly fineTuning: FineTuneOutcome;
  readonly keptEmbedder: string | null;
  /** What the embedder was to be kept as, if at all. */
  readonly toKeepAs: string | undefined;
}

export function resultOf({
  items,
  labelledTask,
  learned,
  evaluation: measured,
  accuracy,
  foreign,
  model,
  rest,
  backbone,
  fineTuning,
  keptEmbedder,
  toKeepAs,
}: Taught): TeachResult {
  const { steps, trials, method, settings, temperature, restTemperature } = learned;
  const labels = labelledTask.problem.labelled.length;
  const folds = learned.folds.count;
  const { newImages } = accuracy;
  const evaluation = { ...measured, accuracy: newImages?.accuracy, interval: newImages?.interval };
  const notDone = notDoneText({ learned, backbone, fineTuning, keptEmbedder, toKeepAs });
  const warnings = [...partText(items), ...labelledTask.warnings, ...evaluation.warnings, ...notDone];
  const fineTuned = fineTuning.chosen?.step ?? null;
  if (newImages && newImages.interval[1] - newImages.interval[0] > WIDE) {
    warnings.push(
      newImages.measuredOn === 'audit'
        ? `${plural(newImages.count, 'audit item says', 'audit items say')} little: draw more with labelsmith teach select --audit N${taskOption(items.task.name)}`
        : `${plural(newImages.count, 'label says', 'labels say')} little of how good it is`,
    );
  }
  warnings.push(...unknownClassWarnings(foreign, rest.labels > 0 ? labels : null));
  return {
    task: items.task.name,
    model: model.path,
    modelSha256: model.sha256,
    method,
    embedder: items.recipe.model,
    fineTuned,
    fineTuning: fineTuning.gate,
    keptEmbedder,
    folds,
    backbones: backbone?.trials ?? [],
    steps,
    accuracy,
    evaluation,
    warnings,
    leftOut: [...labelledTask.leftOut, ...notDone],
    interrupted: false,
    counts: {
      items: items.whole?.count ?? items.ids.length,
      labelled: labels,
      audit: items.audit.size,
      classes: labelledTask.classNames.length,
      foreign,
      ...rest,
    },
    metrics: {
      accuracy,
      method,
      ...(fineTuned && { fineTuned, fineTunedShare: fineTuning.chosen?.share }),
      ...(fineTuning.curves.length > 0 && { fineTuning: fineTuning.curves.map(thinned) }),
      ...(fineTuning.gate && { fineTuningGate: fineTuning.gate }),
      settings,
      temperature,
      restTemperature,
      folds,
      steps: timeless(steps),
      trials,
      embedder: items.recipe.model,
      backbones: backbone?.trials ?? [],
      evaluation,
      warnings,
    },
  };
}

function whyNothing({ gate }: FineTuneOutcome): string {
  const depths = gate?.depths ?? [];
  if (depths.length === 0) return 'no depth was tried';
  return `the embedder stays as it is (${depths.map(({ depth, why }) => `${depth}: ${why}`).join('; ')})`;
}

function notDoneText({
  learned: { skipped },
  backbone,
  fineTuning,
  keptEmbedder,
  toKeepAs,
}: Pick<Taught, 'learned' | 'backbone' | 'fineTuning' | 'keptEmbedder' | 'toKeepAs'>): string[] {
  const notKept = toKeepAs !== undefined && keptEmbedder === null;
  return [
    ...fineTuning.notes,
    ...(notKept ? [`nothing was kept as ${toKeepAs}: ${whyNothing(fineTuning)}`] : []),
    ...(backbone?.skipped ?? []).map(({ model, reason }) => `${model} was not tried: ${reason}`),
    ...(skipped.length > 0 ? [`the time budget left none for: ${skipped.join(', ')}`] : []),
  ];
}

/** What is not done of all items where they are too many. */
function partText({ ids, whole }: Pick<TaskItems, 'ids' | 'whole'>): string[] {
  if (!whole) return [];
  const from =
    whole.learned < whole.learnable.length
      ? `${formatCount(whole.learned)} of the ${formatCount(whole.learnable.length)} labels, drawn at random with ten of each class or more,`
      : 'all labels';
  const others = formatCount(ids.length - whole.learned);
  return [
    `of ${formatCount(whole.count)} items, it was learned from ${from} and ${others} other items; all got a prediction, and what looks like nothing that was labelled was not looked for`,
  ];
}

/** @param labels that were learned from; null where the rest was not labelled */
function unknownClassWarnings(foreign: number, labels: number | null): string[] {
  const found =
    foreign > 0
      ? `about ${foreign} items look like nothing that was labelled and are left for people: label some of them if they are of other classes`
      : null;
  return [found, labels === null ? null : fewLabelsText(labels)].filter((text) => text !== null);
}

/** Points of a curve that are recorded: enough to draw it. */
const CURVE_POINTS = 100;

/** Means over as many steps as make {@link CURVE_POINTS} points. */
function thinned({ step, round, training, of, stopped, losses, accuracies }: FineTuneOutcome['curves'][number]) {
  const every = Math.max(1, Math.ceil(losses.length / CURVE_POINTS));
  const means = (values: readonly number[]) =>
    Array.from({ length: Math.ceil(values.length / every) }, (_, i) => {
      const some = values.slice(i * every, (i + 1) * every);
      return Number((some.reduce((sum, one) => sum + one, 0) / some.length).toFixed(4));
    });
  const points = { stepsAPoint: every, losses: means(losses), accuracies: means(accuracies) };
  return { step, round, training, of, ...(stopped && { stopped }), ...points };
}

/** Steps as they are recorded: the run has its own clock. */
function timeless(steps: readonly Step[]): Omit<Step, 'elapsedMs'>[] {
  return steps.map(({ elapsedMs: _, ...step }) => step);
}
