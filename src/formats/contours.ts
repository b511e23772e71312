/**
 * Outlines of masks, and polygons made fit for formats that have one polygon a region, inside the image.
 *
 * Polygons are flat lists `[x, y, x, y, …]` in pixels, y down, with the first point not repeated at the end.
 */
import type { Box } from '../core/boxes.ts';
import type { MaskRle } from '../core/dataset.ts';
import { RunLengths } from '../core/masks.ts';

export type Polygon = readonly number[];

/** The box around what is set, xyxy in pixels; null for an empty mask. Cost: O(runs). */
export function maskBox({ size: [height], counts }: MaskRle): Box | null {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  let start = 0;
  for (const [i, count] of counts.entries()) {
    const end = start + count;
    if (i % 2 === 1 && count > 0) {
      const [first, last] = [Math.floor(start / height), Math.floor((end - 1) / height)];
      x1 = Math.min(x1, first);
      x2 = Math.max(x2, last + 1);
      // A run that goes over the end of a column touches the bottom of one and the top of the next.
      y1 = Math.min(y1, first === last ? start % height : 0);
      y2 = Math.max(y2, first === last ? ((end - 1) % height) + 1 : height);
    }
    start = end;
  }
  return x1 === Infinity ? null : [x1, y1, x2, y2];
}

export interface Bitmap {
  /** Place of its top-left pixel in the image. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Shape [height, width], row-major, 0 or 1. */
  readonly pixels: Uint8Array;
}

/** The part of a mask that holds what is set; null for an empty mask. Resident: a byte a pixel of that part. */
export function bitmapOf(mask: MaskRle): Bitmap | null {
  const box = maskBox(mask);
  if (box === null) return null;
  const [left, top] = box;
  const [width, height] = [box[2] - left, box[3] - top];
  const rows = mask.size[0];
  const pixels = new Uint8Array(width * height);
  let at = 0;
  for (const [i, count] of mask.counts.entries()) {
    if (i % 2 === 1)
      for (let k = at; k < at + count; k++) pixels[((k % rows) - top) * width + Math.floor(k / rows) - left] = 1;
    at += count;
  }
  return { left, top, width, height, pixels };
}

/** A part of an image as a mask of the whole of it. */
export function maskOfBitmap(
  { left, top, width, height, pixels }: Bitmap,
  imageWidth: number,
  imageHeight: number,
): MaskRle {
  const runs = new RunLengths();
  runs.add(0, left * imageHeight);
  for (let x = 0; x < width; x++) {
    runs.add(0, top);
    for (let y = 0; y < height; y++) runs.add(pixels[y * width + x] === 0 ? 0 : 1, 1);
    runs.add(0, imageHeight - top - height);
  }
  runs.add(0, (imageWidth - left - width) * imageHeight);
  return { size: [imageHeight, imageWidth], counts: runs.counts() };
}

/** Steps right, down, left, up; the mask lies to the right of the way. */
const STEP_X = [1, 0, -1, 0] as const;
const STEP_Y = [0, 1, 0, -1] as const;

/**
 * The outlines of a mask along the edges of its pixels, in order of their first row: filling them by the even-odd rule
 * gives the mask back. Outer ones go clockwise as seen, holes the other way. Pixels that touch at a corner only are apart.
 * Cost: O(pixels of the mask's box).
 */
