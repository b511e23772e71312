/**
 * The accuracy of machine labels on many items, from a few items whose true class is known.
 *
 * The difference estimator of survey sampling (C.-E. Särndal, B. Swensson and J. Wretman, Model Assisted Survey Sampling,
 * 1992, 6.3; "prediction-powered inference", A. N. Angelopoulos et al., Science 382, 2023): the mean confidence of all items
 * corrected by the mean of (right − confidence) on the known ones. It bears known items that are easier or harder than the
 * rest, as far as the confidence tells.
 *
 * Calibrated confidences are evidence of their own: they are taken for some known items that agree with them, so n known items correct the mean confidence by n / (n + worth) of their mean error. Where that error is larger than
 * chance and such confidences explain, they are worth less (empirical Bayes, positive part: C. Morris, JASA 78, 1983).
 *
 * The interval is Wilson's for the number of known items that the estimate is worth. The constants are near those with the
 * best interval score (T. Gneiting and A. E. Raftery, JASA 102, 2007) on ten sets, 5 and 10 % labelled: 1.5, 25 and 100,
 * whichever set is left out, but once 40 for 25; 15 is safer. How often intervals hold and how wide they are is what `npm run
 * bench -- honesty` prints.
 */
import { wilsonInterval } from './classification.ts';

export interface KnownItems {
  /** Confidence of the machine's class, shape [n], by a model that had not seen the item's label. */
  readonly confidence: ArrayLike<number>;
  /** 1 where that class is the true one, else 0; shape [n]. */
  readonly correct: ArrayLike<number>;
  /**
   * How they came to be known: `audit` by chance, and none was learned from; `random` by chance, and the rest of them was
   * learned from when each was judged; `picked` for what they would teach.
   */
  readonly drawn: 'audit' | 'random' | 'picked';
}

export interface PileAccuracy {
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: readonly [low: number, high: number];
  /** Known items that it rests on. */
  readonly count: number;
}

/** Known items that calibrated confidences are worth. */
const CONFIDENCE_WORTH = 15;
/**
 * Held-out items err together: their models share most labels, were chosen by them (method, penalty, temperature), and take
 * whole clusters for one class. So many of them are worth one that is independent.
 */
const HELD_OUT_PER_ITEM = 1.5;
/**
 * Picked items are easier or harder than the rest in ways that confidence does not tell, however many there are: together
 * they are never worth more than this.
 */
const PICKED_WORTH = 100;

/** Of the items that an accuracy is asked of: how many, and the mean of their confidences (0 where there are none). */
export interface PileConfidence {
  readonly size: number;
  readonly mean: number;
}

export function pileConfidence(confidences: ArrayLike<number>): PileConfidence {
  const size = confidences.length;
  return { size, mean: size === 0 ? 0 : meanOf(size, (i) => confidences[i]) };
}

/** @returns null where nothing is asked; where nothing is known, what the confidences are worth */
export function pileAccuracy({ size, mean: confidence }: PileConfidence, known: KnownItems): PileAccuracy | null {
  const count = known.correct.length;
  if (size === 0) return null;
  const independent = known.drawn === 'audit' ? count : count / HELD_OUT_PER_ITEM;
  const error = count === 0 ? 0 : meanOf(count, (i) => known.correct[i] - known.confidence[i]);
  const worth = count === 0 ? CONFIDENCE_WORTH : worthOf(confidence, error, independent);
  const share = Math.min(1, Math.max(0, confidence + (independent / (independent + worth)) * error));
  const ofPicking = known.drawn === 'picked' ? 1 / PICKED_WORTH : 0;
  // The pile's own items are right or wrong by chance too.
  const items = 1 / (1 / (independent + worth) + 1 / size + ofPicking);
  const [low, high] = wilsonInterval(share * items, items);
  // Half an item right and half an item wrong more (Jeffreys): forty of forty are not all of a thousand.
  const accuracy = (share * items + 0.5) / (items + 1);
  // Where no error was seen there may be none, whatever the confidences are worth.
  const isFaultless = count > 0 && meanOf(count, (i) => known.correct[i]) === 1;
  return { accuracy, interval: [Math.max(0, low), isFaultless ? 1 : Math.min(1, high)], count };
}

/** Known items that these confidences are worth, after the error that was seen. */
function worthOf(confidence: number, error: number, independent: number): number {
  const share = Math.min(0.98, Math.max(0.02, confidence + error / 2));
  const variance = share * (1 - share);
  const unexplained = error ** 2 - variance / independent;
  return unexplained > 0 ? Math.min(CONFIDENCE_WORTH, variance / unexplained) : CONFIDENCE_WORTH;
}

function meanOf(count: number, value: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += value(i);
  return sum / count;
}
