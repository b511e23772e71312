/**
 * How many more labels: errors fall roughly as a power of the number of labels (Hestness et al. 2017, arXiv 1712.00409),
 * error(n) = a · n^−b. The slope b is that of the base model's held-out errors with a quarter, a half, three quarters and all
 * of its training labels; the level a is that of the final model, by its stated accuracy. How sure that is comes from drawing the measured
 * accuracies again, each with its own standard error. No answer is larger than the pile: beyond that nothing can be
 * labelled, and what the curve says of the whole pile is the limit of these features.
 */
import { seededRandom, shuffled } from '../../core/random.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { crossValidate } from './cross-validation.ts';
import type { RoundsResult } from './learn-rounds.ts';
import { baseHead, logitsOfRows } from './methods.ts';
import { type Problem, withLabels } from './problem.ts';

export interface CurvePoint {
  readonly labels: number;
  readonly accuracy: number;
}

export interface LearningCurve {
  /** Held-out accuracy of the base model by number of labels trained on. */
  readonly points: readonly CurvePoint[];
  readonly slope: number;
  /** The accuracy that the answer is about. */
  readonly goal: number;
  /**
   * Labels still needed for it, of the same kind as those there are; 0 when it is reached, null when it is out of reach: the
   * curve is flat, or the pile has no more.
   */
  readonly more: number | null;
  /** 95 %; null at the upper end: perhaps out of reach. */
  readonly moreInterval: readonly [low: number, high: number | null] | null;
  /** Accuracy that the curve promises when every item of the pile is labelled. */
  readonly limit: number;
}

const GOAL = 0.9;
const SHARES = [1 / 4, 1 / 2, 3 / 4];
/** Below this slope ten times the labels leave three quarters of the errors: no number would be honest. */
const FLAT = 0.125;
/** Draws of the accuracies that were measured. */
const DRAWS = 400;

export async function learningCurve(
  pool: InferencePool,
  problem: Problem,
  {
    settings,
    folds,
    trials,
    accuracy: stated,
    pile = problem.features.rows,
  }: Pick<RoundsResult, 'settings' | 'folds' | 'trials'> & {
    readonly accuracy: number;
    /** Items that could be labelled. Default: those of the problem. */
    readonly pile?: number;
  },
): Promise<LearningCurve | null> {
  const full = trials[0];
  const labels = problem.labelled.length;
  if (!full || labels < 3 * problem.classes) return null;
  const used = (labels * (folds.count - 1)) / folds.count;
  const points: CurvePoint[] = [];
  for (const share of SHARES) {
    const { accuracy } = await crossValidate(problem, folds, async (training, rows, fold) => {
      const part = someOf(training, share, fold);
      const head = await baseHead({ pool, joined: null, principal: null, seed: 0 }, part, settings);
      return logitsOfRows(pool, head, part.features, rows);
    });
    points.push({ labels: Math.round(share * used), accuracy });
  }
  points.push({ labels: Math.round(used), accuracy: full.accuracy });
  return { points, ...extrapolated(points, { labels, accuracy: stated }, pile) };
}

/**
 * @param now the final model: labels that it has, and its stated accuracy
 * @param pile items there are, labelled or not
 */
export function extrapolated(
  points: readonly CurvePoint[],
  now: CurvePoint,
  pile: number,
): Pick<LearningCurve, 'slope' | 'goal' | 'more' | 'moreInterval' | 'limit'> {
  const slope = powerSlope(points);
  const limit = 1 - (1 - now.accuracy) * (pile / now.labels) ** -Math.max(0, slope);
  const more = moreFor(slope, now, pile);
  if (more === 0) return { slope, goal: GOAL, more, moreInterval: null, limit };
  const random = seededRandom(0, 'learning-curve-interval');
  const again = (accuracy: number) => {
    const deviation = Math.sqrt((accuracy * (1 - accuracy)) / now.labels);
    return Math.min(1, Math.max(0, accuracy + deviation * normal(random)));
  };
  const draws = Array.from({ length: DRAWS }, () => {
    const drawn = points.map(({ labels, accuracy }) => ({ labels, accuracy: again(accuracy) }));
    return moreFor(powerSlope(drawn), { ...now, accuracy: again(now.accuracy) }, pile) ?? Number.POSITIVE_INFINITY;
  }).sort((a, b) => a - b);
  const [low, high] = [draws[Math.floor(0.025 * DRAWS)], draws[Math.ceil(0.975 * DRAWS) - 1]];
  const moreInterval = Number.isFinite(low) ? ([low, Number.isFinite(high) ? high : null] as const) : null;
  return { slope, goal: GOAL, more, moreInterval, limit };
}

function moreFor(slope: number, { labels, accuracy }: CurvePoint, pile: number): number | null {
  const [error, goalError] = [1 - accuracy, 1 - GOAL];
  if (error <= goalError) return 0;
  if (slope < FLAT) return null;
  const more = Math.ceil(labels * ((error / goalError) ** (1 / slope) - 1));
  return labels + more > pile ? null : more;
}

/** A standard normal number (G. E. P. Box and M. E. Muller 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
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
