/**
 * How much two prints that lie over each other agree as a whole, with brightness and contrast taken out: their correlation, and
 * whether some cell has something in the one where the other is calm. `detail.ts` says whether they agree in every part.
 * Cost: about 10 µs for 16 × 16 cells.
 */
export interface Likeness {
  /** Normalised cross-correlation after the tones are matched, −1 to 1. */
  readonly correlation: number;
  /** The greatest difference of a cell in grey levels, less what its surroundings vary by in the calmer of the two. */
  readonly excess: number;
}

/** @param a and b shape [side, side], grey levels */
export function likenessOf(a: Float64Array, b: Float64Array, side: number): Likeness {
  const { matched, correlation } = matchedTo(a, b);
  const [rangeA, rangeB] = [rangesOf(matched, side), rangesOf(b, side)];
  let excess = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < b.length; i++) {
    excess = Math.max(excess, Math.abs(matched[i] - b[i]) - Math.min(rangeA[i], rangeB[i]));
  }
  return { correlation, excess };
}

/** `a` with the brightness and contrast of `b`, by a line or tone by tone, whichever brings it nearer. */
export function matchedTo(a: Float64Array, b: Float64Array): { matched: Float64Array; correlation: number } {
  const [byLine, byTones] = [lineMatched(a, b), tonesMatched(a, b)];
  const [lineCorrelation, toneCorrelation] = [correlationOf(byLine, b), correlationOf(byTones, b)];
  return toneCorrelation > lineCorrelation
    ? { matched: byTones, correlation: toneCorrelation }
    : { matched: byLine, correlation: lineCorrelation };
}

/** Pearson's correlation of two rows of numbers; 0 where one of them is the same all over, since nothing could agree. */
export function correlationOf(a: Float64Array, b: Float64Array): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    sumA += x;
    sumB += y;
    squaresA += x * x;
    squaresB += y * y;
    products += x * y;
  }
  const spread = (squaresA - (sumA * sumA) / a.length) * (squaresB - (sumB * sumB) / a.length);
  return spread > 1e-6 ? (products - (sumA * sumB) / a.length) / Math.sqrt(spread) : 0;
}

/** `a` with the brightness and contrast that bring it nearest to `b` (least squares). */
function lineMatched(a: Float64Array, b: Float64Array): Float64Array {
  let [sumA, sumB] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    sumA += a[i];
    sumB += b[i];
  }
  const [meanA, meanB] = [sumA / a.length, sumB / a.length];
  let [products, squares] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    products += (a[i] - meanA) * (b[i] - meanB);
    squares += (a[i] - meanA) ** 2;
  }
  const gain = products / Math.max(1e-6, squares);
  const matched = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) matched[i] = meanB + gain * (a[i] - meanA);
  return matched;
}

const TONES = 12;
/** A tone that fewer cells have is no measure of how it was changed. */
const MIN_TONE_CELLS = 4;

/** `a` with its tones changed to those of `b`: the mean of `b` where `a` has a tone, lines between. */
function tonesMatched(a: Float64Array, b: Float64Array): Float64Array {
  let [low, high] = [a[0], a[0]];
  for (let i = 1; i < a.length; i++) {
    low = Math.min(low, a[i]);
    high = Math.max(high, a[i]);
  }
  const counts = new Float64Array(TONES);
  const [sumsA, sumsB] = [new Float64Array(TONES), new Float64Array(TONES)];
  const tonesPerLevel = TONES / Math.max(1e-6, high - low);
  for (let i = 0; i < a.length; i++) {
    const tone = Math.min(TONES - 1, Math.floor((a[i] - low) * tonesPerLevel));
    counts[tone]++;
    sumsA[tone] += a[i];
    sumsB[tone] += b[i];
  }
  const from: number[] = [];
  const to: number[] = [];
  for (let tone = 0; tone < TONES; tone++) {
    if (counts[tone] < MIN_TONE_CELLS) continue;
    from.push(sumsA[tone] / counts[tone]);
    to.push(sumsB[tone] / counts[tone]);
  }
  if (from.length < 2) return a;
  const matched = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) {
    let tone = 0;
    while (tone < from.length - 2 && a[i] > from[tone + 1]) tone++;
    const share = (a[i] - from[tone]) / (from[tone + 1] - from[tone]);
    matched[i] = to[tone] + Math.max(-0.5, Math.min(1.5, share)) * (to[tone + 1] - to[tone]);
  }
  return matched;
}

/** How much the cells around each one vary, itself included: the range of a 3 × 3 window, along rows and then columns. */
function rangesOf(cells: Float64Array, side: number): Float64Array {
  const [lows, highs] = [new Float64Array(cells.length), new Float64Array(cells.length)];
  for (let at = 0; at < cells.length; at++) {
    const x = at % side;
    const [before, after] = [cells[x === 0 ? at : at - 1], cells[x === side - 1 ? at : at + 1]];
    lows[at] = Math.min(before, cells[at], after);
    highs[at] = Math.max(before, cells[at], after);
  }
  const ranges = new Float64Array(cells.length);
  for (let at = 0; at < cells.length; at++) {
    const [above, below] = [at < side ? at : at - side, at >= cells.length - side ? at : at + side];
    ranges[at] = Math.max(highs[above], highs[at], highs[below]) - Math.min(lows[above], lows[at], lows[below]);
  }
  return ranges;
}
