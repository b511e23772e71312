/**
 * Images of unusual numbers, decoded. Files and expected values are made by test/oracles/pixels.py with Pillow, tifffile and
 * numpy; LZW and packing are also compared with libtiff as libvips has it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it, test } from 'node:test';
import sharp from 'sharp';
import { seededRandom } from '../core/random.ts';
import { decodeCovered, decodeLetterboxed, decodeUpright } from './decode.ts';
import { deepImage } from './deep-image.ts';
import { inspect } from './inspect.ts';
import { BadImageError } from './reasons.ts';
import { blocks, tiffPageOf } from './tiff/page.ts';

const FOLDER = resolve(import.meta.dirname, '../../test/fixtures/pixels');

interface Expected {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly flags: readonly string[];
  readonly tolerance: number;
  /** Shape [height, width, 3]. */
  readonly rgb: readonly number[];
}

const EXPECTED: readonly Expected[] = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8'));
const read = (name: string) => readFileSync(join(FOLDER, name));

describe('images of unusual numbers', () => {
  assert.ok(EXPECTED.length > 50);
  for (const { name, width, height, flags, tolerance, rgb } of EXPECTED) {
    test(name, async () => {
      const bytes = read(name);
      const image = await decodeUpright(bytes);
      assert.deepEqual([image.width, image.height], [width, height]);
      const off = image.pixels.map((value, i) => Math.abs(value - rgb[i]));
      const worst = off.indexOf(Math.max(...off));
      assert.ok(off[worst] <= tolerance, `number ${worst} is ${image.pixels[worst]}, expected ${rgb[worst]}`);
      const inspected = await inspect(bytes);
      const shown = inspected.flags.filter((flag) => flag === 'rescaled' || flag === 'bands');
      assert.deepEqual([...shown].sort(), [...flags].sort());
      assert.deepEqual([inspected.width, inspected.height, inspected.frames], [width, height, 1]);
      // The same picture for every stage.
      const covered = await decodeCovered(bytes, 8);
      const boxed = await decodeLetterboxed(bytes, { width: 8, height: 8, pad: [9, 9, 9] });
      const mean = (pixels: Uint8Array, skip?: number) => {
        const kept = pixels.filter((value) => value !== skip);
        return kept.reduce((sum, value) => sum + value, 0) / kept.length;
      };
      assert.ok(Math.abs(mean(covered.pixels) - mean(image.pixels)) < 30);
      assert.ok(Math.abs(mean(boxed.pixels, 9) - mean(image.pixels)) < 30);
    });
  }
});

it('puts aside what holds no measurement, and flags what holds some', async () => {
  for (const name of ['float32-all-nan.tif', 'float32-all-minus-9999.tif'])
    await assert.rejects(decodeUpright(read(name)), { reason: 'no-values' });
  const flagged = [
    'float32-minus-9999.tif',
    'int16-minus-32768.tif',
    'float32-nan-inf.tif',
    'float32-depths.tif',
    'float32.tif',
  ];
  const has = await Promise.all(flagged.map(async (name) => (await inspect(read(name))).flags.includes('gaps')));
  assert.deepEqual(has, [true, true, true, false, false]);
});

describe('TIFF as it is packed', () => {
  const [width, height] = [301, 203];
  // Runs and noise, so that LZW fills its table of 4,096 codes many times over, and short texts repeat.
  const random = seededRandom(3);
  const noise = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i % 7 < 3 ? 40 : Math.floor(random() * 64)));
  const raw = { raw: { width, height, channels: 3 as const } };

  for (const compression of ['lzw', 'deflate', 'none', 'packbits'] as const) {
    for (const predictor of ['none', 'horizontal'] as const) {
      for (const tile of [false, true]) {
        test(`${compression}, predictor ${predictor}${tile ? ', tiles' : ''}`, async () => {
          const bytes = await sharp(noise, raw)
            .tiff({ compression, predictor, tile, tileWidth: 64, tileHeight: 48 })
            .toBuffer();
          const page = tiffPageOf(bytes);
          assert.ok(page?.readable);
          const out = new Uint8Array(noise.length);
          for await (const block of blocks(bytes, page, 3)) {
            const row = new Float64Array(block.width * 3);
            for (let y = 0; y < block.height; y++) {
              block.readRow(y, row);
              out.set(row, ((block.y + y) * width + block.x) * 3);
            }
          }
          assert.deepEqual(out, noise);
        });
      }
    }
  }

  test('orientation and pages come with it', async () => {
    const bytes = Buffer.from(read('uint16-of-12-bits.tif'));
    // tifffile writes no orientation; the tag of its resolution unit (296) is made one.
    const at = bytes.indexOf(Buffer.from([0x28, 0x01, 3, 0, 1, 0, 0, 0]));
    assert.ok(at > 0);
    bytes.writeUInt16LE(274, at);
    bytes.writeUInt16LE(6, at + 8);
    const upright = await decodeUpright(read('uint16-of-12-bits.tif'));
    const turned = await decodeUpright(bytes);
    assert.deepEqual([turned.width, turned.height], [upright.height, upright.width]);
    assert.equal((await inspect(bytes)).orientation, 6);
    // Orientation 6: the first row of what is stored is the right side.
    assert.equal(turned.pixels[3 * (turned.width - 1)], upright.pixels[0]);
  });
});

