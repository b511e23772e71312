/** Masks of drawn scenes, whose object is known, and what holds of every mask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/properties.ts';
import type { Box } from '../core/boxes.ts';
import type { MaskRle } from '../core/dataset.ts';
import { seededRandom } from '../core/random.ts';
import type { BoxCrop } from './segmenter/crop.ts';
import { openSegmenter } from './segmenter.ts';

/** Shape [height, width], row-major, by the definition of COCO's run lengths. */
function pixelsOf({ size: [height, width], counts }: MaskRle): Uint8Array {
  const pixels = new Uint8Array(height * width);
  let at = 0;
  for (const [i, count] of counts.entries()) {
    for (let k = at; k < at + count; k++) pixels[(k % height) * width + Math.floor(k / height)] = i % 2;
    at += count;
  }
  assert.equal(at, height * width, 'the counts are of all pixels');
  return pixels;
}

/** A disc of one noisy colour on another, with the box around it. */
function disc(width: number, height: number, radius: number): BoxCrop & { readonly truth: Uint8Array } {
  const random = seededRandom(width + height);
  const [cx, cy] = [width / 2, height / 2];
  const truth = new Uint8Array(width * height);
  const pixels = new Uint8Array(3 * width * height);
  for (let i = 0; i < truth.length; i++) {
    const inside = Math.hypot((i % width) + 0.5 - cx, Math.floor(i / width) + 0.5 - cy) < radius;
    truth[i] = inside ? 1 : 0;
    const colour = inside ? [200, 60, 40] : [40, 90, 160];
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = colour[c] + Math.round(30 * (random() - 0.5));
  }
  const box: Box = [cx - radius, cy - radius, cx + radius, cy + radius];
  const place = { left: 0, top: 0, scaleX: 1, scaleY: 1, imageWidth: width, imageHeight: height };
  return { pixels, width, height, box, ...place, truth };
}

test('a disc is found in its box to a pixel, in every thread alike', async (t) => {
  const segmenter = openSegmenter({ threads: 2 });
  t.after(() => segmenter.close());
  const scene = disc(90, 80, 25);
  const masks = await Promise.all(Array.from({ length: 6 }, () => segmenter.segment(scene)));
  for (const mask of masks) assert.deepEqual(mask, masks[0]);
  const found = pixelsOf(masks[0]);
  const both = found.reduce((sum, value, i) => sum + value * scene.truth[i], 0);
  const either = found.reduce((sum, value, i) => sum + Math.max(value, scene.truth[i]), 0);
  assert.ok(both / either > 0.97, `IoU ${both / either}`);
});

test('every mask is in its box and image and not empty, whatever the pixels, the box and the scale', async (t) => {
  const segmenter = openSegmenter({ threads: 1 });
  t.after(() => segmenter.close());
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        width: fc.integer({ min: 1, max: 60 }),
        height: fc.integer({ min: 1, max: 60 }),
        imageWidth: fc.integer({ min: 1, max: 200 }),
        imageHeight: fc.integer({ min: 1, max: 200 }),
        corners: fc.tuple(share, share, share, share),
        seed: fc.integer(),
        levels: fc.constantFrom(1, 2, 256),
      }),
      async ({ width, height, imageWidth, imageHeight, corners, seed, levels }) => {
        const random = seededRandom(seed);
        const step = levels === 1 ? 0 : 255 / (levels - 1);
        const pixels = Uint8Array.from({ length: 3 * width * height }, () => Math.floor(random() * levels) * step);
        const [x1, x2] = [corners[0], corners[1]].sort((a, b) => a - b).map((at) => at * imageWidth);
        const [y1, y2] = [corners[2], corners[3]].sort((a, b) => a - b).map((at) => at * imageHeight);
        const box = [x1, y1, x2, y2] as unknown as Box;
        const crop = { pixels, width, height, box, left: 0, top: 0, imageWidth, imageHeight };
        const mask = await segmenter.segment({ ...crop, scaleX: width / imageWidth, scaleY: height / imageHeight });
        assert.deepEqual(mask.size, [imageHeight, imageWidth]);
        const found = pixelsOf(mask);
        assert.ok(found.includes(1), 'not empty');
        for (const [i, value] of found.entries()) {
          const [x, y] = [i % imageWidth, Math.floor(i / imageWidth)];
          // The middle of a pixel is in the box; a box without any middle has one pixel.
          if (value === 1) {
            assert.ok(x + 1 >= box[0] && x <= box[2] && y + 1 >= box[1] && y <= box[3], `${x},${y} is outside ${box}`);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('a closed segmenter refuses, and what was under way fails instead of waiting', async () => {
  const segmenter = openSegmenter({ threads: 1 });
  const scene = disc(96, 96, 30);
  const open = Array.from({ length: 4 }, () => segmenter.segment(scene));
  const outcomes = Promise.allSettled(open);
  await segmenter.close();
  assert.deepEqual(
    (await outcomes).filter(({ status }) => status === 'rejected').map((o) => (o as PromiseRejectedResult).reason.code),
    ['INTERRUPTED', 'INTERRUPTED', 'INTERRUPTED', 'INTERRUPTED'],
  );
  await assert.rejects(segmenter.segment(scene), { code: 'INTERRUPTED' });
});
