import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ahead } from './ahead.ts';

test('the next are made before they are read, never more than so many, and come in order', async () => {
  let made = 0;
  let ended = false;
  async function* numbers() {
    try {
      for (; made < 9; ) {
        await Promise.resolve();
        yield made++;
      }
    } finally {
      ended = true;
    }
  }
  const values = ahead(numbers(), 3);
  await new Promise(setImmediate);
  assert.equal(made, 3);
  const read: number[] = [];
  for await (const value of values) {
    assert.ok(made <= value + 4, `${made} were made when ${value} was read`);
    read.push(value);
    await new Promise(setImmediate);
    if (value === 6) break;
  }
  assert.deepEqual(read, [0, 1, 2, 3, 4, 5, 6]);
  assert.ok(ended, 'who stops early ends the source');
});

test('what fails fails whoever reads it, and nobody else', async () => {
  // biome-ignore lint/correctness/useYield: it fails before
  async function* failing(): AsyncGenerator<number> {
    throw new Error('gone');
  }
  ahead(failing(), 2);
  await new Promise(setImmediate);
  await assert.rejects(async () => {
    for await (const _ of ahead(failing(), 2)) assert.fail('there is no value');
  }, /gone/);
});
