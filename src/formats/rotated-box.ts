/** Boxes that stand at an angle, as formats have them: by their corners, or by a box and an angle. */
import type { Box } from '../core/boxes.ts';
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
