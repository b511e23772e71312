import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shapeOf } from './shapes.ts';

const SIZE = { width: 4000, height: 3000 };
const NOTHING = { mask: null, keypoints: null };

test('an outline of very many corners is drawn in time, and stays within its place', () => {
  // A zigzag that no line replaces is the worst case of Douglas and Peucker's method: its time grows with the square.
  const corners = 240_000;
  const polygon = Array.from({ length: corners }, (_, i) => [(i % 2) * 3000, (i / corners) * 2000]).flat();
  const [contour] = shapeOf({ ...NOTHING, polygons: [polygon] }, SIZE)?.contours ?? [[]];
  assert.ok(contour.length <= 2 * 4000);
  assert.ok(contour.every((value, i) => value >= 0 && value <= (i % 2 === 0 ? 3000 : 2000)));
});

test('the corners of a square stay where thousands lie on its sides', () => {
  const side = 5000;
  const along = (x: number, y: number, dx: number, dy: number) =>
    Array.from({ length: side }, (_, i) => [x + (dx * i) / 2, y + (dy * i) / 2]).flat();
  const [a, b] = [0, side / 2];
  const polygon = [...along(a, a, 1, 0), ...along(b, a, 0, 1), ...along(b, b, -1, 0), ...along(a, b, 0, -1)];
  const [contour] = shapeOf({ ...NOTHING, polygons: [polygon] }, SIZE)?.contours ?? [[]];
  for (const [x, y] of [
    [a, a],
    [b, a],
    [b, b],
    [a, b],
  ]) {
    const nearest = contour.reduce(
      (least, _, i) => (i % 2 ? least : Math.min(least, Math.hypot(contour[i] - x, contour[i + 1] - y))),
      Infinity,
    );
    assert.ok(nearest <= 6, `${x}, ${y}: ${nearest}`);
  }
});
