/** Every byte against OpenCV 4.14's: `test/oracles/opencv_resize.py` wrote the sums, those of YOLOX's own steps too. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import type { Pixels } from '../decode.ts';
import { resizeAsOpenCv } from './opencv-resize.ts';
import { processAsPillow } from './process.ts';

const size = z.tuple([z.number(), z.number()]);
const made = { from: size, to: size, sha256: z.string(), first: z.array(z.number()) };
const ROWS = z
  .array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('resize'), ...made }),
      z.object({ kind: z.literal('letterbox'), ...made, scale: z.number() }),
    ]),
  )
  .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../test/fixtures/hub/opencv.json'), 'utf8')));

function picture(width: number, height: number): Pixels {
  const value = (i: number) => (i * 7919 + Math.floor(i / 3 / width) * 104_729 + ((i * i) % 251)) % 256;
  return { pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => value(i)), width, height };
}

for (const row of ROWS) {
  const { kind, from, to, sha256, first } = row;
  const [width, height] = to;
  test(`${kind} from ${from.join(' × ')} to ${to.join(' × ')} is OpenCV's`, () => {
    const pillow = { resample: 'bilinear', size: { kind: 'opencv-letterbox' } } as const;
    const found =
      kind === 'resize'
        ? { ...resizeAsOpenCv(picture(...from), width, height), scale: null }
        : processAsPillow(picture(...from), { width, height, pad: [114, 114, 114], pillow });
    assert.deepEqual([...found.pixels.subarray(0, 6)], first);
    assert.equal(sha256Hex(found.pixels), sha256);
    if (row.kind === 'letterbox') assert.deepEqual(found.scale, { x: row.scale, y: row.scale });
  });
}

test('a line of pixels keeps one row', () => {
  const pillow = { resample: 'bilinear', size: { kind: 'opencv-letterbox' } } as const;
  const line = { pixels: new Uint8Array(900 * 3).fill(7), width: 900, height: 1 };
  const { pixels } = processAsPillow(line, { width: 32, height: 32, pad: [114, 114, 114], pillow });
  assert.deepEqual([pixels[0], pixels[3 * 32 - 1], pixels[3 * 32]], [7, 7, 114]);
});
