/**
 * Boxes by place and size, to find those that overlap a box by half without looking at all.
 *
 * Two boxes of an IoU of at least 1/2 have widths within a factor of two, and centres no further apart than half of the wider
 * one; heights likewise. So boxes are kept by the octave of their width and height and, within these, in cells as wide
 * as the octave's upper end: what can be meant lies in 9 octaves and 9 cells of each. Cost: O(1) a box, and O(1) a search and
 * candidate; n boxes of one size at one place are all candidates of each other.
 */
import type { Box } from './boxes.ts';
import { pushTo } from './lists.ts';

/** Cells of other places may share a key; what is in them is told apart by its IoU. */
function keyOf(octaveX: number, octaveY: number, column: number, row: number): number {
  const octaves = Math.imul(octaveX + 64, 0x9e3779b1) ^ Math.imul(octaveY + 64, 0x85ebca6b);
  const key = Math.imul(octaves ^ column, 0xc2b2ae35) ^ Math.imul(row, 0x27d4eb2f);
  return key ^ (key >>> 15);
}

interface Octaves {
  readonly x: number;
  readonly y: number;
}

/** Null for a box without an area, or without an end: it overlaps nothing by half. */
function octavesOf([x1, y1, x2, y2]: Box): Octaves | null {
  const [x, y] = [Math.floor(Math.log2(x2 - x1)), Math.floor(Math.log2(y2 - y1))];
  return Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
}

function cellOf([x1, y1, x2, y2]: Box, { x, y }: Octaves): [column: number, row: number] {
  return [Math.floor((x1 + x2) / 2 / 2 ** (x + 1)), Math.floor((y1 + y2) / 2 / 2 ** (y + 1))];
}

export class BoxIndex<T> {
  readonly #cells = new Map<number, T[]>();

  add(box: Box, value: T): void {
    const octaves = octavesOf(box);
    if (octaves === null) return;
    const key = keyOf(octaves.x, octaves.y, ...cellOf(box, octaves));
    pushTo(this.#cells, key, value);
  }

  /** Takes a value out that was added with this box. */
  delete(box: Box, value: T): void {
    const octaves = octavesOf(box);
    if (octaves === null) return;
    const cell = this.#cells.get(keyOf(octaves.x, octaves.y, ...cellOf(box, octaves))) ?? [];
    const at = cell.indexOf(value);
    if (at < 0) return;
    cell[at] = cell[cell.length - 1];
    cell.pop();
  }

  /** Values of all boxes that may have an IoU of at least 1/2 with this one, and of some others; each once, in no order. */
  visitNear(box: Box, visit: (value: T) => void): void {
    const octaves = octavesOf(box);
    if (octaves === null) return;
    const seen = new Set<number>();
    for (let x = octaves.x - 1; x <= octaves.x + 1; x++)
      for (let y = octaves.y - 1; y <= octaves.y + 1; y++) {
        const [column, row] = cellOf(box, { x, y });
        for (let near = 0; near < 9; near++) {
          const key = keyOf(x, y, column - 1 + (near % 3), row - 1 + Math.floor(near / 3));
          const cell = this.#cells.get(key);
          if (cell === undefined || seen.has(key)) continue;
          seen.add(key);
          for (const value of cell) visit(value);
        }
      }
  }
}

/** IoU from which on `nearest` finds all. */
export const NEAR_IOU = 0.5;
/** A thing that so many boxes mean has enough of them; without a bound, n boxes at one place were n² pairs in memory. */
const MAX_NEAREST = 64;

/** Values whose box has an IoU of at least `NEAR_IOU` with this one, in no order; the best of very many. */
export function nearest<T>(
  index: BoxIndex<T>,
  box: Box,
  overlapWith: (value: T) => number,
): { readonly value: T; readonly overlap: number }[] {
  const found: { value: T; overlap: number }[] = [];
  index.visitNear(box, (value) => {
    const overlap = overlapWith(value);
    if (overlap >= NEAR_IOU) found.push({ value, overlap });
  });
  return found.length <= MAX_NEAREST ? found : found.sort((a, b) => b.overlap - a.overlap).slice(0, MAX_NEAREST);
}
