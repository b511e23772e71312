import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenePixels } from '../../test/fixtures/images.ts';
import fc from '../../test/properties.ts';
import { seededRandom } from '../core/random.ts';
import { augmentedView, strongSquare, weakSquare } from './augment.ts';
import { decodeUpright } from './decode.ts';

test('a view is at least half of the image, whatever its size; the same seed gives the same view', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 }), fc.nat(), async (w, h, seed) => {
      const image = { pixels: scenePixels(w, h, 3), width: w, height: h };
      const bytes = await augmentedView(image, seededRandom(seed));
      const view = await decodeUpright(bytes);
      assert.ok(view.width <= w && view.height <= h);
      // Rounding to whole pixels takes at most half of one from either side.
      assert.ok((view.width + 0.5) * (view.height + 0.5) >= 0.5 * w * h * 0.75, `${view.width} × ${view.height}`);
      assert.deepEqual(await augmentedView(image, seededRandom(seed)), bytes);
    }),
    { numRuns: 30 },
  );
});

test('views of one image differ, and keep its light within a fifth', async () => {
  const image = { pixels: scenePixels(64, 48, 7), width: 64, height: 48 };
  const mean = (pixels: Uint8Array) => pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const random = seededRandom(1);
  const views = await Promise.all(
    Array.from({ length: 8 }, () => augmentedView(image, random).then((b) => decodeUpright(b))),
  );
  assert.ok(new Set(views.map(({ pixels }) => Buffer.from(pixels).toString('base64'))).size === 8);
  for (const { pixels } of views) assert.ok(Math.abs(mean(pixels) / mean(image.pixels) - 1) < 0.35);
});

test('strong views are of the size that is asked for, the same for the same seed, and differ more than weak ones', async () => {
  const image = { pixels: scenePixels(64, 48, 7), width: 64, height: 48 };
  const plain = await weakSquare(image, () => 0.99, 32, { mirror: false });
  const far = (pixels: Uint8Array) => pixels.reduce((sum, value, i) => sum + Math.abs(value - plain[i]), 0);
  let [weak, strong] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const view = await strongSquare(image, seededRandom(seed), 32);
    assert.equal(view.length, 32 * 32 * 3);
    assert.deepEqual(await strongSquare(image, seededRandom(seed), 32), view);
    strong += far(view);
    weak += far(await weakSquare(image, seededRandom(seed), 32));
  }
  assert.ok(strong > weak, `${strong} against ${weak}`);
});
