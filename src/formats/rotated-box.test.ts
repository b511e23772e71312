import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../test/properties.ts';
import type { ImportedRegion } from '../core/dataset.ts';
import { cornersOfRotated, extentOfRotated, rotatedOfCorners, smallestRectangle, turnedBoxOf } from './rotated-box.ts';

it('turns clockwise as seen', () => {
  // A quarter turn of a box of 20×10 around 10, 5: by hand.
  const turned = { cx: 10, cy: 5, width: 20, height: 10, angleDegrees: 90 };
  assert.deepEqual(cornersOfRotated(turned).map(Math.round), [15, -5, 15, 15, 5, 15, 5, -5]);
  assert.deepEqual(extentOfRotated(turned).map(Math.round), [5, -5, 15, 15]);
});

it('is found again from its corners, and four points that are no rectangle are none', () => {
  const size = fc.double({ min: 1, max: 500, noNaN: true });
  fc.assert(
    fc.property(
      size,
      size,
      size,
      size,
      fc.double({ min: -179, max: 179, noNaN: true }),
      (cx, cy, width, height, angleDegrees) => {
        const found = rotatedOfCorners(cornersOfRotated({ cx, cy, width, height, angleDegrees }));
        assert.ok(found !== null);
        for (const [got, want] of [
          [found.cx, cx],
          [found.cy, cy],
          [found.width, width],
          [found.height, height],
          [found.angleDegrees, angleDegrees],
        ])
          assert.ok(Math.abs(got - want) < 1e-6);
      },
    ),
  );
  assert.equal(rotatedOfCorners([0, 0, 10, 0, 10, 10, 5, 10]), null);
});

/** OpenCV 4.12, `cv2.boxPoints(cv2.minAreaRect(points))`, corners sorted; Shapely 2.2 `minimum_rotated_rectangle` says the same. */
const SMALLEST = [
  {
    points: [10, 10, 60, 30, 50, 55, 0, 35, 30, 20],
    corners: [0, 35, 10, 10, 50, 55, 60, 30],
  },
  {
    points: [0, 0, 40, 5, 38, 25, 20, 30, 3, 22],
    corners: [-3.385, 27.077, 0, 0, 37.108, 32.138, 40.492, 5.062],
  },
  { points: [5, 5, 25, 5, 25, 15, 5, 15], corners: [5, 5, 5, 15, 25, 5, 25, 15] },
  { points: [0, 0, 10, 10, 20, 20, 5, 9], corners: [-2, 2, 0, 0, 18, 22, 20, 20] },
];

it('finds the smallest rectangle around points, as OpenCV does', () => {
  for (const { points, corners } of SMALLEST) {
    const flat = cornersOfRotated(smallestRectangle([points]));
    const found = [0, 2, 4, 6].map((i) => [flat[i], flat[i + 1]] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    for (const [i, value] of found.flat().entries()) assert.ok(Math.abs(value - corners[i]) < 0.001, `${found}`);
  }
});

it('holds all points of a polygon in the smallest rectangle', () => {
  const points = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 6, maxLength: 40 });
  fc.assert(
    fc.property(points, (all) => {
      const polygon = all.slice(0, all.length - (all.length % 2));
      const { cx, cy, width, height, angleDegrees } = smallestRectangle([polygon]);
      const angle = (angleDegrees * Math.PI) / 180;
      for (let i = 0; i < polygon.length; i += 2) {
        const [x, y] = [polygon[i] - cx, polygon[i + 1] - cy];
        assert.ok(Math.abs(x * Math.cos(angle) + y * Math.sin(angle)) <= width / 2 + 1e-6);
        assert.ok(Math.abs(y * Math.cos(angle) - x * Math.sin(angle)) <= height / 2 + 1e-6);
      }
    }),
  );
});

describe('corners of a turned box', () => {
  const region = (polygon: readonly number[], corners: ImportedRegion['corners']): ImportedRegion => ({
    box: [0, 0, 20, 20],
    unit: 'pixels',
    score: null,
    labels: [],
    mask: null,
    polygons: [polygon],
    keypoints: null,
    crowd: false,
    corners,
  });
  const turned = [10, 0, 20, 10, 10, 20, 0, 10];
  const straight = [0, 0, 20, 0, 20, 20, 0, 20];
  const kite = [10, 0, 20, 5, 10, 20, 0, 5];

  it('are the box with its angle', () => {
    for (const corners of ['said', 'likely'] as const) {
      const { polygons, details } = turnedBoxOf(region(turned, corners));
      assert.equal(polygons, null);
      const { width = 0, height = 0, ...rest } = details?.rotatedBox ?? {};
      assert.deepEqual(rest, { cx: 10, cy: 10, angleDegrees: 45 });
      assert.ok(Math.abs(width - Math.SQRT2 * 10) < 1e-9 && Math.abs(height - width) < 1e-9);
    }
  });

  it('that stand straight or are no rectangle stay a polygon, unless the file says that they are boxes', () => {
    assert.deepEqual(turnedBoxOf(region(straight, 'likely')).polygons, [straight]);
    assert.deepEqual(turnedBoxOf(region(kite, 'likely')).polygons, [kite]);
    const box = turnedBoxOf(region(straight, 'said'));
    assert.deepEqual([box.polygons, box.details, box.box], [null, undefined, [0, 0, 20, 20]]);
    let told = 0;
    assert.equal(turnedBoxOf(region(kite, 'said'), () => told++).polygons, null);
    assert.equal(told, 1);
  });
});
