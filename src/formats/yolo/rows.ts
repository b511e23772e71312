/** The rows of YOLO's label files, one kind for each of the tasks that trainers know. */
import { type Box, clipBox } from '../../core/boxes.ts';
import type { DatasetImage, Keypoints, RegionRecord } from '../../core/dataset.ts';
import { clipPolygon, extentOf, joinPolygons, outlinesOf, type Polygon } from '../contours.ts';
import { polygonArea } from '../rle.ts';
import { cornersOfRotated, type RotatedBox, smallestRectangle } from '../rotated-box.ts';

/** Six decimals: everything is counted in millionths. */
const UNITS = 1e6;

/**
 * Centre and size in millionths of the image, none outside 0 to 1 and no corner either: corners are rounded first, and
 * moved by one where the centre would fall between two millionths. Null when nothing of the box is inside the image.
 */
export function yoloBox(
  box: Box,
  width: number,
  height: number,
): [cx: number, cy: number, w: number, h: number] | null {
  const inside = clipBox(box, width, height);
  if (inside[2] <= inside[0] || inside[3] <= inside[1]) return null;
  const [x1, x2] = evenly(inside[0] / width, inside[2] / width);
  const [y1, y2] = evenly(inside[1] / height, inside[3] / height);
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
}

/** Two fractions as millionths whose sum is even and whose difference is at least 2. */
function evenly(from: number, to: number): [number, number] {
  let low = Math.round(from * UNITS);
  let high = Math.round(to * UNITS);
  if ((low + high) % 2 !== 0) {
    if (high < UNITS) high++;
    else low++;
  }
  if (high - low < 2) {
    low = Math.min(Math.max(low - 1, 0), UNITS - 2);
    high = low + 2;
  }
  return [low, high];
}

const fraction = (millionths: number) => (millionths / UNITS).toFixed(6);

/** What follows the class number in a region's row, with a blank before it; null when nothing of it is in the image. */
export type RowOf = (region: RegionRecord, image: DatasetImage) => string | null;

/** ` cx cy w h` */
export const boxRow: RowOf = (region, { width, height }) => {
  const box = yoloBox(region.box, width, height);
  return box === null ? null : ` ${box.map(fraction).join(' ')}`;
};

/** ` x y x y …`: the region's outline as one polygon. */
export const segmentRow: RowOf = (region, { width, height }) => {
  const outline = outlineOf(region, width, height);
  if (outline === null) return null;
  const near = (value: number, size: number) =>
    fraction(Math.min(Math.max(Math.round((value / size) * UNITS), 0), UNITS));
  return outline.map((value, i) => ` ${near(value, i % 2 === 0 ? width : height)}`).join('');
};

/**
 * ` x1 y1 x2 y2 x3 y3 x4 y4`: the corners of the region's turned box, of the smallest one around its polygons, or of its box.
 * They may lie outside of the image, as trainers allow where the box around them has its centre in the image and is no
 * larger than it; others are moved to the edge, which is told.
 */
export function turnedRow(onMoved: () => void): RowOf {
  return (region, { width, height }) => {
    const turned = turnedBoxOf(region);
    if (turned === null) return straightRow(region.box, width, height);
    const corners = cornersOfRotated(turned).map((value, i) =>
      Math.round((value / (i % 2 === 0 ? width : height)) * UNITS),
    );
    const [x1, y1, x2, y2] = extentOf([corners]);
    if (Math.min(x2, UNITS) <= Math.max(x1, 0) || Math.min(y2, UNITS) <= Math.max(y1, 0)) return null;
    const isNear = (from: number, to: number) => from + to >= 0 && from + to <= 2 * UNITS && to - from <= UNITS;
    if (isNear(x1, x2) && isNear(y1, y2)) return corners.map((value) => ` ${fraction(value)}`).join('');
    onMoved();
    return corners.map((value) => ` ${fraction(Math.min(Math.max(value, 0), UNITS))}`).join('');
  };
}

function straightRow(box: Box, width: number, height: number): string | null {
  const inside = clipBox(box, width, height);
  if (inside[2] <= inside[0] || inside[3] <= inside[1]) return null;
  const [x1, x2] = apart(inside[0] / width, inside[2] / width);
  const [y1, y2] = apart(inside[1] / height, inside[3] / height);
  return [x1, y1, x2, y1, x2, y2, x1, y2].map((value) => ` ${fraction(value)}`).join('');
}

/** Two fractions as millionths, one apart at least. */
function apart(from: number, to: number): [number, number] {
  const [low, high] = [Math.round(from * UNITS), Math.round(to * UNITS)];
  if (high > low) return [low, high];
  return low < UNITS ? [low, low + 1] : [low - 1, low];
}

/** Smaller outlines are marks of a point, and say nothing of an angle. */
const MIN_OUTLINE_PIXELS = 1;

function turnedBoxOf({ details, polygons }: RegionRecord): RotatedBox | null {
  const outlines = (polygons ?? []).filter((polygon) => polygonArea(polygon) >= MIN_OUTLINE_PIXELS);
  return details?.rotatedBox ?? (outlines.length > 0 ? smallestRectangle(outlines) : null);
}

/** Polygons where there are any with an area in the image, else the mask's outer outlines, else the turned box, else the box. */
function outlineOf(region: RegionRecord, width: number, height: number): Polygon | null {
  const inImage = (polygons: readonly Polygon[]) =>
    polygons.map((polygon) => clipPolygon(polygon, width, height)).filter((polygon) => polygonArea(polygon) > 0);
  const box = clipBox(region.box, width, height);
  const [x1, y1, x2, y2] = box;
  const choices: (() => readonly Polygon[])[] = [
    () => inImage(region.polygons ?? []),
    () => (region.mask === null ? [] : inImage(outlinesOf(region.mask).outer)),
    () => (region.details?.rotatedBox === undefined ? [] : inImage([cornersOfRotated(region.details.rotatedBox)])),
    () => (x2 > x1 && y2 > y1 ? [[x1, y1, x2, y1, x2, y2, x1, y2]] : []),
  ];
  for (const choice of choices) {
    const polygons = choice();
    if (polygons.length > 0) return joinPolygons(polygons);
  }
  return null;
}

/** ` cx cy w h x y v x y v …` with `count` keypoints in every row; those that a region has not are `0 0 0`. */
export function poseRow(count: number): RowOf {
  return (region, image) => {
    const box = boxRow(region, image);
    if (box === null) return null;
    const given = region.keypoints ?? [];
    if (given.length > count)
      throw new Error(`a region of ${image.file} has ${given.length} keypoints; the export was planned for ${count}`);
    const points = Array.from({ length: count }, (_, i) => pointOf(given[i], image));
    return box + points.join('');
  };
}

function pointOf(point: Keypoints[number] | undefined, { width, height }: DatasetImage): string {
  if (point === undefined || point[2] === 0) return ` ${fraction(0)} ${fraction(0)} 0`;
  const near = (value: number, size: number) => Math.round(Math.min(Math.max(value / size, 0), 1) * UNITS);
  return ` ${fraction(near(point[0], width))} ${fraction(near(point[1], height))} ${point[2]}`;
}
