/**
 * What readers mend themselves, each time with a note in the reckoning: corners in the wrong order, confidences that are
 * none, masks whose runs do not add up. What needs the image (its size, its edges) is mended by the stage that knows it.
 */
import type { Box } from '../core/boxes.ts';
import type { MaskRle } from '../core/dataset.ts';
import { badFile, numberIn, shown } from './check.ts';
import { maskBox, type Polygon } from './contours.ts';
import type { Reckoning } from './reckoning.ts';

/** Pixels of a mask at most, as many as of the largest image that is decoded: what claims more is damaged or hostile. */
export const MAX_MASK_PIXELS = 2 ** 28;

/** Objects of one image at most: what has more was taken for labels and is something else, or would fill the memory. */
export const MAX_OBJECTS = 100_000;

/** Whether another object may be gathered; from then on each is left out, with a note. */
export function hasRoom(gathered: readonly unknown[], where: string, reckoning: Reckoning): boolean {
  if (gathered.length < MAX_OBJECTS) return true;
  reckoning.note('too-many-objects', where, `more than ${MAX_OBJECTS}`);
  return false;
}

/** xyxy with the near corner first. */
export function sortedBox(corners: readonly number[], where: string, reckoning: Reckoning): Box {
  const [x1, y1, x2, y2] = corners as [number, number, number, number];
  for (const corner of corners)
    if (!Number.isFinite(corner)) throw badFile(where, `the box ${shown(corners)} is not made of finite numbers`);
  if (x1 <= x2 && y1 <= y2) return [x1, y1, x2, y2];
  reckoning.note('corners-swapped', where, shown([x1, y1, x2, y2]));
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

/** 0 to 1; null, with a note, for what is no confidence. What rounding left above 1 is 1. */
export function confidenceFrom(value: unknown, where: string, reckoning: Reckoning): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && value >= -ROUNDING && value <= 1 + ROUNDING) return Math.min(Math.max(value, 0), 1);
  reckoning.note('confidence-dropped', where, shown(value));
  return null;
}

const ROUNDING = 1e-4;

/** Pixels of an image, a whole number above 0; null, with a note, for what is none. Some tools write 0 where they do not know. */
export function sizeFrom(value: unknown, where: string, reckoning: Reckoning): number | null {
  if (value === null || value === undefined || value === 0) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  reckoning.note('size-dropped', where, shown(value));
  return null;
}

/** The same of text. */
export function sizeFromText(text: string | undefined, where: string, reckoning: Reckoning): number | null {
  if (text === undefined || text.trim() === '') return null;
  return sizeFrom(Number(text), where, reckoning);
}

/** The same of text; empty text says nothing. */
export function confidenceFromText(text: string, where: string, reckoning: Reckoning): number | null {
  if (text.trim() === '') return null;
  const number = reckoning.attempt('confidence-dropped', () => numberIn(text, where));
  return confidenceFrom(number, where, reckoning);
}

/** Pixels that runs may fall short or go over, as a share of the mask, and at least so many. */
const RUNS_OFF_SHARE = 0.02;
const RUNS_OFF_PIXELS = 64;

/**
 * Run lengths as a mask of `height` × `width` pixels. Runs that end a little early are filled up with zeros, those that
 * go on a little too long are cut; the reckoning is told.
 * @returns null, with a note, for a mask of which nothing can be made
 */
export function maskFrom(
  height: number,
  width: number,
  counts: readonly number[],
  where: string,
  reckoning: Reckoning,
): MaskRle | null {
  const refuse = (what: string) => {
    reckoning.note('mask-left-out', where, what);
    return null;
  };
  const size = height * width;
  if (size > MAX_MASK_PIXELS) return refuse(`${height}×${width} pixels are more than any image has`);
  const bad = counts.find((count) => !(Number.isSafeInteger(count) && count >= 0));
  if (bad !== undefined) return refuse(`${shown(bad)} is not a run length`);
  const given = counts.reduce((sum, count) => sum + count, 0);
  const sum = `the runs add up to ${given} pixels, and the mask is ${height}×${width}`;
  if (Math.abs(given - size) > Math.max(RUNS_OFF_PIXELS, size * RUNS_OFF_SHARE)) return refuse(sum);
  if (given !== size) reckoning.note('mask-runs-mended', where, sum);
  const mask: MaskRle = { size: [height, width], counts: given === size ? counts : runsFilling(size, counts) };
  return maskBox(mask) === null ? refuse('nothing of it is set') : mask;
}

function runsFilling(size: number, counts: readonly number[]): number[] {
  const runs: number[] = [];
  let pixels = 0;
  for (const count of counts) {
    const run = Math.min(count, size - pixels);
    runs.push(run);
    pixels += run;
  }
  if (runs.length % 2 === 1) runs[runs.length - 1] += size - pixels;
  else runs.push(size - pixels);
  return runs;
}

/** Polygons of at least three points; others hold no area and are left out, with a note. Null where none is left. */
export function polygonsFrom(polygons: readonly Polygon[], where: string, reckoning: Reckoning): Polygon[] | null {
  const kept = polygons.filter((polygon, i) => {
    if (polygon.length >= 6) return true;
    reckoning.note('polygon-left-out', `${where}[${i}]`, `${polygon.length / 2} points hold no area`);
    return false;
  });
  return kept.length === 0 ? null : kept;
}
