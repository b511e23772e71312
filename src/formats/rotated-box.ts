/** Boxes that stand at an angle, as formats have them: by their corners, or by a box and an angle. */
import type { Box } from '../core/boxes.ts';
import type { ImportedRegion } from '../core/dataset.ts';
import type { RegionDetails } from '../core/region-details.ts';
import { extentOf, type Polygon } from './contours.ts';

export type RotatedBox = NonNullable<RegionDetails['rotatedBox']>;

/** Corners `[x, y, …]`, clockwise as seen, from the one that is top-left before the turn. */
export function cornersOfRotated({ cx, cy, width, height, angleDegrees }: RotatedBox): number[] {
  const angle = (angleDegrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const corners = [
    [-width, -height],
    [width, -height],
    [width, height],
    [-width, height],
  ] as const;
  return corners.flatMap(([w, h]) => [cx + (w * cos - h * sin) / 2, cy + (w * sin + h * cos) / 2]);
}

export function extentOfRotated(rotated: RotatedBox): Box {
  return extentOf([cornersOfRotated(rotated)]);
}

/** Sides and angles may be off by this share of the larger side: six decimals of a fraction, whole pixels. */
const OFF_SHARE = 0.02;

/**
 * The box that four corners are of, in their order; null where they are no rectangle. The first side is its width.
 * @param offPixels what rounding may move a corner by
 */
export function rotatedOfCorners(corners: Polygon, offPixels = 0): RotatedBox | null {
  if (corners.length !== 8) return null;
  const [x1, y1, x2, y2, x3, y3, x4, y4] = corners as [number, number, number, number, number, number, number, number];
  const [width, height] = [Math.hypot(x2 - x1, y2 - y1), Math.hypot(x3 - x2, y3 - y2)];
  const off = Math.max(width, height) * OFF_SHARE + offPixels;
  // A parallelogram's diagonals halve each other; a rectangle's are of one length too.
  if (Math.hypot(x1 + x3 - x2 - x4, y1 + y3 - y2 - y4) > 2 * off) return null;
  if (Math.abs(Math.hypot(x3 - x1, y3 - y1) - Math.hypot(x4 - x2, y4 - y2)) > off) return null;
  return {
    cx: (x1 + x2 + x3 + x4) / 4,
    cy: (y1 + y2 + y3 + y4) / 4,
    width,
    height,
    angleDegrees: (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI,
  };
}

/** What writing in whole pixels or six decimals may move a corner by. */
const CORNER_OFF_PIXELS = 0.5;
/** A turn that moves no corner further than this is none. */
const STRAIGHT_PIXELS = 0.05;

/**
 * A region in pixels whose polygon may be the corners of a turned box (`ImportedRegion.corners`): with that box in place of
 * the polygon, or straight where it stands so. Four corners that are no rectangle stay a polygon where they are only likely
 * to be one; where the file says that they are, the smallest turned box around them takes their place, as in trainers.
 * @param onOther told of the latter
 */
export function turnedBoxOf({ corners, ...region }: ImportedRegion, onOther?: () => void): ImportedRegion {
  const [polygon] = region.polygons ?? [];
  if (corners === undefined || polygon === undefined) return region;
  const exact = rotatedOfCorners(polygon, CORNER_OFF_PIXELS);
  if (exact === null && corners === 'likely') return region;
  if (exact === null) onOther?.();
  const rotatedBox = exact ?? smallestRectangle([polygon]);
  const bare = { ...region, polygons: null, box: exact === null ? extentOfRotated(rotatedBox) : region.box };
  // Corners that a file says begin where the box does, so that a quarter turn is one.
  if (corners === 'said' ? isStraight(rotatedBox) : isUpright(rotatedBox)) return corners === 'said' ? bare : region;
  return { ...bare, details: { ...region.details, rotatedBox } };
}

function isStraight({ width, height, angleDegrees }: RotatedBox): boolean {
  const angle = (angleDegrees * Math.PI) / 180;
  return Math.cos(angle) > 0 && Math.abs(Math.sin(angle)) * Math.max(width, height) < STRAIGHT_PIXELS;
}

/** Straight, or turned by quarters. */
function isUpright(box: RotatedBox): boolean {
  return [0, 90, 180, 270].some((turn) => isStraight({ ...box, angleDegrees: box.angleDegrees + turn }));
}

/**
 * The smallest rectangle at any angle around all points of some polygons. One of its sides lies along a side of their convex
 * hull (Freeman and Shapira, "Determining the minimum-area encasing rectangle", CACM 18(7), 1975), so that each of those is
 * tried. Cost: O(n log n) for n points and O(h²) for the h corners of the hull.
 */
export function smallestRectangle(polygons: readonly Polygon[]): RotatedBox {
  const hull = convexHull(polygons);
  const [x1, y1, x2, y2] = extentOf(polygons);
  let best: RotatedBox = { cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1, angleDegrees: 0 };
  for (const [i, [x, y]] of hull.entries()) {
    const [nextX, nextY] = hull[(i + 1) % hull.length];
    const length = Math.hypot(nextX - x, nextY - y);
    if (length === 0) continue;
    const [cos, sin] = [(nextX - x) / length, (nextY - y) / length];
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [px, py] of hull) {
      const [along, across] = [px * cos + py * sin, py * cos - px * sin];
      [left, right] = [Math.min(left, along), Math.max(right, along)];
      [top, bottom] = [Math.min(top, across), Math.max(bottom, across)];
    }
    const [width, height] = [right - left, bottom - top];
    if (width * height >= best.width * best.height) continue;
    const [along, across] = [(left + right) / 2, (top + bottom) / 2];
    const [cx, cy] = [along * cos - across * sin, along * sin + across * cos];
    best = { cx, cy, width, height, angleDegrees: (Math.atan2(sin, cos) * 180) / Math.PI };
  }
  return best;
}

type Point = readonly [x: number, y: number];

/** By Andrew's monotone chain (Information Processing Letters 9(5), 1979), with no point on a straight line. */
function convexHull(polygons: readonly Polygon[]): Point[] {
  const points = polygons
    .flatMap((polygon) =>
      Array.from({ length: polygon.length / 2 }, (_, i) => [polygon[2 * i], polygon[2 * i + 1]] as const),
    )
    .sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  const chain = (ordered: readonly Point[]) => {
    const side: Point[] = [];
    for (const point of ordered) {
      while (side.length > 1 && !turnsLeft(side[side.length - 2], side[side.length - 1], point)) side.pop();
      side.push(point);
    }
    return side.slice(0, -1);
  };
  return [...chain(points), ...chain(points.toReversed())];
}

function turnsLeft([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): boolean {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0;
}
