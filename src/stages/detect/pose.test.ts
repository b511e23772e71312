/** What the numbers of a pose model become. The stage runs in `test/e2e/pose.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/properties.ts';
import { HIDDEN_SCORE, keypointsInImage, SEEN_SCORE } from './pose.ts';

test('scores become visibility, and what is outside the image or hardly scored is not there', () => {
  const square = { left: -20, top: 10, scale: 2 };
  const found = [
    [100, 60, 0.9],
    [100, 60, SEEN_SCORE],
    [100, 60, SEEN_SCORE - 0.001],
    [100, 60, HIDDEN_SCORE],
    [100, 60, HIDDEN_SCORE - 0.001],
    [30, 60, 0.9],
    [100, 190, 0.9],
    [100, 60, Number.NaN],
  ];
  assert.deepEqual(keypointsInImage(found.flat(), square, { width: 100, height: 100 }), [
    [30, 40, 2],
    [30, 40, 2],
    [30, 40, 1],
    [30, 40, 1],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test('every keypoint that is there is inside the image', () => {
  const number = fc.double({ min: -500, max: 500, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(number, number, fc.double({ min: 0, max: 1 }))),
      number,
      number,
      (found, left, top) => {
        const points = keypointsInImage(found.flat(), { left, top, scale: 0.7 }, { width: 200, height: 150 });
        assert.equal(points.length, found.length);
        for (const [x, y, visibility] of points) {
          assert.ok(x >= 0 && x <= 200 && y >= 0 && y <= 150);
          assert.ok(visibility > 0 || (x === 0 && y === 0));
        }
      },
    ),
  );
});
