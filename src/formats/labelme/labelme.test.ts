import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { brokenFiles, inTemporaryFolder, readAll, writeFiles } from '../../../test/contracts/format.ts';

const file = (shapes: readonly unknown[], more: Record<string, unknown> = {}) => ({
  'p.json': JSON.stringify({
    version: '5.2.1',
    flags: {},
    shapes,
    imagePath: 'p.jpg',
    imageData: null,
    imageHeight: 120,
    imageWidth: 160,
    ...more,
  }),
});

describe('labelme', () => {
  it('reads shapes of LabelMe: rectangles, circles, polygons of a group, points of a box, masks, flags', async () => {
    // The mask of LabelMe is a PNG of the part between its two points, both inside (labelme/shape.py).
    const png = await sharp(Buffer.from([0, 255, 255, 0]), { raw: { width: 2, height: 2, channels: 1 } })
      .png()
      .toBuffer();
    const shapes = [
      {
        label: 'cat',
        points: [
          [50, 50],
          [10, 10],
        ],
        shape_type: 'rectangle',
        group_id: 1,
      },
      { label: 'nose', points: [[20, 21]], shape_type: 'point', group_id: 1 },
      {
        label: 'dog',
        points: [
          [0, 0],
          [9, 0],
          [9, 9],
        ],
        shape_type: 'polygon',
        group_id: 2,
      },
      {
        label: 'dog',
        points: [
          [20, 0],
          [29, 0],
          [29, 9],
        ],
        shape_type: 'polygon',
        group_id: 2,
      },
      {
        label: 'sun',
        points: [
          [50, 50],
          [53, 54],
        ],
        shape_type: 'circle',
      },
      {
        label: 'spot',
        points: [
          [4, 6],
          [5, 7],
        ],
        shape_type: 'mask',
        mask: png.toString('base64'),
      },
    ];
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, file(shapes, { flags: { outdoor: true, night: false }, imagePath: '..\\d\\p.jpg' }));
      const [image] = await readAll('labelme', folder);
      assert.deepEqual([image.file, image.otherNames, image.width], ['../d/p.jpg', ['p'], 160]);
      assert.deepEqual(
        image.labels.map(({ className }) => className),
        ['outdoor'],
      );
      const [cat, dog, sun, spot] = image.regions;
      assert.deepEqual([cat.box, cat.keypoints], [[10, 10, 50, 50], [[20, 21, 2]]]);
      assert.deepEqual([dog.box, dog.polygons?.length], [[0, 0, 29, 9], 2]);
      assert.deepEqual(sun.box, [45, 45, 55, 55]);
      // Pixels (5, 6) and (4, 7): columns of 120 from the left.
      assert.deepEqual(spot.mask?.counts, [120 * 4 + 7, 1, 118, 1, 120 * 154 + 113]);
    });
  });

  it('reads what X-AnyLabeling adds: turned boxes, scores, difficult, attributes', async () => {
    const points = [
      [15, -5],
      [15, 15],
      [5, 15],
      [5, -5],
    ];
    const shape = {
      label: 'ship',
      points,
      shape_type: 'rotation',
      score: 0.5,
      difficult: true,
      attributes: { colour: 'red' },
    };
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, file([shape]));
      const [region] = (await readAll('labelme', join(folder, 'p.json')))[0].regions;
      assert.deepEqual([region.score, region.box.map(Math.round)], [0.5, [5, -5, 15, 15]]);
      assert.deepEqual(region.details, {
        difficult: true,
        attributes: { colour: 'red' },
        rotatedBox: { cx: 10, cy: 5, width: 20, height: 10, angleDegrees: 90 },
      });
    });
  });
});

brokenFiles('labelme', [
  {
    what: 'no shapes',
    files: { 'p.json': '{"a":1}' },
    path: 'p.json',
    message: /^p\.json shapes: a list was expected/,
  },
  { what: 'cut', files: { 'p.json': '{"shapes":[' }, path: 'p.json', message: /^p\.json: not valid JSON/ },
  {
    what: 'a shape nobody knows',
    files: file([{ label: 'a', points: [[1, 2]], shape_type: 'star' }]),
    path: 'p.json',
    message: /^p\.json shapes\[0\]\.shape_type: "star" is no shape/,
  },
  {
    what: 'a mask that is none',
    files: file([
      {
        label: 'a',
        points: [
          [1, 2],
          [3, 4],
        ],
        shape_type: 'mask',
        mask: 'eA==',
      },
    ]),
    path: 'p.json',
    message: /^p\.json shapes\[0\]\.mask: not a picture/,
  },
]);
