/**
 * The accuracy of machine labels on many items, from a few items whose true class is known.
 *
 * The difference estimator of survey sampling (C.-E. Särndal, B. Swensson and J. Wretman, Model Assisted Survey Sampling,
 * 1992, 6.3; "prediction-powered inference", A. N. Angelopoulos et al., Science 382, 2023): the mean confidence of all items
 * corrected by the mean of (right − confidence) on the known ones. Where the confidences are good the interval is narrower
 * than that of the known items alone, and where they are not it still holds. It also bears known items that are easier or
 * harder than the rest, as far as the confidence tells.
 */

export interface KnownItems {
  /** Confidence of the machine's class, shape [n], by a model that had not seen the item's label. */
  readonly confidence: ArrayLike<number>;
  /** 1 where that class is the true one, else 0; shape [n]. */
  readonly correct: ArrayLike<number>;
  /** How they came to be known: by chance, or picked for what they would teach. */
  readonly drawn: 'random' | 'picked';
}

export interface PileAccuracy {
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: readonly [low: number, high: number];
  /** Known items that it rests on. */
  readonly count: number;
}

const Z = 1.959963984540054;
/** Two known items' worth of belief in the confidences: the correction of few items is drawn towards none. */
const PRIOR_ITEMS = 2;
/** Variance of (right − confidence) assumed of one item more than was seen, so that no interval rests on agreement by chance. */
const PRIOR_VARIANCE = 0.25;
/**
 * Picked items are harder than the rest in ways that confidence does not tell, so the estimate is too low; by how much is
 * what `npm run bench -- honesty` prints as `stated` and `truth` of picked labels.
 */
const PICKED_MARGIN = 0.08;

/**
 * @param pile confidences of the items that the accuracy is asked of, shape [N]
 * @returns null where nothing is known or asked
 */
export function pileAccuracy(pile: ArrayLike<number>, known: KnownItems): PileAccuracy | null {
  const count = known.correct.length;
  const size = pile.length;
  if (count === 0 || size === 0) return null;
  const confidence = meanOf(size, (i) => pile[i]);
  const error = momentsOf(count, (i) => known.correct[i] - known.confidence[i]);
  const accuracy = clamped(confidence + (count / (count + PRIOR_ITEMS)) * error.mean);
  // The known items' mean error differs from the pile's by the chance of both.
  const variance = ((error.variance * count + PRIOR_VARIANCE) / (count + 1)) * (1 / count + 1 / size);
  const half = Z * Math.sqrt(variance + 1 / count ** 2);
  const more = known.drawn === 'picked' ? PICKED_MARGIN : 0;
  return { accuracy, interval: [clamped(accuracy - half), clamped(accuracy + half + more)], count };
}

function momentsOf(count: number, value: (i: number) => number): { mean: number; variance: number } {
  const mean = meanOf(count, value);
  return { mean, variance: meanOf(count, (i) => (value(i) - mean) ** 2) };
}

function meanOf(count: number, value: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += value(i);
  return sum / count;
}

function clamped(share: number): number {
  return Math.min(1, Math.max(0, share));
}
