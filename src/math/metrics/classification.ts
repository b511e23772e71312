/**
 * How well labels agree with known classes. Classes are numbers from 0; −1 stands for "no label". Nothing here knows
 * names, tasks or thresholds.
 */
import { seededRandom } from '../../core/random.ts';

/** One item with its true class and what was said of it. */
export interface Judged {
  /** Shape [n], class index, 0 or more. */
  readonly truth: ArrayLike<number>;
  /** Shape [n], class index, or −1 where there is no label. */
  readonly predicted: ArrayLike<number>;
}

/** Precision, recall and F1 of one class; 0 where the denominator is 0. */
export interface ClassScores {
  readonly classIndex: number;
  /** Labelled items whose true class this is. */
  readonly groundTruth: number;
  /** Items that were given this class. */
  readonly predicted: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Share of items that have a label; null when there are none. */
export function coverage({ truth, predicted }: Judged): number | null {
  return truth.length > 0 ? countLabelled({ truth, predicted }) / truth.length : null;
}

/** Share of right labels among the items that have one; null when none has. */
export function accuracy(judged: Judged): number | null {
  const labelled = countLabelled(judged);
  return labelled > 0 ? countRight(judged) / labelled : null;
}

/** Share of right labels among all items, no label counting as wrong; null when there are no items. */
export function accuracyOfAll(judged: Judged): number | null {
  return judged.truth.length > 0 ? countRight(judged) / judged.truth.length : null;
}

/**
 * Shape [classes, classes], a row for each true class, a column for each given one. Items without a label are left out.
 * Cost O(n + classes²).
 */
export function confusionMatrix({ truth, predicted }: Judged, classes: number): Int32Array {
  const matrix = new Int32Array(classes * classes);
  for (let i = 0; i < truth.length; i++) if (predicted[i] >= 0) matrix[truth[i] * classes + predicted[i]]++;
  return matrix;
}

/**
 * Scores of every class that is the true class of a labelled item, in order of class: what scikit-learn's
 * `precision_recall_fscore_support` gives with `labels` set to those classes and `zero_division=0`.
 */
export function classScores({ truth, predicted }: Judged): ClassScores[] {
  const groundTruth = new Map<number, number>();
  const given = new Map<number, number>();
  const right = new Map<number, number>();
  const count = (map: Map<number, number>, key: number) => map.set(key, (map.get(key) ?? 0) + 1);
  for (let i = 0; i < truth.length; i++) {
    if (predicted[i] < 0) continue;
    count(groundTruth, truth[i]);
    count(given, predicted[i]);
    if (truth[i] === predicted[i]) count(right, truth[i]);
  }
  return [...groundTruth.keys()]
    .sort((a, b) => a - b)
    .map((classIndex) => {
      const [t, p, r] = [groundTruth, given, right].map((map) => map.get(classIndex) ?? 0);
      return {
        classIndex,
        groundTruth: t,
        predicted: p,
        precision: p > 0 ? r / p : 0,
        recall: r / t,
        f1: (2 * r) / (t + p),
      };
    });
}

/** Mean F1 over the true classes of the labelled items, each class alike; null when nothing is labelled. */
export function macroF1(judged: Judged): number | null {
  const scores = classScores(judged);
  return scores.length > 0 ? scores.reduce((sum, score) => sum + score.f1, 0) / scores.length : null;
}

/** Bins of equal width over (0, 1], as most papers use since Guo et al. 2017. */
const CALIBRATION_BINS = 15;

/**
 * Expected calibration error over 15 bins of equal width, a bin holding its upper edge (Guo et al., "On Calibration of
 * Modern Neural Networks", ICML 2017): Σ (items in bin / n) · |share right in bin − mean confidence in bin|.
 *
 * @param confidences shape [n], 0 to 1.
 * @param right shape [n], 1 where the label was right, else 0.
 * @returns null when there are no items.
 */
export function expectedCalibrationError(confidences: ArrayLike<number>, right: ArrayLike<number>): number | null {
  if (confidences.length === 0) return null;
  const { confidence, correct } = calibrationSums(confidences, right);
  return confidence.reduce((sum, c, bin) => sum + Math.abs(correct[bin] - c), 0) / confidences.length;
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly count: number;
  /** Mean of the bin. */
  readonly confidence: number;
  /** Share that is right. */
  readonly accuracy: number;
}

/** The bins that {@link expectedCalibrationError} sums up, from the least sure on; empty ones are left out. */
export function reliability(confidences: ArrayLike<number>, right: ArrayLike<number>): ReliabilityBin[] {
  const { confidence, correct, counts } = calibrationSums(confidences, right);
  return Array.from(counts, (count, bin) => ({
    count,
    confidence: confidence[bin] / count,
    accuracy: correct[bin] / count,
  })).filter(({ count }) => count > 0);
}

/** Sums of confidences and of right ones, and how many there are, shape [bins] each. */
function calibrationSums(confidences: ArrayLike<number>, right: ArrayLike<number>) {
  const confidence = new Float64Array(CALIBRATION_BINS);
  const correct = new Float64Array(CALIBRATION_BINS);
  const counts = new Uint32Array(CALIBRATION_BINS);
  for (let i = 0; i < confidences.length; i++) {
    const bin = Math.min(Math.max(Math.ceil(confidences[i] * CALIBRATION_BINS) - 1, 0), CALIBRATION_BINS - 1);
    confidence[bin] += confidences[i];
    correct[bin] += right[i];
    counts[bin]++;
  }
  return { confidence, correct: correct, counts };
}

const DRAWS = 200;

/**
 * The calibration error that confidences which are exactly right would show on so few items: the mean over 200 draws in
 * which each item is right with the probability that it claims. The error is a sum of amounts, so chance only adds to it
 * (Kumar, Liang and Ma, "Verified Uncertainty Calibration", NeurIPS 2019, 5).
 *
 * @param confidences shape [n], 0 to 1.
 * @returns null when there are no items.
 */
export function calibrationErrorByChance(confidences: ArrayLike<number>): number | null {
  if (confidences.length === 0) return null;
  const random = seededRandom(0, 'calibration-by-chance');
  let sum = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const right = Float64Array.from(confidences, (confidence) => Number(random() < confidence));
    sum += expectedCalibrationError(confidences, right) as number;
  }
  return sum / DRAWS;
}

/**
 * Score interval of a share (Wilson, JASA 22, 1927): unlike the normal one it stays within 0 to 1 and holds its level
 * for small n and shares near 0 or 1.
 *
 * @param z 1.959964 (the default) gives 95 %.
 */
export function wilsonInterval(right: number, n: number, z = 1.959963984540054): readonly [low: number, high: number] {
  if (n === 0) return [0, 1];
  const share = right / n;
  const centre = share + (z * z) / (2 * n);
  const half = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [right === 0 ? 0 : (centre - half) / scale, right === n ? 1 : (centre + half) / scale];
}

function countLabelled({ predicted }: Judged): number {
  let count = 0;
  for (let i = 0; i < predicted.length; i++) if (predicted[i] >= 0) count++;
  return count;
}

function countRight({ truth, predicted }: Judged): number {
  let count = 0;
  for (let i = 0; i < truth.length; i++) if (predicted[i] === truth[i]) count++;
  return count;
}
