import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { animated, badImages, jpegScene, orientedJpeg, scene, scenePixels } from '../../test/fixtures/images.ts';
import { cropRegions, thumbnailOf } from './crops.ts';
import { decodeCovered, decodeLetterboxed, decodeUpright, decodeWithin, type Pixels, withMargin } from './decode.ts';
import { BadImageError } from './reasons.ts';

function pixelAt({ pixels, width }: Pixels, x: number, y: number): number[] {
  return [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function near(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  const off = Math.max(...actual.map((value, i) => Math.abs(value - expected[i])));
  assert.ok(off <= tolerance, `[${actual}] is not within ${tolerance} of [${expected}]`);
}

describe('decode: what cannot be decoded', async () => {
  for (const [name, { bytes, reason }] of Object.entries(await badImages())) {
    test(`${name}: ${reason ?? 'decoded'}`, async () => {
      const decodings = [
        () => decodeUpright(bytes),
        () => decodeWithin(bytes, 64),
        () => decodeLetterboxed(bytes, { width: 96, height: 96 }),
        () => decodeCovered(bytes, 32),
      ];
      for (const decode of decodings) {
        if (reason === null) await decode();
        else {
          await assert.rejects(decode, (error) => {
            assert.ok(error instanceof BadImageError);
            assert.equal(error.reason, reason, error.message);
            assert.equal(error.details.reason, reason);
            return true;
          });
        }
      }
    });
  }
});

describe('decode: pixels', () => {
  test('every EXIF orientation comes upright, once, in every way of decoding', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const bytes = await orientedJpeg(orientation);
      const letterboxed = await decodeLetterboxed(bytes, { width: 40, height: 40 });
      const images: Pixels[] = [
        await decodeUpright(bytes),
        await decodeWithin(bytes, 20),
        { ...letterboxed, width: 40, height: 20 },
      ];
      for (const image of images) {
        assert.equal(image.width, 2 * image.height, `orientation ${orientation}`);
        const [left, right] = [Math.floor(image.width / 4), Math.floor((3 * image.width) / 4)];
        const [top, bottom] = [Math.floor(image.height / 4), Math.floor((3 * image.height) / 4)];
        near(pixelAt(image, left, top), [255, 0, 0], 12);
        near(pixelAt(image, right, top), [0, 255, 0], 12);
        near(pixelAt(image, left, bottom), [0, 0, 255], 12);
        near(pixelAt(image, right, bottom), [255, 255, 255], 12);
      }
      assert.deepEqual([letterboxed.width, letterboxed.height], [40, 20]);
    }
  });

  test('16 bits, grey, palette and CMYK come as 8-bit RGB', async () => {
    const [width, height] = [24, 16];
    const pixels = scenePixels(width, height, 11);
    const raw = { raw: { width, height, channels: 3 as const } };
    const deep = await decodeUpright(await sharp(pixels, raw).toColourspace('rgb16').png().toBuffer());
    assert.deepEqual(Buffer.from(deep.pixels), pixels);
    const palette = await decodeUpright(await sharp(pixels, raw).png({ palette: true, colours: 256 }).toBuffer());
    assert.equal(palette.pixels.length, width * height * 3);
    const grey = await decodeUpright(
      await sharp(Buffer.from([0, 100, 200, 255]), { raw: { width: 4, height: 1, channels: 1 } })
        .png()
        .toBuffer(),
    );
    assert.deepEqual([...grey.pixels], [0, 0, 0, 100, 100, 100, 200, 200, 200, 255, 255, 255]);
    const orange = { create: { width: 16, height: 16, channels: 3 as const, background: '#c86432' } };
    const cmyk = await sharp(orange).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
    // Out through one profile and back through another; not inverted is what matters.
    near(pixelAt(await decodeUpright(cmyk), 8, 8), [200, 100, 50], 40);
  });

  test('transparent pixels lie on white', async () => {
    const pixels = Buffer.from([255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 128]);
    const bytes = await sharp(pixels, { raw: { width: 3, height: 1, channels: 4 } })
      .png()
      .toBuffer();
    const image = await decodeUpright(bytes);
    assert.deepEqual(pixelAt(image, 0, 0), [255, 0, 0]);
    assert.deepEqual(pixelAt(image, 1, 0), [255, 255, 255]);
    near(pixelAt(image, 2, 0), [127, 127, 127], 1);
  });

  test('of an animation the first frame is taken, of a TIFF the first page', async () => {
    for (const format of ['gif', 'webp', 'tiff'] as const) {
      const image = await decodeUpright(await animated(format));
      assert.deepEqual([image.width, image.height], [48, 32], format);
      near(pixelAt(image, 24, 16), [250, 0, 0], 3);
    }
  });

  test('more pixels than the limit are refused before they are decoded', async () => {
    const bytes = await jpegScene(200, 100);
    await assert.rejects(decodeUpright(bytes, { maxPixels: 19_999 }), { reason: 'too-large' });
    await decodeUpright(bytes, { maxPixels: 20_000 });
  });
});

