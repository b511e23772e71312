/**
 * How frequent something is in data other than those a score was calibrated on, from the scores alone: expectation
 * maximisation (Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
 * Neural Computation 14, 2002), with a Beta prior, since few scores say little.
 */

export interface PriorShift {
  /** Log of p(score | right) / p(score | wrong), of each score or bin of scores, [n]. */
  readonly logRatios: ArrayLike<number>;
  /** How many scores each bin holds, [n]. */
  readonly counts: ArrayLike<number>;
  /** Share that is right where nothing else is known, 0 to 1. */
  readonly prior: number;
  /** How many scores the prior counts as. */
  readonly strength: number;
}

const MAX_STEPS = 500;
const TOLERANCE = 1e-9;
/** Beyond it a ratio is as good as certain, and its exponential is still a number. */
const MAX_LOG_RATIO = 50;

/** The share that is right: the mode of its posterior, 0 to 1. */
export function shareRight({ logRatios, counts, prior, strength }: PriorShift): number {
  let total = strength;
  for (let i = 0; i < counts.length; i++) total += counts[i];
  if (total === 0) return prior;
  let share = prior;
  for (let step = 0; step < MAX_STEPS; step++) {
    let right = strength * prior;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] > 0) right += counts[i] * chanceRight(logRatios[i], share);
    }
    const next = right / total;
    if (Math.abs(next - share) < TOLERANCE) return next;
    share = next;
  }
  return share;
}

/** The chance of being right at a share that is right. */
export function chanceRight(logRatio: number, share: number): number {
  const ratio = Math.exp(Math.min(MAX_LOG_RATIO, Math.max(-MAX_LOG_RATIO, logRatio)));
  return (share * ratio) / (share * ratio + 1 - share);
}
