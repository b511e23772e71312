import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeCostOf } from './decode-cost.ts';

const FIXTURES = join(import.meta.dirname, '../../test/fixtures');

test('what decoders hold as a whole, from headers', async () => {
  const [width, height] = [123, 45];
  const pixels = width * height;
  const image = () => sharp({ create: { width, height, channels: 3, background: '#336699' } });
  const cases: readonly (readonly [name: string, bytes: Promise<Buffer>, cost: number])[] = [
    ['JPEG', image().jpeg().toBuffer(), 0],
    ['progressive JPEG', image().jpeg({ progressive: true }).toBuffer(), 6 * pixels],
    ['PNG', image().png().toBuffer(), 0],
    ['interlaced PNG', image().png({ progressive: true }).toBuffer(), 4 * pixels],
    ['16-bit PNG', image().toColourspace('rgb16').png().toBuffer(), 8 * pixels],
    ['WebP', image().webp().toBuffer(), 4 * pixels],
    ['lossless WebP', image().webp({ lossless: true }).toBuffer(), 4 * pixels],
    [
      'WebP with metadata',
      image()
        .withExif({ IFD0: { Make: 'x' } })
        .webp()
        .toBuffer(),
      4 * pixels,
    ],
    ['GIF', image().gif().toBuffer(), 4 * pixels],
    ['TIFF', image().tiff().toBuffer(), 7 * pixels],
    ['AVIF', image().avif({ effort: 0 }).toBuffer(), 8 * pixels],
  ];
  for (const [name, bytes, cost] of cases) assert.equal(decodeCostOf(await bytes), cost, name);
  assert.equal(decodeCostOf(readFileSync(join(FIXTURES, 'pixels/float64.tif'))), 14 * 10 * 12);
});

test('a header that is cut or damaged costs nothing, or a number', async () => {
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: '#336699' } });
  for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
    const bytes = await image.clone().toFormat(format).toBuffer();
    for (let length = 0; length <= Math.min(bytes.length, 400); length++) {
      const cost = decodeCostOf(bytes.subarray(0, length));
      assert.ok(cost >= 0 && Number.isFinite(cost), `${format} ${length}: ${cost}`);
    }
  }
});
