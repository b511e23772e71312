/** Every byte against Pillow 13's: `test/oracles/pillow_resize.py` wrote the sums. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import { RESAMPLES } from '../../core/pillow.ts';
import type { Pixels } from '../decode.ts';
import { resizeAsPillow } from './resample.ts';

const size = z.tuple([z.number(), z.number()]);
const ROWS = z
  .array(
    z.object({ from: size, to: size, resample: z.enum(RESAMPLES), sha256: z.string(), first: z.array(z.number()) }),
  )
  .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../test/fixtures/hub/pillow.json'), 'utf8')));

function picture(width: number, height: number): Pixels {
  const value = (i: number) => (i * 7919 + Math.floor(i / 3 / width) * 104_729 + ((i * i) % 251)) % 256;
  return { pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => value(i)), width, height };
}

for (const { from, to, resample, sha256, first } of ROWS) {
  test(`${resample} from ${from.join(' × ')} to ${to.join(' × ')} is Pillow's`, () => {
    const made = resizeAsPillow(picture(...from), { width: to[0], height: to[1], resample });
    assert.deepEqual([...made.pixels.subarray(0, 6)], first.slice(0, 6));
    assert.equal(sha256Hex(made.pixels), sha256);
  });
}
