import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { regionsInImage, regionsInside } from './frame.ts';

const plain = { score: null, labels: [], mask: null, polygons: null, keypoints: null, crowd: false };

function entryOf(region: Partial<ImportedRegion>, size: readonly [number, number] | null): ImportedImage {
  const [width, height] = size ?? [null, null];
  const regions = [{ ...plain, unit: 'pixels' as const, box: [0, 0, 1, 1] as const, ...region }];
  return { file: 'a.jpg', width, height, labels: [], regions, where: 'x.json images[0]', split: null };
}

function inside(region: Partial<ImportedRegion>, size: readonly [number, number] | null, orientation = 1) {
  const reckoning = new Reckoning();
  const image = { width: 160, height: 120, orientation };
  const regions = regionsInside(entryOf(region, size), image, reckoning);
  return { regions, reasons: reckoning.report().problems.map(({ reason, count }) => `${reason} ${count}`) };
}

describe('the frame of labels', () => {
  it('scales boxes, polygons, keypoints and masks of another size', () => {
    const { regions, reasons } = inside(
      {
        box: [200, 100, 300, 200],
        polygons: [[200, 100, 300, 100, 300, 200]],
        keypoints: [[250, 150, 2]],
        mask: { size: [240, 320], counts: [240 * 319 + 238, 2] },
      },
      [320, 240],
    );
    assert.deepEqual(regions[0].box, [100, 50, 150, 100]);
    assert.deepEqual(regions[0].polygons, [[100, 50, 150, 50, 150, 100]]);
    assert.deepEqual(regions[0].keypoints, [[125, 75, 2]]);
    assert.deepEqual(regions[0].mask, { size: [120, 160], counts: [120 * 160 - 1, 1] });
    assert.deepEqual(reasons, ['frame-scaled 1']);
  });

  // The image is 160×120 upright; its pixels are stored as 120×160. Where EXIF puts row 0 and column 0 (CIPA DC-008):
  // 6: the right side and the top, so the stored top left comes to the top right; 8: the left and the bottom; 5: the left
  // and the top; 7: the right and the bottom.
  for (const [orientation, box] of [
    [5, [20, 10, 50, 30]],
    [6, [110, 10, 140, 30]],
    [7, [110, 90, 140, 110]],
    [8, [20, 90, 50, 110]],
  ] as const)
    it(`turns labels of stored pixels by orientation ${orientation}`, () => {
      const counts = [160 * 10 + 20, 30, 160 * 120 - 160 * 10 - 50];
      const { regions, reasons } = inside(
        { box: [10, 20, 30, 50], mask: { size: [160, 120], counts } },
        [120, 160],
        orientation,
      );
      assert.deepEqual(regions[0].box, box);
      assert.deepEqual(regions[0].mask?.size, [120, 160]);
      assert.deepEqual(reasons, ['frame-turned 1']);
    });

  it('leaves out what was drawn on another picture, but for fractions', () => {
    assert.deepEqual(inside({}, [100, 300]).reasons, ['frame-unknown 1']);
    assert.deepEqual(inside({}, [120, 160]).reasons, ['frame-unknown 1'], 'exchanged sides without a turn');
    const { regions, reasons } = inside({ unit: 'fractions', box: [0.5, 0.5, 1, 1] }, [100, 300]);
    assert.deepEqual([regions[0].box, reasons], [[80, 60, 160, 120], []]);
  });

  it('clips what reaches over the edge, and leaves out what is not in the image', () => {
    const clipped = inside({ box: [-4, 10, 40, 130], polygons: [[-4, 10, 40, 10, 40, 130, -4, 130]] }, null);
    assert.deepEqual(clipped.regions[0].box, [0, 10, 40, 120]);
    assert.deepEqual(clipped.regions[0].polygons?.[0].length, 8);
    assert.deepEqual(clipped.reasons, ['box-clipped 1']);
    assert.deepEqual(inside({ box: [-0.01, 0, 160.02, 9] }, null).reasons, [], 'rounding');
    assert.deepEqual(inside({ box: [200, 10, 210, 20] }, null).reasons, ['box-outside 1']);
    assert.deepEqual(inside({ box: [-1e308, -1e308, 1e308, 1e308] }, null).reasons, ['box-far-outside 1']);
    assert.deepEqual(inside({ box: [5, 5, 5, 9] }, null).reasons, ['box-empty 1']);
    const mask = { size: [9, 9] as const, counts: [80, 1] };
    assert.deepEqual(inside({ mask }, null).reasons, ['mask-other-size 1']);
  });

  it('leaves boxes of a truth where they are', () => {
    const image = { width: 160, height: 120, orientation: 1 };
    const [region] = regionsInImage(entryOf({ box: [-4, 0, 170, 9] }, null), image, new Reckoning());
    assert.deepEqual(region.box, [-4, 0, 170, 9]);
  });
});
