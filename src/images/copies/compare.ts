/**
 * Whether two prints show the same picture: laid over each other, with brightness and contrast taken out, they agree in
 * correlation, and there is no cell with something in the one where the other is calm.
 *
 * The second test is what tells pages apart. Two pages of text correlate at .9 and more since both are text at the top and
 * white below; but a word where the other has none is a difference that no compression, scaling or misalignment makes.
 */
import { isPaper, PRINT_BYTES, PRINT_SIDE } from './print.ts';
import type { Turn, Window } from './windows.ts';

export interface Likeness {
  /** Normalised cross-correlation after the tones are matched, −1 to 1. */
  readonly correlation: number;
  /** The greatest difference of a cell in grey levels, less what its surroundings vary by in the calmer of the two. */
  readonly excess: number;
}

/** Windows are compared at this many cells a side, and searched for at fewer. */
const [FINE, COARSE] = [16, 12] as const;

/**
 * Chosen on the benchmark sets for hardly any pair of different classes with nearly all copies found: at .96 and 10,
 * electronics has 10 such pairs and not 2, euro-coins 21 and not 8, and crops are found in 2 cases of 100 more. docs/add.md has
 * the figures.
 */
const MIN_CORRELATION = 0.98;
const MAX_EXCESS = 8;
/** Whole pages at the print's own resolution: copies have an excess of 0 to 2, other pages of 17 and more. */
const [PAGE_CORRELATION, PAGE_EXCESS] = [0.97, 10] as const;
/** Not worth a search: copies have .85 and more before it. */
const MIN_FIRST_CORRELATION = 0.75;

/** Whether two pages are copies of each other, upright and whole. */
export function isSamePage(a: Uint8Array, b: Uint8Array): boolean {
  const { correlation, excess } = likenessOf(Float64Array.from(a), Float64Array.from(b), PRINT_SIDE);
  return correlation >= PAGE_CORRELATION && excess <= PAGE_EXCESS;
}

/**
 * Whether `b` is what a window of `a` shows, each turned as said. The window is moved a little to where it fits best: it
 * comes from a coarse list.
 */
export function isCopy(a: Uint8Array, window: Window, turnA: Turn, b: Uint8Array, turnB: Turn): boolean {
  const coarse = fitterOf(a, turnA, b, turnB, COARSE);
  const first = coarse.fit(window);
  if (first < MIN_FIRST_CORRELATION) return false;
  const near = climbed(window, coarse.fit, [0.04, 0.02]);
  if (near.correlation < MIN_CORRELATION - 0.04) return false;
  // What tells pages apart is small, and so is what tells parts on white paper apart.
  const side = isPaper(a) && isPaper(b) ? PRINT_SIDE : FINE;
  const fine = fitterOf(a, turnA, b, turnB, side);
  const { window: best } = climbed(near.window, fine.fit, [0.01, 0.005]);
  const likeness = likenessOf(fine.sampled(best), fine.wanted, side);
  return likeness.correlation >= MIN_CORRELATION && likeness.excess <= MAX_EXCESS;
}

/** How well windows of one print fit another one as a whole, at a resolution. */
function fitterOf(a: Uint8Array, turnA: Turn, b: Uint8Array, turnB: Turn, side: number) {
  const whole = { left: 0, right: 1, top: 0, bottom: 1 };
  const wanted = sample(b, whole, turnB, new Float64Array(side * side), side);
  const into = new Float64Array(side * side);
  const sampled = (window: Window) => sample(a, window, turnA, into, side);
  return { wanted, sampled, fit: (window: Window) => correlationOf(sampled(window), wanted) };
}

/** Moves the window as a whole, and each of its edges, as long as it fits better, in ever smaller steps. */
function climbed(start: Window, fit: (window: Window) => number, steps: readonly number[]) {
  let window = start;
  let correlation = fit(start);
  for (const step of steps) {
    for (let better = true; better; ) {
      better = false;
      for (const [left, right, top, bottom] of MOVES) {
        const moved = {
          left: Math.max(0, window.left + left * step),
          right: Math.min(1, window.right + right * step),
          top: Math.max(0, window.top + top * step),
          bottom: Math.min(1, window.bottom + bottom * step),
        };
        const now = fit(moved);
        if (now <= correlation + 1e-4) continue;
        [window, correlation, better] = [moved, now, true];
      }
    }
  }
  return { window, correlation };
}

/** Of the four edges. */
const MOVES = [
  [1, 1, 0, 0],
  [-1, -1, 0, 0],
  [0, 0, 1, 1],
  [0, 0, -1, -1],
  [1, 0, 0, 0],
  [-1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, -1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, -1, 0],
  [0, 0, 0, 1],
  [0, 0, 0, -1],
] as const;

