import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from '../../test/properties.ts';
import { cornersOfRotated, extentOfRotated, rotatedOfCorners } from './rotated-box.ts';

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
