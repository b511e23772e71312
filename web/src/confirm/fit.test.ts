import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/properties.ts';
import { fitOf } from './fit.ts';

test('48 in 1040 by 640 are eight side by side', () => {
  assert.deepEqual(fitOf(48, 1040, 640), { columns: 8, cellPx: 106 });
});

test('all fit, and one pixel more a cell would not, however they stand', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 300, max: 3000 }),
      fc.integer({ min: 300, max: 2000 }),
      (count, width, height) => {
        const { columns, cellPx } = fitOf(count, width, height);
        assert.ok(columns * cellPx <= width && Math.ceil(count / columns) * cellPx <= height);
        for (let other = 1; other <= count; other++) {
          assert.ok(other * (cellPx + 1) > width || Math.ceil(count / other) * (cellPx + 1) > height);
        }
      },
    ),
  );
});
