/** Numbers as exports print them: rounded, never `-0`, so that the same labels give the same bytes everywhere. */

/** Decimals of coordinates in pixels: a region's identity counts thousandths too. */
export const PIXEL_DECIMALS = 3;
/** Decimals of scores and fractions. */
export const SCORE_DECIMALS = 6;

/** Rounded to `decimals`. The shortest print of the result has no more than those. */
export function rounded(value: number, decimals: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`an export met the number ${value}; records hold finite numbers`);
  const result = Number(value.toFixed(decimals));
  return result === 0 ? 0 : result;
}

export function pixel(value: number): number {
  return rounded(value, PIXEL_DECIMALS);
}

export function score(value: number): number {
  return rounded(value, SCORE_DECIMALS);
}
