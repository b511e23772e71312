/**
 * The print of a picture: its luminance at 32 × 32, whatever its shape, and by how much each cell grows brighter to the right and
 * downwards. Small enough to keep of every picture, and enough to tell whether one picture is a mirrored, turned or cropped copy
 * of another, and whether two pages say the same.
 * Cost: about 40 µs.
 */
import { PRINT_CELLS, PRINT_SIDE } from '../../core/image.ts';
import type { Luminance } from '../quality.ts';

/**
 * A byte for the luminance of each cell, then a byte for its slopes, see {@link slopeCode}. Prints of earlier versions have no
 * slopes: zeros stand for them, which is a cell of one tone.
 */
export const PRINT_BYTES = 2 * PRINT_CELLS;

const QUARTERS_A_SIDE = 2 * PRINT_SIDE;

/** Of the mean luminance of each cell, 0 to 255, shape [32, 32]; pixels on an edge count for both sides by their share. */
export function printOf(luminance: Luminance): Uint8Array {
  const quarters = quarterSums(luminance);
  const quarterArea = (luminance.width * luminance.height) / QUARTERS_A_SIDE ** 2;
  const print = new Uint8Array(PRINT_BYTES);
  for (let cell = 0; cell < PRINT_CELLS; cell++) {
    const at = 2 * (Math.floor(cell / PRINT_SIDE) * QUARTERS_A_SIDE + (cell % PRINT_SIDE));
    const below = at + QUARTERS_A_SIDE;
    const left = quarters[at] + quarters[below];
    const right = quarters[at + 1] + quarters[below + 1];
    const top = quarters[at] + quarters[at + 1];
    // A thousandth more, so that a half that rounding errors made a little less is still rounded up.
    print[cell] = Math.min(255, (left + right) / (4 * quarterArea) + 0.501);
    const slopeX = (right - left) / (4 * quarterArea);
    const slopeY = (left + right - 2 * top) / (4 * quarterArea);
    print[PRINT_CELLS + cell] = (slopeCode(slopeX) << 4) | slopeCode(slopeY);
  }
  return print;
}

/** Memory that is used again: to allocate it once an image costs more than the sums. */
const quarterScratch = new Float64Array(QUARTERS_A_SIDE ** 2);
const leftOf = new Float64Array(QUARTERS_A_SIDE + 1);
const edgeWholes = new Uint32Array(QUARTERS_A_SIDE + 1);
const edgeShares = new Float64Array(QUARTERS_A_SIDE + 1);

/** Sums over the quarters of cells, shape [64, 64], which hold until the next call. */
function quarterSums({ pixels, width, height }: Luminance): Float64Array {
  const sums = quarterScratch.fill(0);
  /** Of a row, up to each pixel, and the share of it that lies left of each edge. */
  const upTo = new Float64Array(width + 2);
  for (let edge = 1; edge <= QUARTERS_A_SIDE; edge++) {
    const at = (edge * width) / QUARTERS_A_SIDE;
    edgeWholes[edge] = at;
    edgeShares[edge] = at - edgeWholes[edge];
  }
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let x = 0, at = y * width; x < width; x++, at++) upTo[x + 1] = sum += pixels[at];
    upTo[width + 1] = sum;
    for (let edge = 1; edge <= QUARTERS_A_SIDE; edge++) {
      const before = upTo[edgeWholes[edge]];
      leftOf[edge] = before + edgeShares[edge] * (upTo[edgeWholes[edge] + 1] - before);
    }
    const above = (y * QUARTERS_A_SIDE) / height;
    const below = ((y + 1) * QUARTERS_A_SIDE) / height;
    for (let row = Math.floor(above); row < below; row++) {
      const share = ((Math.min(row + 1, below) - Math.max(row, above)) * height) / QUARTERS_A_SIDE;
      const start = row * QUARTERS_A_SIDE;
      for (let x = 0; x < QUARTERS_A_SIDE; x++) sums[start + x] += share * (leftOf[x + 1] - leftOf[x]);
    }
  }
  return sums;
}

/** Levels of a slope to each side. */
const MAX_SLOPE_LEVEL = 7;
const LEVELS_PER_ROOT = MAX_SLOPE_LEVEL / Math.sqrt(127.5);

/**
 * Half of what the right half of a cell is brighter than the left one, −127.5 to 127.5, in 4 bits of two's complement: levels
 * stand as far apart as the slope is steep (its square root), so that small slopes keep their difference.
 */
function slopeCode(slope: number): number {
  const level = Math.min(MAX_SLOPE_LEVEL, Math.round(Math.sqrt(Math.abs(slope)) * LEVELS_PER_ROOT));
  return (slope < 0 ? -level : level) & 15;
}

/** The slope that each code stands for, shape [16]. */
const SLOPES = Float64Array.from({ length: 16 }, (_, code) => {
  const level = code < 8 ? code : code - 16;
  return Math.sign(level) * (level / LEVELS_PER_ROOT) ** 2;
});

/** The luminance of the quarters of the cells, as far as the print tells it: shape [64, 64]. */
export function quartersOf(print: Uint8Array, into: Uint8Array): void {
  for (let cell = 0; cell < PRINT_CELLS; cell++) {
    const at = 2 * (Math.floor(cell / PRINT_SIDE) * QUARTERS_A_SIDE + (cell % PRINT_SIDE));
    const [tone, code] = [print[cell] + 0.5, print[PRINT_CELLS + cell]];
    const [slopeX, slopeY] = [SLOPES[code >> 4], SLOPES[code & 15]];
    into[at] = clamped(tone - slopeX - slopeY);
    into[at + 1] = clamped(tone + slopeX - slopeY);
    into[at + QUARTERS_A_SIDE] = clamped(tone - slopeX + slopeY);
    into[at + QUARTERS_A_SIDE + 1] = clamped(tone + slopeX + slopeY);
  }
}

const clamped = (level: number) => Math.max(0, Math.min(255, level));

/** Grey levels that a ground of another tone than paper may differ by to each side, and how many cells of it make a page: skies are smaller. */
const [GROUND_LEVELS, GROUND_CELLS] = [8, 0.65 * PRINT_CELLS];

/** Cells that are as bright as paper, and how many make a page. */
const [PAPER_FROM, PAPER_CELLS] = [225, PRINT_CELLS / 2];

/**
 * Whether half of it is as bright as white paper, or most of it of one other tone: a page of text, a form, a screenshot, a thing on
 * a plain ground. Two such pictures are alike by that alone.
 */
export function isPage(print: Uint8Array): boolean {
  // How many cells are at most so bright, shape [256].
  const upTo = new Uint16Array(256);
  for (let cell = 0; cell < PRINT_CELLS; cell++) upTo[print[cell]]++;
  for (let tone = 1; tone < 256; tone++) upTo[tone] += upTo[tone - 1];
  const below = (tone: number) => (tone < 0 ? 0 : upTo[Math.min(255, tone)]);
  if (PRINT_CELLS - below(PAPER_FROM - 1) >= PAPER_CELLS) return true;
  for (let tone = 0; tone < 256; tone++) {
    if (below(tone + GROUND_LEVELS) - below(tone - GROUND_LEVELS - 1) >= GROUND_CELLS) return true;
  }
  return false;
}
