/**
 * Which numbers of a picture are black and which are white. Pictures of 8 bits use all of them, as a rule; pictures of more
 * bits often use a few: a 12-bit camera's in 16 bits, a microscope's between 300 and 1,500, floating point from 0 to 1 or to
 * anything. Shown as if they used all, they are black.
 *
 * The rule goes by what the file says and then by what it holds, in this order; what was used is part of the answer:
 * 1. `declared`: the file names its least and greatest value (TIFF's SMinSampleValue and SMaxSampleValue);
 * 2. `bits`: the file names how many bits count (TIFF's BitsPerSample, PNG's sBIT), or the greatest value shows it: whole
 *    numbers below 2⁸, 2¹⁰, 2¹² or 2¹⁴ in 16 bits are of a camera with so many. All pictures of a series come out alike;
 * 3. `unit`: floating point between 0 and 1;
 * 4. `full`: all values of the type; nothing is changed;
 * 5. `observed`: where all that leaves the picture darker than an eighth, or nothing is known, from the 0.1th to the 99.9th
 *    percentile, which a dead pixel does not move.
 */

import type { SampleFormat } from './tiff/page.ts';

export interface SampleFacts {
  readonly format: SampleFormat;
  readonly bits: number;
  /** Of all numbers but infinities and what is no number; NaN where there are none. */
  readonly min: number;
  readonly max: number;
  /** 0.1th and 99.9th percentile. */
  readonly low: number;
  readonly high: number;
  readonly declared?: { readonly min: number; readonly max: number };
  /** Bits that count, where the file says it beside the bits of the type. */
  readonly significantBits?: number;
}

export interface ValueRange {
  readonly black: number;
  readonly white: number;
  readonly basis: 'declared' | 'bits' | 'unit' | 'full' | 'observed';
}

/** Depths that cameras have, when they are kept in 16 bits. */
const CAMERA_BITS = [8, 10, 12, 14] as const;
/** A picture whose brightest parts are below this share of white would be black to anybody who looks at it. */
const DARK_SHARE = 1 / 8;

export function valueRangeOf(facts: SampleFacts): ValueRange {
  const { min, max, low, high } = facts;
  const nominal = nominalRange(facts);
  // A picture of one value is that value's: there is nothing to stretch.
  if (!(max > min)) return nominal ?? { black: Math.min(0, min || 0), white: Math.max(1, max || 0), basis: 'observed' };
  if (nominal !== undefined && high - nominal.black >= DARK_SHARE * (nominal.white - nominal.black)) return nominal;
  return high > low ? { black: low, white: high, basis: 'observed' } : { black: min, white: max, basis: 'observed' };
}

function nominalRange({ format, bits, min, max, declared, significantBits }: SampleFacts): ValueRange | undefined {
  const full = 2 ** bits - 1;
  // A file that names all of its type's values says nothing.
  if (declared !== undefined && !(declared.min <= 0 && declared.max >= full)) {
    return { black: declared.min, white: declared.max, basis: 'declared' };
  }
  if (format === 'float') return min >= 0 && max <= 1 ? { black: 0, white: 1, basis: 'unit' } : undefined;
  if (min < 0) return undefined;
  if (significantBits !== undefined && significantBits < bits && max < 2 ** significantBits) {
    return { black: 0, white: 2 ** significantBits - 1, basis: 'bits' };
  }
  if (format === 'uint' && bits < 16 && bits !== 8) return { black: 0, white: full, basis: 'bits' };
  if (format === 'uint' && bits === 8) return { black: 0, white: full, basis: 'full' };
  const depth = CAMERA_BITS.find((candidate) => max < 2 ** candidate);
  if (depth !== undefined) return { black: 0, white: 2 ** depth - 1, basis: 'bits' };
  if (format === 'uint' && bits === 16) return { black: 0, white: full, basis: 'full' };
  // Signed numbers of 16 bits that are never below 0 have 15; more bits than 16 say nothing about what is white.
  return max < 2 ** 16 ? { black: 0, white: max < 2 ** 15 ? 2 ** 15 - 1 : 2 ** 16 - 1, basis: 'bits' } : undefined;
}

/** Gathers the facts of numbers as they come: extremes of all, percentiles of a sample in fixed steps. */
export class SampleStatistics {
  readonly #step: number;
  readonly #sample: number[] = [];
  #count = 0;
  #skipped = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** `expected` numbers will come; the sample has at most 262,144 of them (2 MB). */
  constructor(expected: number) {
    // An odd step, so that it does not fall on the same channel of every pixel.
    this.#step = Math.max(1, Math.ceil(expected / 2 ** 18)) | 1;
  }

  add(values: ArrayLike<number>, from = 0, step = 1): void {
    let [count, min, max, skipped] = [this.#count, this.#min, this.#max, 0];
    for (let i = from; i < values.length; i += step) {
      const value = values[i];
      // Also false for what is no number.
      if (!(value - value === 0)) {
        skipped++;
        continue;
      }
      if (value < min) min = value;
      if (value > max) max = value;
      if (count++ % this.#step === 0) this.#sample.push(value);
    }
    [this.#count, this.#min, this.#max] = [count, min, max];
    this.#skipped += skipped;
  }

  /** Infinities and what is no number. */
  get skipped(): number {
    return this.#skipped;
  }

  facts(): Pick<SampleFacts, 'min' | 'max' | 'low' | 'high'> {
    if (this.#count === 0) return { min: Number.NaN, max: Number.NaN, low: Number.NaN, high: Number.NaN };
    const sorted = Float64Array.from(this.#sample).sort();
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
    return { min: this.#min, max: this.#max, low: at(0.001), high: at(0.999) };
  }
}

/** A number as 8 bits: black and below is 0, white and above 255, what is no number 0. */
export function toByte(value: number, { black, white }: ValueRange): number {
  const share = (value - black) / (white - black);
  if (!(share > 0)) return 0;
  return share >= 1 ? 255 : Math.floor(share * 255 + 0.5);
}
