/**
 * Where it is right and where not, on the audit set where there is one, else by cross-validation on the labels. How often it
 * is right is not here but in `stated-accuracy.ts`: one figure a question.
 */
import { typedWord } from '../../core/shell-word.ts';
import { argMaxRows } from '../../math/calibration.ts';
import {
  type ClassScores,
  calibrationErrorByChance,
  classScores,
  expectedCalibrationError,
  type ReliabilityBin,
  reliability,
} from '../../math/metrics/classification.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { LabelledTask, TaskItems } from './items.ts';
import type { LearnedOfAll } from './learn-rounds.ts';
import { type LearningCurve, learningCurve } from './learning-curve.ts';
import { auditToAdvise } from './select-stage.ts';
import { measuringAudit } from './stated-accuracy.ts';

export interface TaskEvaluation {
  readonly measuredOn: 'audit' | 'cross-validation';
  /** Items it was measured on. */
  readonly count: number;
  /** Expected calibration error of the confidence of the best guess, 15 bins. */
  readonly ece: number;
  /** What of it confidences that are exactly right would show on so few items. */
  readonly eceByChance: number;
  /** What labelling above a confidence would give, from all items to the surest; null where no item is that sure. */
  readonly curve: readonly {
    readonly threshold: number;
    readonly coverage: number;
    readonly accuracy: number | null;
  }[];
  readonly classes: readonly (Omit<ClassScores, 'classIndex'> & { readonly className: string })[];
  /** Confidence of the best guess against how often it is right, as `ece` sums it up. */
  readonly reliability: readonly ReliabilityBin[];
  /** Every pair there is, the most frequent first, with items to look at: what a confusion matrix has beside its diagonal. */
  readonly confusions: readonly {
    readonly truth: string;
    readonly predicted: string;
    readonly count: number;
    readonly examples: readonly string[];
  }[];
  readonly learningCurve: LearningCurve | null;
  readonly warnings: readonly string[];
}

/** Of a command that is advised, where the task is not the one by default. */
export function taskOption(task: string): string {
  return task === 'class' ? '' : ` --task ${typedWord(task)}`;
}

const THRESHOLDS = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/** Items to look at, of a pair. */
const EXAMPLES = 24;

/** @param learned with its stated accuracy, which the learning curve goes on from; null where there is none */
export async function evaluationOf(
  pool: InferencePool,
  items: TaskItems,
  labelledTask: LabelledTask,
  learned: LearnedOfAll & { readonly accuracy: number | null },
): Promise<TaskEvaluation> {
  const { classNames, problem } = labelledTask;
  const indexOf = new Map(classNames.map((name, index) => [name, index]));
  const rows: number[] = [];
  const truth: number[] = [];
  const warnings: string[] = [];
  const unknown = new Set<string>();
  const audit = measuringAudit(items);
  for (const { row, className } of audit ?? []) {
    const index = className === null ? undefined : indexOf.get(className);
    if (index === undefined && className !== null) unknown.add(className);
    rows.push(row);
    truth.push(index ?? -1);
  }
  const audited = audit !== null;
  if (!audited) {
    for (const [place, row] of problem.labelled.entries()) {
      rows.push(row);
      truth.push(problem.labels[place]);
    }
  }
  if (unknown.size > 0)
    warnings.push(`audit items are of classes that no label teaches: ${[...unknown].sort().join(', ')}`);
  const { columns, data } = learned.probabilities;
  const best = argMaxRows(learned.probabilities);
  const predicted = rows.map((row) => best[row]);
  const confidence = rows.map((row) => data[row * columns + best[row]]);
  const rights = truth.map((label, i) => Number(label === predicted[i]));
  if (!audited) {
    const most = auditToAdvise(items);
    const command = `labelsmith teach select --audit ${most}${taskOption(items.task.name)}`;
    const rests = 'accuracy rests on the labels, which need not be like the rest';
    if (most === 0) warnings.push(`${rests}; too few items are left to draw an audit set from`);
    else
      warnings.push(
        labelledTask.isMeasurable
          ? `${rests}: draw a random audit set with ${command}`
          : `a random audit set measures accuracy: ${command}`,
      );
  }
  return {
    measuredOn: audited ? 'audit' : 'cross-validation',
    count: rows.length,
    ece: expectedCalibrationError(confidence, rights) ?? 0,
    eceByChance: calibrationErrorByChance(confidence) ?? 0,
    curve: THRESHOLDS.map((threshold) => {
      const above = confidence.map((value, i) => (value >= threshold ? rights[i] : -1)).filter((r) => r >= 0);
      const sum = above.reduce((total, value) => total + value, 0);
      return {
        threshold,
        coverage: above.length / rows.length,
        accuracy: above.length > 0 ? sum / above.length : null,
      };
    }),
    reliability: reliability(confidence, rights),
    classes: classScores({ truth, predicted })
      .filter(({ classIndex }) => classIndex >= 0)
      .map(({ classIndex, ...scores }) => ({ className: classNames[classIndex], ...scores })),
    confusions: confusionsOf(truth, predicted, rows, items, classNames),
    learningCurve: await curveOf(pool, items, problem, learned),
    warnings,
  };
}

/** Null where nothing tells, and where some of the labels alone were learned from: more of them would change nothing. */
async function curveOf(
  pool: InferencePool,
  { whole }: Pick<TaskItems, 'whole'>,
  problem: LabelledTask['problem'],
  { accuracy, ...learned }: LearnedOfAll & { readonly accuracy: number | null },
): Promise<LearningCurve | null> {
  if (accuracy === null || (whole && whole.learned < whole.learnable.length)) return null;
  return learningCurve(pool, problem, { ...learned, accuracy, pile: whole?.count });
}

function confusionsOf(
  truth: readonly number[],
  predicted: readonly number[],
  rows: readonly number[],
  { ids }: TaskItems,
  classNames: readonly string[],
): TaskEvaluation['confusions'] {
  const pairs = new Map<string, { truth: string; predicted: string; count: number; examples: string[] }>();
  for (const [i, t] of truth.entries()) {
    const p = predicted[i];
    if (t < 0 || t === p) continue;
    const key = `${t} ${p}`;
    const pair = pairs.get(key) ?? {
      truth: classNames[t],
      predicted: classNames[p],
      count: 0,
      examples: [],
    };
    pair.count++;
    if (pair.examples.length < EXAMPLES) pair.examples.push(ids[rows[i]]);
    pairs.set(key, pair);
  }
  return [...pairs.values()].sort(
    (a, b) => b.count - a.count || (a.truth + a.predicted < b.truth + b.predicted ? -1 : 1),
  );
}
