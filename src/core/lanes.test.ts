import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inLanes } from './lanes.ts';

async function* counted(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

test('each item once, so many at once, from a list or a stream', async () => {
  for (const items of [Array.from({ length: 20 }, (_, i) => i), counted(20)]) {
    const seen: number[] = [];
    let running = 0;
    let most = 0;
    await inLanes(items, 3, async (item) => {
      most = Math.max(most, ++running);
      await turn();
      seen.push(item);
      running--;
    });
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      [...Array(20).keys()],
    );
    assert.equal(most, 3);
  }
});

test('the first failure ends the list, and is thrown when what was begun has ended', async () => {
  const begun: number[] = [];
  let ended = 0;
  const work = async (item: number) => {
    begun.push(item);
    if (item === 1) throw new RangeError('the first');
    await turn();
    ended++;
  };
  await assert.rejects(inLanes([...Array(50).keys()], 2, work), /the first/);
  assert.equal(ended, begun.length - 1);
  assert.ok(begun.length < 50, `${begun.length} begun`);
});