export function outlinesOf(mask: MaskRle): { outer: Polygon[]; holes: Polygon[] } {
  const bitmap = bitmapOf(mask);
  const found: { outer: Polygon[]; holes: Polygon[] } = { outer: [], holes: [] };
  if (bitmap === null) return found;
  const { width, height, left, top, pixels } = bitmap;
  const set = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === 1;
  /** Pixels whose upper edge belongs to an outline already. */
  const done = new Uint8Array(width * height);
  for (let startY = 0; startY < height; startY++) {
    for (let startX = 0; startX < width; startX++) {
      if (!set(startX, startY) || set(startX, startY - 1) || done[startY * width + startX] === 1) continue;
      const polygon: number[] = [];
      let [x, y, way, twice] = [startX, startY, 0, 0];
      do {
        if (way === 0) done[y * width + x] = 1;
        x += STEP_X[way];
        y += STEP_Y[way];
        const right = aheadRight(x, y, way);
        const left = aheadRight(x, y, (way + 3) % 4);
        const turn = !set(...right) ? 1 : set(...left) ? 3 : 0;
        if (turn === 0) continue;
        polygon.push(x, y);
        way = (way + turn) % 4;
      } while (x !== startX || y !== startY || way !== 0);
      for (let i = 0; i < polygon.length; i += 2) {
        const j = (i + 2) % polygon.length;
        twice += polygon[i] * polygon[j + 1] - polygon[j] * polygon[i + 1];
      }
      // The walk ends with the corner it began at.
      polygon.unshift(...polygon.splice(-2));
      const placed = polygon.map((value, i) => value + (i % 2 === 0 ? left : top));
      (twice > 0 ? found.outer : found.holes).push(placed);
    }
  }
  return found;
}

/** The pixel ahead to the right of a corner of the grid; the one to the left is that of the way a turn to the left. */
function aheadRight(x: number, y: number, way: number): [x: number, y: number] {
  return [way === 0 || way === 3 ? x : x - 1, way === 0 || way === 1 ? y : y - 1];
}

/** The box around polygons. */
export function extentOf(polygons: readonly Polygon[]): Box {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (let i = 0; i < polygon.length; i += 2) {
      x1 = Math.min(x1, polygon[i]);
      x2 = Math.max(x2, polygon[i]);
      y1 = Math.min(y1, polygon[i + 1]);
      y2 = Math.max(y2, polygon[i + 1]);
    }
  }
  return [x1, y1, x2, y2];
}

/**
 * What of a polygon lies inside the image, by Sutherland and Hodgman, "Reentrant polygon clipping" (CACM 17(1), 1974);
 * parts that the edge of the image tears apart stay connected along that edge. Fewer than three points: nothing.
 */
export function clipPolygon(polygon: Polygon, width: number, height: number): Polygon {
  let points = polygon;
  for (const [axis, limit, sign] of [
    [0, 0, 1],
    [0, width, -1],
    [1, 0, 1],
    [1, height, -1],
  ] as const) {
    const clipped: number[] = [];
    for (let i = 0; i < points.length; i += 2) {
      const j = (i + 2) % points.length;
      const from = [points[i], points[i + 1]] as const;
      const to = [points[j], points[j + 1]] as const;
      const [a, b] = [sign * (from[axis] - limit), sign * (to[axis] - limit)];
      if (a >= 0) clipped.push(...from);
      if (a >= 0 === b >= 0) continue;
      const other = from[1 - axis];
      const cut = other + (to[1 - axis] - other) * (a / (a - b));
      clipped.push(...(axis === 0 ? [limit, cut] : [cut, limit]));
    }
    points = clipped;
  }
  return points;
}

/** Corners looked at a polygon when the shortest way to the next one is sought; more would cost their square. */
const BRIDGE_CORNERS = 500;

/**
 * Several polygons as one that goes from each to the next and back over the shortest line between their corners, which
 * adds no area. Where polygons have many corners, only some are looked at.
 */
export function joinPolygons(polygons: readonly Polygon[]): Polygon {
  let [joined, ...rest] = polygons as [Polygon, ...Polygon[]];
  for (const next of rest) {
    let best = [0, 0, Infinity] as [number, number, number];
    const stepA = 2 * Math.ceil(joined.length / 2 / BRIDGE_CORNERS);
    const stepB = 2 * Math.ceil(next.length / 2 / BRIDGE_CORNERS);
    for (let a = 0; a < joined.length; a += stepA) {
      for (let b = 0; b < next.length; b += stepB) {
        const dx = joined[a] - next[b];
        const dy = joined[a + 1] - next[b + 1];
        if (dx * dx + dy * dy < best[2]) best = [a, b, dx * dx + dy * dy];
      }
    }
    const [a, b] = best;
    joined = [...joined.slice(0, a + 2), ...next.slice(b), ...next.slice(0, b + 2), ...joined.slice(a)];
  }
  return joined;
}
