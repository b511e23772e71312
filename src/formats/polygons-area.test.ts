/**
 * Areas that pycocotools 2.0.11 gives: `area(merge(frPyObjects(polygons, 100, 100)))`. It counts pixels, whose centres it moves by
 * up to half a pixel, so outlines add or take about half their length.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { polygonsArea } from './polygons-area.ts';

const PIXELS: readonly (readonly [what: string, pixels: number, polygons: readonly (readonly number[])[]])[] = [
  ['a star drawn in one go', 1864, [[50, 5, 79, 95, 5, 38, 95, 38, 21, 95]]],
  ['a bow tie', 3200, [[10, 10, 90, 90, 90, 10, 10, 90]]],
  ['a loop', 1428, [[10, 50, 90, 50, 90, 20, 50, 90, 10, 20]]],
  ['one round twice', 0, [[10, 10, 60, 10, 60, 60, 10, 60, 10, 10, 60, 10, 60, 60, 10, 60]]],
  [
    'two that overlap',
    4600,
    [
      [10, 10, 60, 10, 60, 60, 10, 60],
      [40, 40, 90, 40, 90, 90, 40, 90],
    ],
  ],
  [
    'one inside another',
    6400,
    [
      [10, 10, 90, 10, 90, 90, 10, 90],
      [30, 30, 60, 30, 60, 60, 30, 60],
    ],
  ],
  [
    'two apart',
    1600,
    [
      [5, 5, 25, 5, 25, 25, 5, 25],
      [50, 50, 90, 50, 90, 80, 50, 80],
    ],
  ],
  ['four corners', 3070, [[10, 10, 90, 20, 70, 85, 40, 60]]],
];

test('are those of the mask that readers make of them', () => {
  for (const [what, pixels, polygons] of PIXELS) {
    const area = polygonsArea(polygons);
    assert.ok(Math.abs(area - pixels) <= 0.03 * pixels, `${what}: ${area}, ${pixels} pixels`);
  }
});

test('are exact where nothing crosses, of the smallest and the largest', () => {
  assert.equal(polygonsArea([[10, 10, 90, 20, 70, 85, 40, 60]]), 3075);
  assert.equal(polygonsArea([[0, 0, 0.5, 0, 0.5, 0.25]]), 0.0625);
  assert.equal(polygonsArea([[0, 0, 30_000, 0, 30_000, 20_000, 0, 20_000]]), 6e8);
  assert.equal(polygonsArea([[3, 4, 9, 4]]), 0);
  assert.equal(polygonsArea([]), 0);
});
