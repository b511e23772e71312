/**
 * EXIF orientations that exchange width and height (CIPA DC-008, tag Orientation), as moves of points. Coordinates are
 * continuous: x from 0 to the width.
 */

export interface Turn {
  /** From the stored pixels, of that size, to the upright image. */
  readonly point: (x: number, y: number, width: number, height: number) => readonly [number, number];
  /** Of a direction, clockwise as seen. */
  readonly angle: (degrees: number) => number;
  readonly swaps: true;
  readonly orientation: 5 | 6 | 7 | 8;
}

const TURNS: readonly Turn[] = [
  { orientation: 5, swaps: true, point: (x, y) => [y, x], angle: (degrees) => 90 - degrees },
  { orientation: 6, swaps: true, point: (x, y, _width, height) => [height - y, x], angle: (degrees) => degrees + 90 },
  {
    orientation: 7,
    swaps: true,
    point: (x, y, width, height) => [height - y, width - x],
    angle: (degrees) => -90 - degrees,
  },
  { orientation: 8, swaps: true, point: (x, y, width) => [y, width - x], angle: (degrees) => degrees - 90 },
];

/** Null for an orientation that leaves width and height as they are. */
export function turnOf(orientation: number): Turn | null {
  return TURNS.find((turn) => turn.orientation === orientation) ?? null;
}
