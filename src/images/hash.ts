/**
 * Perceptual hash: 64 bits that hardly change when a picture is compressed again, resized, or slightly changed in
 * brightness, and that differ in about half their bits between different pictures.
 *
 * DCT hash after C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.2: the
 * luminance at 32 × 32, its two-dimensional DCT-II, the 8 × 8 lowest frequencies without those of zero, and one bit each for
 * being above their median. Cost: 32·32·9 + 32·9·9 multiplications, about 20 µs.
 */
import type { Luminance } from './quality.ts';

const SIDE = 32;
const FREQUENCIES = 8;

/** cos((2x + 1)·u·π / 64), shape [u = 1…8, x = 0…31]. */
const COSINES = Float64Array.from({ length: FREQUENCIES * SIDE }, (_, i) => {
  const [u, x] = [Math.floor(i / SIDE) + 1, i % SIDE];
  return Math.cos(((2 * x + 1) * u * Math.PI) / (2 * SIDE));
});

/** Coefficients below this (of at most 130,000) are rounding noise: a picture of one colour has hash 0. */
const NOISE = 64;

/**
 * The hash as 16 hexadecimal digits. `NO_STRUCTURE` for pictures that are all one colour, of which a hash can say nothing.
 */
export function perceptualHashOf(luminance: Luminance): string {
  const small = shrunk(luminance);
  const rows = new Float64Array(FREQUENCIES * SIDE);
  for (let u = 0; u < FREQUENCIES; u++) {
    for (let y = 0; y < SIDE; y++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += small[y * SIDE + x] * COSINES[u * SIDE + x];
      rows[u * SIDE + y] = sum;
    }
  }
  const coefficients = new Float64Array(FREQUENCIES * FREQUENCIES);
  for (let v = 0; v < FREQUENCIES; v++) {
    for (let u = 0; u < FREQUENCIES; u++) {
      let sum = 0;
      for (let y = 0; y < SIDE; y++) sum += rows[u * SIDE + y] * COSINES[v * SIDE + y];
      coefficients[v * FREQUENCIES + u] = Math.abs(sum) < NOISE ? 0 : sum;
    }
  }
  const sorted = coefficients.slice().sort();
  const median = (sorted[31] + sorted[32]) / 2;
  let hex = '';
  for (let i = 0; i < 64; i += 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++) digit = digit * 2 + (coefficients[i + bit] > median ? 1 : 0);
    hex += digit.toString(16);
  }
  return hex;
}

/** The hash of a picture of one colour. */
export const NO_STRUCTURE = '0'.repeat(16);

/** Mean of the pixels under each of 32 × 32 cells, whatever the picture's shape; shape [32, 32]. */
function shrunk({ pixels, width, height }: Luminance): Float64Array {
  const out = new Float64Array(SIDE * SIDE);
  for (let cellY = 0; cellY < SIDE; cellY++) {
    const top = Math.floor((cellY * height) / SIDE);
    const bottom = Math.max(top + 1, Math.floor(((cellY + 1) * height) / SIDE));
    for (let cellX = 0; cellX < SIDE; cellX++) {
      const left = Math.floor((cellX * width) / SIDE);
      const right = Math.max(left + 1, Math.floor(((cellX + 1) * width) / SIDE));
      let sum = 0;
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += pixels[y * width + x];
      out[cellY * SIDE + cellX] = sum / ((bottom - top) * (right - left));
    }
  }
  return out;
}

/** Bits set in a 32-bit number. */
export function popcount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits in which two hashes of 16 hexadecimal digits differ, 0 to 64. */
export function hammingDistance(a: string, b: string): number {
  const half = (hash: string, start: number) => Number.parseInt(hash.slice(start, start + 8), 16);
  return popcount(half(a, 0) ^ half(b, 0)) + popcount(half(a, 8) ^ half(b, 8));
}
