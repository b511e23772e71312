/** Shards of a worker, one behind the other, on lanes that they share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { ItemLanes } from './item-lanes.ts';

/** Items that end when they are told to, with the order in which they began. */
function heldItems() {
  const began: string[] = [];
  const open = new Map<string, (error?: Error) => void>();
  return {
    began,
    work: (item: string) =>
      new Promise<string>((resolve, reject) => {
        began.push(item);
        open.set(item, (error) => (error ? reject(error) : resolve(item.toUpperCase())));
      }),
    async end(item: string, error?: Error) {
      open.get(item)?.(error);
      for (let n = 0; n < 5; n++) await tick();
    },
  };
}

test('the next shard begins when the last item of the one before has begun, and while that one ends', async () => {
  const lanes = new ItemLanes(2);
  const { began, work, end } = heldItems();
  const [first, second] = [lanes.nextShard(), lanes.nextShard()];
  const later = second.eachItem(['d', 'e'], work);
  const sooner = first.eachItem(['a', 'b', 'c'], work).finally(first.end);
  await end('nothing');
  assert.deepEqual(began, ['a', 'b']);
  await end('a');
  assert.deepEqual(began, ['a', 'b', 'c'], 'the last of the first shard');
  await end('b');
  assert.deepEqual(began, ['a', 'b', 'c', 'd'], 'the second is under way before the first is done');
  for (const item of ['c', 'd', 'e']) await end(item);
  assert.deepEqual(await sooner, ['A', 'B', 'C']);
  assert.deepEqual(await later, ['D', 'E']);
});

test('what fails in one shard of a worker fails no other; a shard without items holds up nobody', async () => {
  const lanes = new ItemLanes(1);
  const { began, work, end } = heldItems();
  const [bad, empty, good] = [lanes.nextShard(), lanes.nextShard(), lanes.nextShard()];
  const failing = bad.eachItem(['a', 'b'], work).finally(bad.end);
  const going = good.eachItem(['c'], work);
  const rejected = assert.rejects(failing, /broken/);
  await end('nothing');
  await end('a', new Error('broken'));
  await rejected;
  assert.deepEqual(began, ['a'], 'nothing more of it begins');
  empty.end();
  await end('nothing');
  await end('c');
  assert.deepEqual(await going, ['C']);
});
