/**
 * How many more labels: errors fall roughly as a power of the number of labels (Hestness et al. 2017, arXiv 1712.00409),
 * error(n) = a · n^−b. The slope b is that of the base model's held-out errors with a third, two thirds and all of its
 * training labels; the level a is that of the final model.
 */
import { seededRandom, shuffled } from '../../core/random.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { crossValidate } from './cross-validation.ts';
import type { RoundsResult } from './learn-rounds.ts';
import { baseHead, logitsOfRows } from './methods.ts';
import { type Problem, withLabels } from './problem.ts';

export interface LearningCurve {
  /** Held-out accuracy of the base model by number of labels trained on. */
  readonly points: readonly { readonly labels: number; readonly accuracy: number }[];
  readonly slope: number;
  /** The accuracy that the answer is about. */
  readonly goal: number;
  /** Labels still needed for it, of the same kind as those there are; 0 when it is reached, null when the curve is flat. */
  readonly more: number | null;
}

const GOAL = 0.9;
const SHARES = [1 / 3, 2 / 3];
/** Below this slope ten times the labels leave three quarters of the errors: no number would be honest. */
const FLAT = 0.125;

export async function learningCurve(
  pool: InferencePool,
  problem: Problem,
  { settings, folds, heldOut, trials }: Pick<RoundsResult, 'settings' | 'folds' | 'heldOut' | 'trials'>,
): Promise<LearningCurve | null> {
  const full = trials[0];
  const labels = problem.labelled.length;
  if (!full || labels < 3 * problem.classes) return null;
  const used = (labels * (folds.count - 1)) / folds.count;
  const points: { labels: number; accuracy: number }[] = [];
  for (const share of SHARES) {
    const { accuracy } = await crossValidate(problem, folds, async (training, rows, fold) => {
      const part = someOf(training, share, fold);
      const head = await baseHead({ pool, joined: null, principal: null, seed: 0 }, part, settings);
      return logitsOfRows(pool, head, part.features, rows);
    });
    points.push({ labels: Math.round(share * used), accuracy });
  }
  points.push({ labels: Math.round(used), accuracy: full.accuracy });
  const slope = powerSlope(points);
  const error = 1 - heldOut.accuracy;
  const goalError = 1 - GOAL;
  const more =
    error <= goalError ? 0 : slope < FLAT ? null : Math.ceil(labels * ((error / goalError) ** (1 / slope) - 1));
  return { points, slope, goal: GOAL, more };
}

/** Some of the labels, of every class as many as its share, at least one. */
function someOf(problem: Problem, share: number, seed: number): Problem {
  const random = seededRandom(seed, 'learning-curve');
  const byClass = new Map<number, number[]>();
  for (const [place, label] of problem.labels.entries()) byClass.set(label, [...(byClass.get(label) ?? []), place]);
  const places = [...byClass]
    .sort(([a], [b]) => a - b)
    .flatMap(([, list]) => shuffled(list, random).slice(0, Math.max(1, Math.round(share * list.length))));
  return withLabels(
    problem,
    places.sort((a, b) => a - b),
  );
}

/** Least squares of log error on log labels. */
function powerSlope(points: readonly { labels: number; accuracy: number }[]): number {
  const xy = points.map(({ labels, accuracy }) => [Math.log(labels), Math.log(Math.max(1 - accuracy, 1e-3))] as const);
  const mean = (which: 0 | 1) => xy.reduce((sum, point) => sum + point[which], 0) / xy.length;
  const [mx, my] = [mean(0), mean(1)];
  const top = xy.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const bottom = xy.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return bottom > 0 ? -top / bottom : 0;
}