/** The window of a print, turned, at `side` × `side` points between its cells. */
function sample(
  print: Uint8Array,
  { left, right, top, bottom }: Window,
  turn: Turn,
  into: Float64Array,
  side: number,
): Float64Array {
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      let [u, v] = [(i + 0.5) / side, (j + 0.5) / side];
      if (turn & 4) [u, v] = [v, u];
      if (turn & 1) u = 1 - u;
      if (turn & 2) v = 1 - v;
      const x = Math.min(PRINT_SIDE - 1.001, Math.max(0, (left + (right - left) * u) * PRINT_SIDE - 0.5));
      const y = Math.min(PRINT_SIDE - 1.001, Math.max(0, (top + (bottom - top) * v) * PRINT_SIDE - 0.5));
      const at = Math.floor(y) * PRINT_SIDE + Math.floor(x);
      const [shareX, shareY] = [x % 1, y % 1];
      const above = print[at] + shareX * (print[at + 1] - print[at]);
      const below = print[at + PRINT_SIDE] + shareX * (print[at + PRINT_SIDE + 1] - print[at + PRINT_SIDE]);
      into[j * side + i] = above + shareY * (below - above);
    }
  }
  return into;
}

function correlationOf(a: Float64Array, b: Float64Array): number {
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
  // Of one brightness all over: there is nothing that could agree.
  if (!(spread > 1e-6)) return 0;
  return (products - (sumA * sumB) / a.length) / Math.sqrt(spread);
}

/** @param a and b shape [side, side] */
export function likenessOf(a: Float64Array, b: Float64Array, side: number): Likeness {
  const [byLine, byTones] = [lineMatched(a, b), tonesMatched(a, b)];
  const matched = correlationOf(byTones, b) > correlationOf(byLine, b) ? byTones : byLine;
  const [rangeA, rangeB] = [rangesOf(matched, side), rangesOf(b, side)];
  let excess = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < b.length; i++) {
    excess = Math.max(excess, Math.abs(matched[i] - b[i]) - Math.min(rangeA[i], rangeB[i]));
  }
  return { correlation: correlationOf(matched, b), excess };
}

/** `a` with the brightness and contrast that bring it nearest to `b` (least squares). */
function lineMatched(a: Float64Array, b: Float64Array): Float64Array {
  const meanA = a.reduce((sum, value) => sum + value, 0) / a.length;
  const meanB = b.reduce((sum, value) => sum + value, 0) / b.length;
  let [products, squares] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    products += (a[i] - meanA) * (b[i] - meanB);
    squares += (a[i] - meanA) ** 2;
  }
  const gain = products / Math.max(1e-6, squares);
  return a.map((value) => meanB + gain * (value - meanA));
}

const TONES = 12;
/** A tone that fewer cells have is no measure of how it was changed. */
const MIN_TONE_CELLS = 4;

/** `a` with its tones changed to those of `b`: the mean of `b` where `a` has a tone, lines between. */
function tonesMatched(a: Float64Array, b: Float64Array): Float64Array {
  const [low, high] = [Math.min(...a), Math.max(...a)];
  const counts = new Float64Array(TONES);
  const [sumsA, sumsB] = [new Float64Array(TONES), new Float64Array(TONES)];
  for (let i = 0; i < a.length; i++) {
    const tone = Math.min(TONES - 1, Math.floor(((a[i] - low) / Math.max(1e-6, high - low)) * TONES));
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
  return a.map((value) => {
    let tone = 0;
    while (tone < from.length - 2 && value > from[tone + 1]) tone++;
    const share = (value - from[tone]) / (from[tone + 1] - from[tone]);
    return to[tone] + Math.max(-0.5, Math.min(1.5, share)) * (to[tone + 1] - to[tone]);
  });
}

/** How much the cells around each one vary, itself included. */
function rangesOf(cells: Float64Array, side: number): Float64Array {
  return cells.map((_, at) => {
    const [x, y] = [at % side, Math.floor(at / side)];
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let j = Math.max(0, y - 1); j <= Math.min(side - 1, y + 1); j++) {
      for (let i = Math.max(0, x - 1); i <= Math.min(side - 1, x + 1); i++) {
        low = Math.min(low, cells[j * side + i]);
        high = Math.max(high, cells[j * side + i]);
      }
    }
    return high - low;
  });
}

/** Whether a print has anything in it that could be found again. */
export function hasStructure(print: Uint8Array): boolean {
  let [sum, squares] = [0, 0];
  for (const value of print) {
    sum += value;
    squares += value * value;
  }
  return squares / PRINT_BYTES - (sum / PRINT_BYTES) ** 2 >= MIN_VARIANCE;
}

/** Grey levels squared: blank walls and skies with less are all alike. */
const MIN_VARIANCE = 9;
