/**
 * How good it is, and on what that was measured: the audit set where there is one, else cross-validation on the labels.
 * Audit items were never trained on; with them the figures are those of a random sample of the task's items.
 */
import { argMaxRows } from '../../math/calibration.ts';
import {
  type ClassScores,
  calibrationErrorByChance,
  classScores,
  expectedCalibrationError,
  wilsonInterval,
} from '../../math/metrics/classification.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { LabelledTask, TaskItems } from './items.ts';
import type { RoundsResult } from './learn-rounds.ts';
import { type LearningCurve, learningCurve } from './learning-curve.ts';

export interface TaskEvaluation {
  readonly measuredOn: 'audit' | 'cross-validation';
  /** Items it was measured on. */
  readonly count: number;
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly interval: readonly [low: number, high: number];
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
  /** Most frequent first, with items to look at. */
  readonly confusions: readonly {
    readonly truth: string;
    readonly predicted: string;
    readonly count: number;
    readonly examples: readonly string[];
  }[];
  readonly learningCurve: LearningCurve | null;
  readonly warnings: readonly string[];
}

const THRESHOLDS = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
const CONFUSIONS = 10;
const EXAMPLES = 4;
/** An interval wider than this says little. */
const WIDE = 0.15;

export async function evaluationOf(
  pool: InferencePool,
  items: TaskItems,
  labelledTask: LabelledTask,
  learned: RoundsResult,
): Promise<TaskEvaluation> {
  const { classNames, problem } = labelledTask;
  const indexOf = new Map(classNames.map((name, index) => [name, index]));
  const rows: number[] = [];
  const truth: number[] = [];
  const warnings: string[] = [];
  const unknown = new Set<string>();
  for (const [row, annotation] of items.annotations.entries()) {
    if (annotation.kind !== 'class' || !items.randomAudit.has(items.ids[row])) continue;
    const index = indexOf.get(annotation.className);
    if (index === undefined) unknown.add(annotation.className);
    rows.push(row);
    truth.push(index ?? -1);
  }
  const audited = rows.length > 0;
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
  const right = rights.reduce((sum, value) => sum + value, 0);
  const interval = wilsonInterval(right, rows.length);
  if (interval[1] - interval[0] > WIDE) {
    warnings.push(
      audited
        ? `${rows.length} audit items say little: draw more with labelsmith teach select --audit N`
        : `${rows.length} labels say little of how good it is`,
    );
  }
  if (!audited) {
    warnings.push(
      'accuracy rests on the labels, which need not be like the rest: draw a random audit set with labelsmith teach select --audit 100',
    );
  }
  return {
    measuredOn: audited ? 'audit' : 'cross-validation',
    count: rows.length,
    accuracy: right / rows.length,
    interval,
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
    classes: classScores({ truth, predicted })
      .filter(({ classIndex }) => classIndex >= 0)
      .map(({ classIndex, ...scores }) => ({ className: classNames[classIndex], ...scores })),
    confusions: confusionsOf(truth, predicted, rows, items, classNames),
    learningCurve: await learningCurve(pool, problem, learned),
    warnings,
  };
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
  return [...pairs.values()]
    .sort((a, b) => b.count - a.count || (a.truth + a.predicted < b.truth + b.predicted ? -1 : 1))
    .slice(0, CONFUSIONS);
}
