import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from '../../test/properties.ts';
import { PixelBudget } from './pixel-budget.ts';

test('no more is held at once than the budget, but for one piece that is larger than all of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 20 }), async (sizes) => {
      const budget = new PixelBudget(100);
      const held = new Set<number>();
      const started: number[] = [];
      await Promise.all(
        sizes.map((bytes, i) =>
          budget.run(bytes, async () => {
            held.add(i);
            started.push(i);
            const others = [...held].filter((one) => one !== i).map((one) => sizes[one]);
            const total = others.reduce((sum, one) => sum + one, bytes);
            assert.ok(total <= 100 || others.length === 0, `${bytes} beside ${others}`);
            await setTimeout(0);
            held.delete(i);
          }),
        ),
      );
      assert.deepEqual(
        started,
        sizes.map((_, i) => i),
        'first come, first served',
      );
    }),
    { numRuns: 30 },
  );
});

test('what fails gives its share back', async () => {
  const budget = new PixelBudget(100);
  await assert.rejects(
    budget.run(100, async () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  assert.equal(await budget.run(100, async () => 7), 7);
});