describe('damaged and huge', () => {
  test('a file that is cut anywhere fails as a bad image', async () => {
    for (const name of ['float64.tif', 'uint16-lzw-big-endian.tif', 'uint16-tiles.tif', 'packed-12-bits.tif']) {
      const whole = read(name);
      for (let length = 10; length < whole.length; length += 37) {
        const cut = whole.subarray(0, length);
        await decodeUpright(cut).then(
          () => {},
          (error) => assert.ok(error instanceof BadImageError, String(error?.stack ?? error)),
        );
      }
    }
  });

  test('a page that says it is huge is refused before anything is allocated', async () => {
    const bytes = Buffer.from(read('float64.tif'));
    const at = bytes.indexOf(Buffer.from([0x00, 0x01, 4, 0, 1, 0, 0, 0]));
    const short = bytes.indexOf(Buffer.from([0x00, 0x01, 3, 0, 1, 0, 0, 0]));
    bytes.writeUInt16LE(4, Math.max(at, short) + 2);
    bytes.writeUInt32LE(0xfffffff0, Math.max(at, short) + 8);
    await assert.rejects(decodeUpright(bytes), { reason: 'too-large' });
  });

  test('what is not decoded says what it is', async () => {
    const bytes = Buffer.from(read('float64.tif'));
    // SampleFormat 3, floating point, becomes 6, complex.
    const at = bytes.indexOf(Buffer.from([0x53, 0x01, 3, 0, 1, 0, 0, 0]));
    assert.ok(at > 0);
    bytes.writeUInt16LE(6, at + 8);
    await assert.rejects(decodeUpright(bytes), { reason: 'unsupported', message: /complex/ });
    await assert.rejects(decodeUpright(read('uint16-zstd.tif')), {
      reason: 'unsupported',
      message: /compression 50000/,
    });
  });

  // gdal.org/drivers/raster/gtiff.html: GDAL_NODATA is text in field 42113. Values by hand: 0 to 3 are black to white.
  for (const [what, gap, field] of [
    ['that the file names', -9999, '-9999'],
    ['that is the least number there is', -3.4028234663852886e38, ''],
  ] as const)
    test(`a number for no measurement ${what} is black and moves nothing`, async () => {
      const values = Float32Array.from({ length: 64 }, (_, i) => (i % 16 < 4 ? gap : ((i % 4) as number)));
      const { pixels } = await decodeUpright(floatTiff(16, 4, values, field));
      const shown = Array.from({ length: 16 }, (_, x) => pixels[3 * x]);
      assert.deepEqual(shown, [0, 0, 0, 0, ...[0, 85, 170, 255], ...[0, 85, 170, 255], ...[0, 85, 170, 255]]);
    });

  test('plain files are left as they are', async () => {
    const image = sharp({ create: { width: 5, height: 4, channels: 3, background: '#336699' } });
    assert.equal(await deepImage(await image.clone().png().toBuffer(), 'png', 1000), null);
    assert.equal(await deepImage(await image.clone().tiff().toBuffer(), 'tiff', 1000), null);
    assert.equal(await deepImage(read('uint16.tif'), 'tiff', 1000), null);
    assert.equal(await deepImage(read('grey-16.png'), 'png', 1000), null);
  });
});

/** One strip of little-endian floating point, with the field of GDAL where there is a text for it. */
function floatTiff(width: number, height: number, values: Float32Array, noData: string): Buffer {
  const text = Buffer.from(`${noData}\0`.padEnd(8, '\0'));
  const data = Buffer.from(values.buffer);
  const fields: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, 3, 1, width],
    [257, 3, 1, height],
    [258, 3, 1, 32],
    [259, 3, 1, 1],
    [262, 3, 1, 1],
    [273, 4, 1, 8],
    [277, 3, 1, 1],
    [278, 3, 1, height],
    [279, 4, 1, data.length],
    [339, 3, 1, 3],
    ...(noData === '' ? [] : [[42113, 2, text.length, 8 + data.length] as const]),
  ];
  const head = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(8 + data.length + text.length, 4);
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  directory.writeUInt16LE(fields.length, 0);
  for (const [i, [tag, type, count, value]] of fields.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(type, 4 + 12 * i);
    directory.writeUInt32LE(count, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  }
  return Buffer.concat([head, data, text, directory]);
}
