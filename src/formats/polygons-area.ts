/**
 * The area of an object's polygons as readers of COCO fill them (`frPyObjects` and `merge` of pycocotools): inside of a polygon is
 * what a line from afar enters an odd number of times, and what lies in several polygons counts once. The shoelace formula takes
 * parts off again where a polygon crosses itself, and its sum has twice what two polygons share.
 */
import { polygonArea } from './rle.ts';

const ROWS_A_PIXEL = 4;
const MIN_ROWS = 256;
/** Of an object of more pixels the rows are higher. */
const MAX_ROWS = 1024;

/**
 * Square pixels. Exact where no polygon crosses itself and none shares ground with another; else measured in rows through the object,
 * and out by at most one and a half times a row's height times what all outlines go to either side. Cost: the rows that each edge
 * passes, once.
 *
 * @param polygons each `[x, y, x, y, …]`, pixels
 */
export function polygonsArea(polygons: readonly (readonly number[])[]): number {
  const sum = polygons.reduce((total, polygon) => total + polygonArea(polygon), 0);
  let [top, bottom] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let sideways = 0;
  for (const polygon of polygons) {
    for (let i = 0; i < polygon.length; i += 2) {
      const j = (i + 2) % polygon.length;
      sideways += Math.abs(polygon[j] - polygon[i]);
      top = Math.min(top, polygon[i + 1]);
      bottom = Math.max(bottom, polygon[i + 1]);
    }
  }
  if (!(bottom > top)) return sum;
  const count = Math.min(MAX_ROWS, Math.max(MIN_ROWS, Math.ceil(ROWS_A_PIXEL * (bottom - top))));
  const height = (bottom - top) / count;
  const covered = coveredWidth(polygons, { top, count, height }) * height;
  // What rows cannot tell apart is taken for equal.
  return Math.abs(covered - sum) <= height * sideways ? sum : covered;
}

interface Rows {
  readonly top: number;
  readonly count: number;
  readonly height: number;
}

/** How wide the polygons are, summed over rows, each looked at in its middle. */
function coveredWidth(polygons: readonly (readonly number[])[], { top, count, height }: Rows): number {
  const spans: [from: number, to: number][][] = Array.from({ length: count }, () => []);
  for (const polygon of polygons) {
    const crossings: number[][] = Array.from({ length: count }, () => []);
    for (let i = 0; i < polygon.length; i += 2) {
      const j = (i + 2) % polygon.length;
      const [x, y, toX, toY] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]];
      const [first, last] = [Math.min(y, toY), Math.max(y, toY)].map((at) => Math.ceil((at - top) / height - 0.5));
      for (let row = Math.max(0, first); row < Math.min(count, last); row++)
        crossings[row].push(x + ((top + (row + 0.5) * height - y) / (toY - y)) * (toX - x));
    }
    for (const [row, at] of crossings.entries()) {
      at.sort((a, b) => a - b);
      for (let k = 0; k + 1 < at.length; k += 2) spans[row].push([at[k], at[k + 1]]);
    }
  }
  return spans.reduce((sum, row) => sum + unionLength(row), 0);
}

function unionLength(spans: [from: number, to: number][]): number {
  let [length, end] = [0, Number.NEGATIVE_INFINITY];
  for (const [from, to] of spans.sort(([a], [b]) => a - b)) {
    length += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return length;
}
