import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../test/properties.ts';
import type { MaskRle } from '../core/dataset.ts';
import { bitmapOf, clipPolygon, joinPolygons, maskBox, maskOfBitmap, outlinesOf } from './contours.ts';
import { polygonArea } from './rle.ts';

/** A mask of rows of `.` and `#`. */
function maskOf(rows: readonly string[]): MaskRle {
  const [height, width] = [rows.length, rows[0].length];
  const pixels = Uint8Array.from(rows.join(''), (cell) => (cell === '#' ? 1 : 0));
  return maskOfBitmap({ left: 0, top: 0, width, height, pixels }, width, height);
}

/** Whether the centre of a pixel is inside by the even-odd rule: a ray to the right crosses an odd number of sides. */
function inside(polygons: readonly (readonly number[])[], x: number, y: number): boolean {
  let crossings = 0;
  for (const polygon of polygons) {
    for (let i = 0; i < polygon.length; i += 2) {
      const [x1, y1, x2, y2] = [0, 1, 2, 3].map((k) => polygon[(i + k) % polygon.length]) as [
        number,
        number,
        number,
        number,
      ];
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) crossings++;
    }
  }
  return crossings % 2 === 1;
}

const rows = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([width, height]) =>
  fc.array(
    fc.array(fc.constantFrom('#', '.'), { minLength: width, maxLength: width }).map((cells) => cells.join('')),
    {
      minLength: height,
      maxLength: height,
    },
  ),
);

describe('outlines', () => {
  it('runs go down the columns, first of zeros, as in COCO', () => {
    assert.deepEqual(maskOf(['.#', '##']), { size: [2, 2], counts: [1, 3] });
    assert.deepEqual(maskOf(['#.', '..']), { size: [2, 2], counts: [0, 1, 3] });
  });

  it('a ring has an outer outline and a hole; pixels that touch at a corner are apart', () => {
    const ring = outlinesOf(maskOf(['###', '#.#', '###']));
    assert.deepEqual(ring.outer, [[0, 0, 3, 0, 3, 3, 0, 3]]);
    assert.equal(ring.holes.length, 1);
    assert.equal(polygonArea(ring.holes[0] as number[]), 1);
    assert.equal(outlinesOf(maskOf(['#.', '.#'])).outer.length, 2);
    assert.deepEqual(outlinesOf(maskOf(['..', '..'])), { outer: [], holes: [] });
  });

  it('filling the outlines gives the mask back, bitmap and box agree with it', () => {
    fc.assert(
      fc.property(rows, (cells) => {
        const mask = maskOf(cells);
        const { outer, holes } = outlinesOf(mask);
        const set: [number, number][] = [];
        for (const [y, row] of cells.entries())
          for (const [x, cell] of [...row].entries()) {
            assert.equal(inside([...outer, ...holes], x + 0.5, y + 0.5), cell === '#', `${x}, ${y}`);
            if (cell === '#') set.push([x, y]);
          }
        const bitmap = bitmapOf(mask);
        if (bitmap === null) assert.equal(set.length, 0);
        else {
          const { left, top, width, height } = bitmap;
          assert.deepEqual(maskBox(mask), [left, top, left + width, top + height]);
          assert.equal(Math.min(...set.map(([x]) => x)), left);
          assert.equal(Math.max(...set.map(([, y]) => y)) + 1, top + height);
          assert.deepEqual(maskOfBitmap(bitmap, mask.size[1], mask.size[0]), mask);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('joining polygons adds no area; clipping leaves what is inside', () => {
    const squares = [
      [0, 0, 2, 0, 2, 2, 0, 2],
      [5, 0, 6, 0, 6, 1, 5, 1],
      [0, 7, 1, 7, 1, 9, 0, 9],
    ];
    assert.equal(polygonArea(joinPolygons(squares)), 4 + 1 + 2);
    assert.equal(polygonArea(clipPolygon([-5, -5, 5, -5, 5, 5, -5, 5], 10, 3)), 15);
    assert.deepEqual(clipPolygon([20, 20, 30, 20, 30, 30], 10, 10), []);
    assert.equal(polygonArea(clipPolygon([-10, 5, 5, -10, 20, 5, 5, 20], 10, 10)), 100);
  });
});
