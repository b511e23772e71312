import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/properties.ts';
import { seededRandom } from '../../core/random.ts';
import { cutInto, mixInto, mixupShare } from './mixing.ts';

test('shares of mixup are those of Beta(.2, .2): mean a half, variance .25 / 1.4', () => {
  const random = seededRandom(3);
  const shares = Array.from({ length: 20_000 }, () => mixupShare(random));
  const mean = shares.reduce((sum, one) => sum + one, 0) / shares.length;
  const variance = shares.reduce((sum, one) => sum + (one - mean) ** 2, 0) / shares.length;
  assert.ok(Math.abs(mean - 0.5) < 0.01, `${mean}`);
  assert.ok(Math.abs(variance - 0.25 / 1.4) < 0.005, `${variance}`);
});

test('a mixture lies between the two, and bytes are rounded', () => {
  const bytes = Uint8Array.of(0, 100, 255);
  mixInto(bytes, Uint8Array.of(255, 0, 255), 0.25);
  assert.deepEqual([...bytes], [191, 25, 255]);
  const floats = Float32Array.of(1, -2);
  mixInto(floats, [3, 2], 0.5);
  assert.deepEqual([...floats], [2, 0]);
});

test('what is cut in has the share of the area that is said, in one rectangle', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.nat(), (h, w, seed) => {
      const into = new Uint8Array(h * w * 3);
      const share = cutInto(into, new Uint8Array(into.length).fill(9), [h, w, 3], seededRandom(seed));
      const cells = into.reduce((sum, one) => sum + (one === 9 ? 1 : 0), 0) / 3;
      assert.ok(Math.abs(cells / (h * w) - (1 - share)) < 1e-9);
      const rows = Array.from({ length: h }, (_, y) => into.subarray(y * w * 3, (y + 1) * w * 3).join());
      assert.ok(new Set(rows).size <= 2);
    }),
  );
});
