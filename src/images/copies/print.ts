/**
 * The print of a picture: its luminance at 32 × 32, whatever its shape. Small enough to keep of every picture, and enough to
 * tell whether one picture is a mirrored, turned or cropped copy of another, and whether two pages say the same.
 * Cost: about 20 µs.
 */
import type { Luminance } from '../quality.ts';

/** Cells of a side. */
export const PRINT_SIDE = 32;
export const PRINT_BYTES = PRINT_SIDE * PRINT_SIDE;

/** Mean luminance of each cell, 0 to 255, shape [32, 32]; pixels on an edge count for both sides by their share. */
export function printOf({ pixels, width, height }: Luminance): Uint8Array {
  const cellArea = (width * height) / PRINT_BYTES;
  const sums = new Float64Array(PRINT_BYTES);
  /** Of a row, up to each pixel, and the share of it that lies left of each edge. */
  const upTo = new Float64Array(width + 2);
  const leftOf = new Float64Array(PRINT_SIDE + 1);
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let x = 0, at = y * width; x < width; x++, at++) upTo[x + 1] = sum += pixels[at];
    upTo[width + 1] = sum;
    for (let edge = 1; edge <= PRINT_SIDE; edge++) {
      const at = (edge * width) / PRINT_SIDE;
      const whole = at >>> 0;
      leftOf[edge] = upTo[whole] + (at - whole) * (upTo[whole + 1] - upTo[whole]);
    }
    const [above, below] = [(y * PRINT_SIDE) / height, ((y + 1) * PRINT_SIDE) / height];
    for (let cellY = Math.floor(above); cellY < below; cellY++) {
      const share = ((Math.min(cellY + 1, below) - Math.max(cellY, above)) * height) / PRINT_SIDE;
      const start = cellY * PRINT_SIDE;
      for (let x = 0; x < PRINT_SIDE; x++) sums[start + x] += share * (leftOf[x + 1] - leftOf[x]);
    }
  }
  // A thousandth more, so that a half that rounding errors made a little less is still rounded up.
  const print = new Uint8Array(PRINT_BYTES);
  for (let i = 0; i < PRINT_BYTES; i++) print[i] = Math.min(255, sums[i] / cellArea + 0.501);
  return print;
}

/** Grey levels that a ground of another tone than paper may differ by to each side, and how many cells of it make a page: skies are smaller. */
const [GROUND_LEVELS, GROUND_CELLS] = [8, 0.65 * PRINT_BYTES];

/** Cells that are as bright as paper, and how many make a page. */
const [PAPER_FROM, PAPER_CELLS] = [225, PRINT_BYTES / 2];

/** Whether half of it is as bright as white paper. */
function isPaper(print: Uint8Array): boolean {
  let bright = 0;
  for (const value of print) if (value >= PAPER_FROM) bright++;
  return bright >= PAPER_CELLS;
}

/**
 * Whether most of it is of one tone: a page of text, white, yellowed or dark, a form, a screenshot, a thing on a plain ground.
 * Two such pictures are alike by that alone.
 */
export function isPage(print: Uint8Array): boolean {
  if (isPaper(print)) return true;
  // How many cells are at most so bright, shape [256].
  const upTo = new Uint16Array(256);
  for (const value of print) upTo[value]++;
  for (let tone = 1; tone < 256; tone++) upTo[tone] += upTo[tone - 1];
  const below = (tone: number) => (tone < 0 ? 0 : upTo[Math.min(255, tone)]);
  for (let tone = 0; tone < 256; tone++) {
    if (below(tone + GROUND_LEVELS) - below(tone - GROUND_LEVELS - 1) >= GROUND_CELLS) return true;
  }
  return false;
}
