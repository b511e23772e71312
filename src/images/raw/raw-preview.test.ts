import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { cut, scene, stored } from '../../../test/fixtures/images.ts';
import { RAW_KINDS, type RawContents, rawFile } from '../../../test/fixtures/raw-files.ts';
import fc from '../../../test/properties.ts';
import { decodeLetterboxed, decodeUpright, decodeWithin } from '../decode.ts';
import { inspect } from '../inspect.ts';
import { BadImageError } from '../reasons.ts';
import { rawPreview } from './raw-preview.ts';

const upright = await scene(480, 320, 9).png().toBuffer();

/** As it lies in a raw file: pixels as the sensor stood, and no EXIF of its own, or wrong EXIF. */
async function contents(orientation: number, ownOrientation?: number): Promise<RawContents> {
  const turned = await sharp(await stored(upright, orientation), { autoOrient: false })
    .png()
    .toBuffer();
  const jpeg = sharp(turned).jpeg({ quality: 95 });
  return {
    jpeg: await (ownOrientation ? jpeg.withMetadata({ orientation: ownOrientation }) : jpeg).toBuffer(),
    thumbnail: await sharp(turned).resize(160).jpeg().toBuffer(),
    orientation,
  };
}

test('the largest JPEG of every kind of raw file, upright by the orientation of the raw file, applied once', async () => {
  const { pixels } = await decodeUpright(upright);
  for (const kind of RAW_KINDS) {
    for (const orientation of [1, 6, 5]) {
      for (const own of kind === 'raf' ? [orientation] : [undefined, 2]) {
        const bytes = rawFile(kind, await contents(orientation, own));
        const image = await decodeUpright(bytes);
        const what = `${kind}, orientation ${orientation}, of the JPEG ${own}`;
        assert.deepEqual([image.width, image.height], [480, 320], what);
        const difference = image.pixels.reduce((sum, value, i) => sum + Math.abs(value - pixels[i]), 0);
        assert.ok(difference / pixels.length < 8, `${what}: pixels differ by ${difference / pixels.length}`);
      }
    }
  }
});

test('its record: format, upright size, orientation, camera and time of the raw file', async () => {
  for (const kind of RAW_KINDS) {
    const bytes = rawFile(kind, await contents(6, kind === 'raf' ? 6 : undefined));
    const { format, width, height, orientation, frames, camera, capturedAtMs, byteSize } = await inspect(bytes);
    assert.deepEqual(
      { format, width, height, orientation, frames, byteSize },
      { format: 'raw', width: 480, height: 320, orientation: 6, frames: 1, byteSize: bytes.length },
      kind,
    );
    if (kind === 'raf') continue;
    assert.deepEqual([camera, capturedAtMs], ['Maker R1', Date.UTC(2024, 4, 31, 10, 20, 30)], kind);
  }
});

test('all ways of decoding see the same picture', async () => {
  const bytes = rawFile('nef', await contents(8));
  const { width, height } = await decodeLetterboxed(bytes, { width: 96, height: 96 });
  assert.deepEqual([width, height], [480, 320]);
  const small = await decodeWithin(bytes, 120);
  assert.deepEqual([small.width, small.height], [120, 80]);
});

function reasonOf(bytes: Uint8Array): string {
  try {
    rawPreview(bytes);
    return 'found';
  } catch (error) {
    assert.ok(error instanceof BadImageError, String(error));
    return error.reason;
  }
}

test('a raw file without a picture to look at is put aside, and it is said why', async () => {
  const { thumbnail } = await contents(1);
  for (const kind of RAW_KINDS) {
    const small = rawFile(kind, { jpeg: thumbnail, thumbnail, orientation: 1 });
    assert.throws(() => rawPreview(small), /only a thumbnail of 160 × 107, and raw data is not developed/, kind);
    const none = rawFile(kind, { jpeg: Buffer.alloc(900), thumbnail: Buffer.alloc(300), orientation: 1 });
    assert.throws(() => rawPreview(none), /no JPEG picture/, kind);
  }
});

test('a raw file that is cut anywhere is truncated, and never an image', async () => {
  for (const kind of RAW_KINDS) {
    const bytes = rawFile(kind, await contents(1));
    for (const share of [0.02, 0.3, 0.6, 0.97, 0.995]) {
      const reason = reasonOf(cut(bytes, share));
      // Of a few dozen bytes nothing says that there should have been more.
      assert.ok(reason === 'truncated' || (share < 0.1 && reason === 'unsupported'), `${kind} at ${share}: ${reason}`);
    }
  }
});

test('garbled bytes: a picture or a reason, in bounded time', async () => {
  const files = await Promise.all(RAW_KINDS.map(async (kind) => rawFile(kind, await contents(1))));
  const head = fc.array(fc.tuple(fc.nat(1200), fc.nat(255)), { minLength: 1, maxLength: 20 });
  const started = performance.now();
  fc.assert(
    fc.property(fc.constantFrom(...files), head, fc.double({ min: 0, max: 1, noNaN: true }), (file, changes, share) => {
      const broken = Buffer.from(file.subarray(0, Math.max(16, Math.floor(file.length * share))));
      for (const [at, value] of changes) if (at < broken.length) broken[at] = value;
      reasonOf(broken);
    }),
    { numRuns: 3000, seed: 3 },
  );
  assert.ok(performance.now() - started < 20_000);
});

const exiftool = spawnSync('exiftool', ['-ver'], { encoding: 'utf8' });

test('ExifTool finds the same JPEG', {
  skip: exiftool.error ? 'exiftool is not installed (Debian: libimage-exiftool-perl)' : false,
}, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-raw-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const tags = { cr2: 'PreviewImage', arw: 'PreviewImage', raf: 'PreviewImage', rw2: 'JpgFromRaw' } as const;
  for (const [kind, tag] of Object.entries(tags)) {
    const given = await contents(1);
    const file = join(dir, `a.${kind}`);
    await writeFile(file, rawFile(kind as keyof typeof tags, given));
    const { stdout } = spawnSync('exiftool', ['-b', `-${tag}`, file]);
    assert.deepEqual(stdout, given.jpeg, kind);
  }
});
