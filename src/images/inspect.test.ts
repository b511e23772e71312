import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { animated, badImages, cameraJpeg, jpegScene, orientedJpeg, scene } from '../../test/fixtures/images.ts';
import { sha256Hex } from '../core/ids.ts';
import { hammingDistance, NO_STRUCTURE } from './hash.ts';
import { inspect } from './inspect.ts';
import { BadImageError } from './reasons.ts';

describe('inspect: every bad image has its reason', async () => {
  for (const [name, { bytes, reason }] of Object.entries(await badImages())) {
    test(`${name}: ${reason ?? 'an image'}`, async () => {
      if (reason === null) await inspect(bytes);
      else {
        await assert.rejects(inspect(bytes), (error) => {
          assert.ok(error instanceof BadImageError);
          assert.equal(error.reason, reason, error.message);
          return true;
        });
      }
    });
  }
});

describe('inspect: what is recorded', () => {
  test('identity, size and format of the bytes', async () => {
    const bytes = await jpegScene(320, 240);
    const found = await inspect(bytes);
    assert.equal(found.id, sha256Hex(bytes));
    assert.deepEqual(
      [found.byteSize, found.format, found.width, found.height, found.orientation, found.frames],
      [bytes.length, 'jpeg', 320, 240, 1, 1],
    );
    assert.deepEqual([found.capturedAtMs, found.camera], [null, null]);
    assert.equal((await inspect((await badImages())['really-a-png.jpg']?.bytes)).format, 'png');
    assert.equal((await inspect(await scene(64, 48).avif().toBuffer())).format, 'avif');
  });

  test('progressive JPEGs and those with restart markers are read like any other', async () => {
    const plain = await inspect(await scene(700, 500, 3).jpeg({ quality: 95 }).toBuffer());
    const progressive = await inspect(await scene(700, 500, 3).jpeg({ quality: 95, progressive: true }).toBuffer());
    assert.deepEqual([progressive.width, progressive.height], [700, 500]);
    assert.ok(hammingDistance(plain.perceptualHash, progressive.perceptualHash) <= 2);
  });

  test('sizes are those of the upright image', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const found = await inspect(await orientedJpeg(orientation));
      assert.deepEqual([found.width, found.height, found.orientation], [40, 20, orientation]);
    }
  });

  test('the hash is that of the upright image', async () => {
    const upright = await inspect(await orientedJpeg(1));
    for (let orientation = 2; orientation <= 8; orientation++) {
      const turned = await inspect(await orientedJpeg(orientation));
      assert.ok(hammingDistance(upright.perceptualHash, turned.perceptualHash) <= 4, `orientation ${orientation}`);
    }
  });

  test('frames of animations', async () => {
    for (const format of ['gif', 'webp'] as const) {
      const found = await inspect(await animated(format));
      assert.deepEqual([found.format, found.frames, found.width, found.height], [format, 2, 48, 32]);
    }
  });

  test('capture time and camera', async () => {
    const local = await inspect(await cameraJpeg('2024:05:31 10:20:30', undefined));
    assert.equal(local.capturedAtMs, Date.parse('2024-05-31T10:20:30Z'));
    assert.equal(local.camera, 'Maker X1');
    const zoned = await inspect(await cameraJpeg('2024:05:31 10:20:30', '+02:00'));
    assert.equal(zoned.capturedAtMs, Date.parse('2024-05-31T10:20:30+02:00'));
    assert.equal((await inspect(await cameraJpeg('0000:00:00 00:00:00', undefined))).capturedAtMs, null);
    assert.equal((await inspect(await cameraJpeg('    :  :     :  :  ', undefined))).capturedAtMs, null);
  });

  test('flags: uniform, dark, bright, blurred, tiny, odd shape', async () => {
    const plain = (background: string, width = 64, height = 64) =>
      sharp({ create: { width, height, channels: 3, background } })
        .png()
        .toBuffer();
    const uniform = await inspect(await plain('#000000'));
    assert.deepEqual(uniform.flags, ['uniform']);
    assert.equal(uniform.perceptualHash, NO_STRUCTURE);
    assert.deepEqual([uniform.quality.brightness, uniform.quality.entropy, uniform.quality.sharpness], [0, 0, 0]);
    const flagsOf = async (image: Sharp) => (await inspect(await image.png().toBuffer())).flags;
    assert.deepEqual(await flagsOf(scene(320, 240)), []);
    assert.deepEqual(await flagsOf(scene(320, 240).linear(0.1, 0)), ['dark', 'blurred']);
    assert.deepEqual(await flagsOf(scene(320, 240).linear(0.05, 243)), ['bright', 'blurred']);
    assert.deepEqual(await flagsOf(scene(320, 240).blur(8)), ['blurred']);
    assert.deepEqual((await inspect(await plain('#888888', 1, 1))).flags, ['uniform', 'tiny']);
    assert.deepEqual((await inspect(await plain('#888888', 1, 20_000))).flags, ['uniform', 'tiny', 'odd-shape']);
  });

  test('figures hardly depend on whether the image was decoded whole or small', async () => {
    // 400 × 300 is decoded whole, its fourfold is shrunk by the decoder.
    const large = await scene(1600, 1200, 4).blur(3).png().toBuffer();
    const small = await sharp(large).resize(400, 300, { kernel: 'linear' }).jpeg({ quality: 98 }).toBuffer();
    const [a, b] = [await inspect(await sharp(large).jpeg({ quality: 98 }).toBuffer()), await inspect(small)];
    assert.ok(Math.abs(a.quality.brightness - b.quality.brightness) < 0.01);
    assert.ok(
      Math.abs(a.quality.sharpness / b.quality.sharpness - 1) < 0.3,
      `${a.quality.sharpness} ${b.quality.sharpness}`,
    );
    assert.ok(hammingDistance(a.perceptualHash, b.perceptualHash) <= 4);
  });
});

test('copies hash alike, different pictures do not', async () => {
  const hashes: string[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const bytes = await jpegScene(360, 270, seed);
    const { perceptualHash } = await inspect(bytes);
    const copies = [
      sharp(bytes).jpeg({ quality: 40 }),
      sharp(bytes).resize(180).jpeg({ quality: 90 }),
      sharp(bytes).resize(720).webp(),
      sharp(bytes).modulate({ brightness: 1.1 }).jpeg(),
    ];
    for (const copy of copies) {
      const other = await inspect(await copy.toBuffer());
      assert.ok(hammingDistance(perceptualHash, other.perceptualHash) <= 7, `seed ${seed}`);
    }
    for (const earlier of hashes) assert.ok(hammingDistance(perceptualHash, earlier) > 10, `seed ${seed}`);
    hashes.push(perceptualHash);
  }
});
