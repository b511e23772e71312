import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { contextFor, inTemporaryFolder, readAll, streamOf, twoImages } from '../../../test/contracts/format.ts';
import type { DatasetImage, RegionRecord } from '../../core/dataset.ts';
import { exportDataset } from '../../stages/export/write.ts';

async function rowsOf(
  name: 'yolo-seg' | 'yolo-pose' | 'yolo-obb',
  change: Partial<RegionRecord>,
): Promise<{ rows: string; yaml: string }> {
  const { images: given, seeds } = twoImages();
  const [first] = given as [DatasetImage];
  const images = [{ ...first, regions: [{ ...first.regions[0], ...change }] }];
  let found = { rows: '', yaml: '' };
  await inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    await exportDataset(name, out, streamOf(images), contextFor(images, seeds));
    const rows = await readFile(join(out, 'labels/day 1/a.txt'), 'utf8');
    found = { rows, yaml: await readFile(join(out, 'data.yaml'), 'utf8') };
    assert.equal((await readAll(name, out)).length, 1);
  });
  return found;
}

describe('yolo-seg', () => {
  // The image is 200×100; docs.ultralytics.com/datasets/segment: `class x1 y1 x2 y2 …`, at least three points.
  it('writes the polygon as fractions', async () => {
    const { rows } = await rowsOf('yolo-seg', { polygons: [[0, 0, 100, 0, 100, 50]] });
    assert.equal(rows, '0 0.000000 0.000000 0.500000 0.000000 0.500000 0.500000\n');
  });

  it('writes the outline of a mask, and the box where there is neither', async () => {
    const mask = { size: [100, 200] as const, counts: [0, 50, 20_000 - 50] };
    const { rows } = await rowsOf('yolo-seg', { mask });
    assert.equal(rows, '0 0.000000 0.000000 0.005000 0.000000 0.005000 0.500000 0.000000 0.500000\n');
    const box = await rowsOf('yolo-seg', {});
    assert.equal(box.rows, '0 0.050000 0.200000 0.550000 0.200000 0.550000 0.705000 0.050000 0.705000\n');
  });

  it('cuts at the edge of the image and joins several polygons to one row', async () => {
    const { rows } = await rowsOf('yolo-seg', {
      polygons: [
        [-50, 0, 20, 0, 20, 10, -50, 10],
        [100, 50, 120, 50, 120, 60],
      ],
    });
    const numbers = rows.trim().split(' ').slice(1).map(Number);
    assert.equal(rows.split('\n').length, 2);
    assert.ok(numbers.every((number) => number >= 0 && number <= 1));
    // Four corners, three, and both ends of the way there and back.
    assert.equal(numbers.length, 2 * (4 + 3 + 2));
  });
});

describe('yolo-pose', () => {
  it('writes a box and as many keypoints in every row as data.yaml says', async () => {
    const { rows, yaml } = await rowsOf('yolo-pose', {
      keypoints: [
        [20, 25, 2],
        [0, 0, 0],
        [250, 50, 1],
      ],
    });
    // docs.ultralytics.com/datasets/pose: `class x y w h px1 py1 v1 …`, kpt_shape [number, 3].
    assert.equal(
      rows,
      '0 0.300000 0.452500 0.500000 0.505000 0.100000 0.250000 2 0.000000 0.000000 0 1.000000 0.500000 1\n',
    );
    assert.match(yaml, /\nkpt_shape: \[3, 3\]\nflip_idx: \[0, 1, 2\]\n$/);
  });

  it("swaps left and right of a person's points as trainers expect", async () => {
    const keypoints = Array.from({ length: 17 }, (_, i) => [i, i, 2] as const);
    const { yaml } = await rowsOf('yolo-pose', { keypoints });
    // As ultralytics' own coco-pose.yaml has it.
    assert.match(yaml, /flip_idx: \[0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15\]/);
  });
});

describe('yolo-obb', () => {
  // A quarter turn of 40×20 around 60, 50 in an image of 200×100; docs.ultralytics.com/datasets/obb: `class x1 y1 … x4 y4`.
  const rotatedBox = { cx: 60, cy: 50, width: 40, height: 20, angleDegrees: 90 };

  it('writes the corners in their order from the first one, and that they are no outlines', async () => {
    const { rows, yaml } = await rowsOf('yolo-obb', { box: [50, 30, 70, 70], details: { rotatedBox } });
    assert.equal(rows, '0 0.350000 0.300000 0.350000 0.700000 0.250000 0.700000 0.250000 0.300000\n');
    assert.match(yaml, /\ntask: obb\n$/);
  });

  it('writes a straight box as its corners, and polygons as the smallest turned box around them', async () => {
    const box = await rowsOf('yolo-obb', { box: [20, 10, 60, 50] });
    assert.equal(box.rows, '0 0.100000 0.100000 0.300000 0.100000 0.300000 0.500000 0.100000 0.500000\n');
    const { rows } = await rowsOf('yolo-obb', { polygons: [[60, 10, 100, 50, 60, 90, 20, 50, 50, 50]] });
    const corners = rows.trim().split(' ').slice(1).map(Number);
    assert.deepEqual(
      [0, 2, 4, 6]
        .map((i) => [Math.round(corners[i] * 200), Math.round(corners[i + 1] * 100)])
        .sort(([a], [b]) => a - b),
      [
        [20, 50],
        [60, 10],
        [60, 90],
        [100, 50],
      ].sort(([a], [b]) => a - b),
    );
  });

  it('leaves corners outside of the image where trainers take them, and moves others to its edge', async () => {
    const near = { cx: 10, cy: 50, width: 60, height: 30, angleDegrees: 90 };
    const { rows } = await rowsOf('yolo-obb', { box: [0, 20, 25, 80], details: { rotatedBox: near } });
    assert.equal(rows, '0 0.125000 0.200000 0.125000 0.800000 -0.025000 0.800000 -0.025000 0.200000\n');
    const far = { cx: 0, cy: 50, width: 150, height: 300, angleDegrees: 0 };
    const moved = await rowsOf('yolo-obb', { box: [0, 0, 75, 100], details: { rotatedBox: far } });
    assert.equal(moved.rows, '0 0.000000 0.000000 0.375000 0.000000 0.375000 1.000000 0.000000 1.000000\n');
  });
});