describe('decode: letterbox', () => {
  test('the image stands at the top left, the rest is padded, and the scale leads back', async () => {
    const bytes = await sharp({ create: { width: 100, height: 50, channels: 3, background: '#ffffff' } })
      .png()
      .toBuffer();
    const wide = await decodeLetterboxed(bytes, { width: 64, height: 64, pad: [1, 2, 3] });
    const canvas = { pixels: wide.pixels, width: 64, height: 64 };
    assert.deepEqual([wide.width, wide.height, wide.scaleX, wide.scaleY], [100, 50, 0.64, 0.64]);
    assert.deepEqual(pixelAt(canvas, 63, 31), [255, 255, 255]);
    for (const [x, y] of [
      [0, 32],
      [63, 32],
      [63, 63],
    ] as const) {
      assert.deepEqual(pixelAt(canvas, x, y), [1, 2, 3]);
    }
    const tall = await decodeLetterboxed(await sharp(bytes).rotate(90).png().toBuffer(), { width: 64, height: 64 });
    const upright = { pixels: tall.pixels, width: 64, height: 64 };
    assert.deepEqual(pixelAt(upright, 31, 63), [255, 255, 255]);
    assert.deepEqual(pixelAt(upright, 32, 0), [0, 0, 0]);
  });

  test('it writes into the slot it is given and leaves nothing of what was there', async () => {
    const bytes = await jpegScene(90, 41);
    const slot = new Uint8Array(64 * 48 * 3).fill(77);
    const into = await decodeLetterboxed(bytes, { width: 64, height: 48, into: slot });
    assert.equal(into.pixels, slot);
    assert.deepEqual(slot, (await decodeLetterboxed(bytes, { width: 64, height: 48 })).pixels);
    await assert.rejects(decodeLetterboxed(bytes, { width: 64, height: 48, into: slot.subarray(1) }), RangeError);
  });

  test('the middle of an image goes into memory that is used again', async () => {
    const bytes = await jpegScene(90, 41);
    const slot = new Uint8Array(32 * 32 * 3).fill(77);
    const into = await decodeCovered(bytes, 32, { into: slot });
    assert.equal(into.pixels, slot);
    assert.deepEqual(slot, (await decodeCovered(bytes, 32)).pixels);
    await assert.rejects(decodeCovered(bytes, 31, { into: slot }), RangeError);
  });

  test('sides are never rounded away', async () => {
    const bytes = await sharp({ create: { width: 1, height: 20_000, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    const thin = await decodeLetterboxed(bytes, { width: 64, height: 64, kernel: 'nearest' });
    assert.deepEqual([thin.width, thin.height, thin.scaleX, thin.scaleY], [1, 20_000, 1, 64 / 20_000]);
    assert.deepEqual([...thin.pixels.subarray(0, 3)], [0x12, 0x34, 0x56]);
  });
});

describe('crops and thumbnails', () => {
  test('withMargin widens by a share of the box and stays within the image', () => {
    assert.deepEqual(withMargin([10, 10, 30, 20], 0.1, 100, 100), { left: 8, top: 9, width: 24, height: 12 });
    assert.deepEqual(withMargin([0, 0, 100, 50], 0.5, 100, 50), { left: 0, top: 0, width: 100, height: 50 });
    assert.deepEqual(withMargin([99.9, 49.9, 100, 50], 0, 100, 50), { left: 99, top: 49, width: 1, height: 1 });
    assert.deepEqual(withMargin([200, 200, 300, 300], 0, 100, 50), { left: 99, top: 49, width: 1, height: 1 });
  });

  test('crops show their part of the upright image, in order', async () => {
    const crops = await cropRegions(await orientedJpeg(6), [
      [0, 0, 20, 10],
      [20, 10, 40, 20],
    ]);
    const [red, white] = await Promise.all(crops.map((crop) => decodeUpright(crop)));
    assert.deepEqual([red?.width, red?.height], [20, 10]);
    near(pixelAt(red, 5, 5), [255, 0, 0], 12);
    near(pixelAt(white, 10, 5), [255, 255, 255], 12);
  });

  test('thumbnails keep their shape, are never larger, and can show one part', async () => {
    const bytes = await jpegScene(640, 320);
    const whole = await thumbnailOf(bytes, { longest: 160 });
    assert.deepEqual([whole.width, whole.height, whole.scale], [160, 80, 0.25]);
    assert.equal((await sharp(whole.bytes).metadata()).format, 'webp');
    const small = await thumbnailOf(bytes, { longest: 1000, format: 'jpeg' });
    assert.deepEqual([small.width, small.height, small.scale], [640, 320, 1]);
    const turned = await thumbnailOf(await orientedJpeg(8), { box: [0, 10, 20, 20], format: 'jpeg', quality: 100 });
    assert.deepEqual([turned.width, turned.height], [20, 10]);
    near(pixelAt(await decodeUpright(turned.bytes), 5, 5), [0, 0, 255], 12);
  });
});

test('decoding the same bytes twice gives the same pixels', async () => {
  const bytes = await scene(333, 222, 21).jpeg().toBuffer();
  const options = { width: 128, height: 128 };
  const [one, other] = await Promise.all([decodeLetterboxed(bytes, options), decodeLetterboxed(bytes, options)]);
  assert.deepEqual(one.pixels, other.pixels);
});
