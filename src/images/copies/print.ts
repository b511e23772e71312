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
  const print = new Uint8Array(PRINT_BYTES);
  const row = new Float64Array(width);
  for (let cellY = 0; cellY < PRINT_SIDE; cellY++) {
    const [top, bottom] = [(cellY * height) / PRINT_SIDE, ((cellY + 1) * height) / PRINT_SIDE];
    row.fill(0);
    for (let y = Math.floor(top); y < bottom; y++) {
      const share = Math.min(y + 1, bottom) - Math.max(y, top);
      const start = y * width;
      for (let x = 0; x < width; x++) row[x] += share * pixels[start + x];
    }
    const scale = 1 / (((bottom - top) * width) / PRINT_SIDE);
    for (let cellX = 0; cellX < PRINT_SIDE; cellX++) {
      const [left, right] = [(cellX * width) / PRINT_SIDE, ((cellX + 1) * width) / PRINT_SIDE];
      let sum = 0;
      for (let x = Math.floor(left); x < right; x++) sum += (Math.min(x + 1, right) - Math.max(x, left)) * row[x];
      print[cellY * PRINT_SIDE + cellX] = Math.floor(sum * scale + 0.5);
    }
  }
  return print;
}

/** Cells that are as bright as paper, and how many make a page: a form, a page of text, a light screenshot. */
const [PAPER_FROM, PAPER_CELLS] = [225, PRINT_BYTES / 2];

export function isPaper(print: Uint8Array): boolean {
  let bright = 0;
  for (const value of print) if (value >= PAPER_FROM) bright++;
  return bright >= PAPER_CELLS;
}
