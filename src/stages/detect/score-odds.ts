/**
 * What a detector's scores mean: measured on `coco-train128` (128 photographs, 929 boxes), a candidate being right when it is
 * of the class of a box that it overlaps by half. `npm run bench -- doubt` prints the numbers.
 */

export interface ScoreOdds {
  /** log odds of being right = intercept + slope · logit(score), on those photographs. */
  readonly intercept: number;
  readonly slope: number;
  /** Share of all candidates that is right there, 0 to 1. */
  readonly share: number;
}

/** NanoDet's scores mean different things for different classes: doubting them costs precision, so it is not here. */
const ODDS: Readonly<Record<string, ScoreOdds>> = {
  centernet: { intercept: 1.4744, slope: 2.6774, share: 0.0695 },
};

/** Undefined for models that were not measured. */
export function scoreOddsOf(detector: string): ScoreOdds | undefined {
  return ODDS[detector];
}
