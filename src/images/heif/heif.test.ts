import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { heicBomb, NO_HEIF_ENC, quartersHeic, type Transform, transformed } from '../../../test/fixtures/heic.ts';
import { cut, scene } from '../../../test/fixtures/images.ts';
import fc from '../../../test/properties.ts';
import { cropRegions, thumbnailOf } from '../crops.ts';
import { decodeCovered, decodeLetterboxed, decodeUpright, type Pixels } from '../decode.ts';
import { inspect } from '../inspect.ts';
import { BadImageError } from '../reasons.ts';

/** What the middle of each quarter is nearest to: `RG/BW` is upright. */
function quartersOf({ pixels, width, height }: Pixels): string {
  const names = (x: number, y: number) => {
    const at = 3 * (Math.floor(y * height) * width + Math.floor(x * width));
    return pixels.subarray(at, at + 3).reduce((sum, value, i) => sum + (value > 128 ? 4 >> i : 0), 0);
  };
  const letter = (x: number, y: number) => ({ 4: 'R', 2: 'G', 1: 'B', 7: 'W' })[names(x, y)] ?? '?';
  return `${letter(0.25, 0.25)}${letter(0.75, 0.25)}/${letter(0.25, 0.75)}${letter(0.75, 0.75)}`;
}

test('a HEIC file has its pixels, size and facts', async () => {
  const image = await decodeUpright(quartersHeic());
  assert.deepEqual([image.width, image.height, quartersOf(image)], [64, 32, 'RG/BW']);
  const { format, width, height, orientation, frames } = await inspect(quartersHeic());
  assert.deepEqual(
    { format, width, height, orientation, frames },
    {
      format: 'heic',
      width: 64,
      height: 32,
      orientation: 1,
      frames: 1,
    },
  );
});

test('turns and mirrors of the file are applied once, in their order', async () => {
  // By hand: a quarter turn anticlockwise of RG/BW is GW/RB; mirrored left to right, it is GR/WB.
  const expected: readonly (readonly [transforms: readonly Transform[], quarters: string])[] = [
    [[{ type: 'irot', turns: 0 }], 'RG/BW'],
    [[{ type: 'irot', turns: 1 }], 'GW/RB'],
    [[{ type: 'irot', turns: 2 }], 'WB/GR'],
    [[{ type: 'irot', turns: 3 }], 'BR/WG'],
    [[{ type: 'imir', axis: 0 }], 'BW/RG'],
    [[{ type: 'imir', axis: 1 }], 'GR/WB'],
    [
      [
        { type: 'irot', turns: 1 },
        { type: 'imir', axis: 1 },
      ],
      'WG/BR',
    ],
    [
      [
        { type: 'imir', axis: 1 },
        { type: 'irot', turns: 1 },
      ],
      'RB/GW',
    ],
  ];
  for (const [transforms, quarters] of expected) {
    const bytes = transformed(quartersHeic(), transforms);
    const turned = transforms.some((one) => one.type === 'irot' && one.turns % 2 === 1);
    const size = turned ? [32, 64] : [64, 32];
    const what = JSON.stringify(transforms);
    const image = await decodeUpright(bytes);
    assert.deepEqual([image.width, image.height, quartersOf(image)], [...size, quarters], what);
    const boxed = await decodeLetterboxed(bytes, { width: 64, height: 64 });
    assert.deepEqual([boxed.width, boxed.height], size, what);
    const thumbnail = await thumbnailOf(bytes, { longest: 16, format: 'jpeg' });
    assert.deepEqual([thumbnail.width, thumbnail.height], turned ? [8, 16] : [16, 8], what);
    const [crop] = await cropRegions(bytes, [[0, 0, size[0], size[1]]]);
    assert.equal(quartersOf(await decodeUpright(crop)), quarters, what);
    assert.equal(quartersOf(await decodeCovered(bytes, 32)), quarters, what);
  }
});

