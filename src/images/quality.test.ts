import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { scenePixels } from '../../test/fixtures/images.ts';
import { hammingDistance, perceptualHashOf, popcount } from './hash.ts';
import { flagsOf, type Luminance, luminanceOf, qualityOf } from './quality.ts';

function grey(width: number, height: number, value: (x: number, y: number) => number): Luminance {
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
  return { pixels, width, height };
}

describe('quality', () => {
  test('hand-worked pictures', () => {
    // Half black, half white: one bit of entropy. Its columns 0…7 give Laplacians 0 0 0 255 −255 0 0 0, of which 1…6
    // count: mean 0, variance 2 · 255² / 6.
    assert.deepEqual(qualityOf(grey(8, 8, (x) => (x < 4 ? 0 : 255))), {
      brightness: 0.5,
      sharpness: 21675,
      entropy: 1,
    });
    // All 256 greys once: 8 bits; a ramp has no second derivative but where a row ends, which does not count.
    assert.deepEqual(qualityOf(grey(16, 16, (x, y) => 16 * y + x)), { brightness: 0.5, sharpness: 0, entropy: 8 });
    assert.deepEqual(qualityOf(grey(1, 1, () => 51)), { brightness: 0.2, sharpness: 0, entropy: 0 });
  });

  test('luminance is BT.601, and made smaller as libvips makes it', async () => {
    const colours = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
    // .299, .587, .114 of 255.
    assert.deepEqual([...luminanceOf({ pixels: colours, width: 4, height: 1 }).pixels], [76, 150, 29, 255]);
    const [width, height] = [301, 199];
    const pixels = scenePixels(width, height, 3);
    const ours = luminanceOf({ pixels, width, height }, 100);
    const theirs = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .resize(100, 66, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
    const expected = luminanceOf({ pixels: theirs, width: 100, height: 66 });
    assert.deepEqual([ours.width, ours.height], [100, 66]);
    let [sum, most] = [0, 0];
    ours.pixels.forEach((value, i) => {
      const off = Math.abs(value - expected.pixels[i]);
      sum += off;
      most = Math.max(most, off);
    });
    assert.ok(sum / ours.pixels.length < 1 && most <= 12, `mean ${sum / ours.pixels.length}, most ${most}`);
  });

  test('flags of shape', () => {
    const fine = { brightness: 0.5, sharpness: 900, entropy: 7 };
    assert.deepEqual(flagsOf(fine, 32, 128), []);
    assert.deepEqual(flagsOf(fine, 31, 32), ['tiny']);
    assert.deepEqual(flagsOf(fine, 100, 401), ['odd-shape']);
  });
});

describe('perceptual hash', () => {
  test('the DCT is that of SciPy', () => {
    // scipy.fft.dctn(a, type=2) / 4, frequencies 1…8, below 64 as 0, above the median, row by row.
    assert.equal(
      perceptualHashOf(grey(32, 32, (x, y) => (x * x * 7 + y * y * 13 + x * y * 5) % 256)),
      '07f78e5c56e08297',
    );
    assert.equal(
      perceptualHashOf(grey(32, 32, (x, y) => ((x - 20) ** 2 + (y - 9) ** 2 < 50 ? 230 : 20))),
      '21dcd6c604d9d8d8',
    );
    // A slope in both directions has frequencies of one axis only, and those are left out.
    assert.equal(perceptualHashOf(grey(32, 32, (x, y) => 3 * x + 5 * y)), '0000000000000000');
  });

  test('it takes pictures of any size', () => {
    for (const [width, height] of [
      [1, 1],
      [1, 128],
      [128, 1],
      [33, 31],
      [128, 96],
    ] as const) {
      assert.match(perceptualHashOf(grey(width, height, (x, y) => (x * 31 + y * 17) % 251)), /^[0-9a-f]{16}$/);
    }
  });

  test('distance counts bits', () => {
    assert.equal(hammingDistance('ffffffffffffffff', '0000000000000000'), 64);
    assert.equal(hammingDistance('8000000000000001', '0000000000000000'), 2);
    assert.equal(hammingDistance('0123456789abcdef', '0123456789abcdef'), 0);
    for (const value of [0, 1, 3, 0x80000000, 0xffffffff, 0x55555555]) {
      assert.equal(popcount(value), value.toString(2).replaceAll('0', '').length);
    }
  });
});