describe('files that cannot be decoded', () => {
  const reasonOf = (bytes: Uint8Array, maxPixels?: number) =>
    decodeUpright(bytes, { maxPixels }).then(
      () => 'decoded',
      (error) => {
        assert.ok(error instanceof BadImageError, String(error));
        return error.reason;
      },
    );

  test('cut anywhere: truncated', async () => {
    const bytes = quartersHeic();
    for (const share of [0.05, 0.3, 0.5, 0.7, 0.9, 0.999]) assert.equal(await reasonOf(cut(bytes, share)), 'truncated');
  });

  test('more pixels than the limit are refused before they are decoded', async () => {
    assert.equal(await reasonOf(quartersHeic(), 64 * 32 - 1), 'too-large');
    assert.equal(await reasonOf(quartersHeic(), 64 * 64), 'decoded');
    assert.equal(await reasonOf(heicBomb(60_000)), 'too-large');
  });

  test('garbled bytes: an image or a reason, never anything else, and the next file is decoded', async () => {
    const bytes = quartersHeic();
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const broken = Buffer.from(bytes);
        for (const [at, value] of list) broken[at] = value;
        await reasonOf(broken);
      }),
      { numRuns: 150, seed: 7 },
    );
    assert.equal(quartersOf(await decodeUpright(bytes)), 'RG/BW');
  });
});

test('files that heif-enc writes', { skip: NO_HEIF_ENC }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-heic-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const encode = async (name: string, sources: readonly Buffer[], options: readonly string[], extension = 'png') => {
    const files = sources.map((_, i) => join(dir, `${name}-${i}.${extension}`));
    for (const [i, source] of sources.entries()) await writeFile(files[i], source);
    execFileSync('heif-enc', [...options, ...files, '-o', join(dir, `${name}.heic`)], { stdio: 'pipe' });
    return readFile(join(dir, `${name}.heic`));
  };
  const difference = (a: Pixels, b: Pixels) => {
    assert.deepEqual([a.width, a.height], [b.width, b.height]);
    return a.pixels.reduce((sum, value, i) => sum + Math.abs(value - b.pixels[i]), 0) / a.pixels.length;
  };
  const png = await scene(333, 222, 4).png().toBuffer();

  await t.test('pixels are those of the source, of odd sizes and 10 bits too', async () => {
    const source = await decodeUpright(png);
    assert.ok(difference(await decodeUpright(await encode('plain', [png], ['-q', '90'])), source) < 2);
    const deep = await scene(333, 222, 4).toColourspace('rgb16').png().toBuffer();
    assert.ok(difference(await decodeUpright(await encode('deep', [deep], ['-q', '90', '-b', '10'])), source) < 2);
  });

  await t.test('camera and time come from its EXIF block, whose orientation is not applied again', async () => {
    const jpeg = await scene(160, 120, 1)
      .withExif({ IFD0: { Make: 'Maker', Model: 'X1' }, IFD2: { DateTimeOriginal: '2024:05:31 10:20:30' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { width, height, camera, capturedAtMs } = await inspect(await encode('camera', [jpeg], [], 'jpg'));
    assert.deepEqual([width, height, camera], [160, 120, 'Maker X1']);
    assert.equal(capturedAtMs, Date.UTC(2024, 4, 31, 10, 20, 30));
  });

  await t.test('transparent pixels lie on white, and several images are counted', async () => {
    const half = await sharp({ create: { width: 64, height: 64, channels: 4, background: '#00000000' } })
      .png()
      .toBuffer();
    const { pixels } = await decodeUpright(await encode('alpha', [half], []));
    assert.ok(pixels.every((value) => value > 250));
    assert.equal((await inspect(await encode('two', [png, png], []))).frames, 2);
  });

  await t.test('the colour profile goes with the pixels', async () => {
    const red = sharp({ create: { width: 64, height: 64, channels: 3, background: '#ff0000' } });
    const p3 = await red.withIccProfile('p3').png().toBuffer();
    const bytes = await encode('p3', [p3], ['-q', '100']);
    const { pixels: shown } = await decodeUpright(bytes, { applyProfile: true });
    const { pixels: stored } = await decodeUpright(bytes);
    // Display P3's (234, 51, 35) is sRGB's red, so as stored it looks paler.
    assert.ok(stored[0] < 240 && shown[0] > 250, `${stored.slice(0, 3)} ${shown.slice(0, 3)}`);
  });
});
