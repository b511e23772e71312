import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted } from './counted.ts';

/** A record whose passes take as long as is said. */
function made(tookMs: number) {
  const record = { revision: 1, passes: 0, nowMs: 0 };
  const ask = counted({
    revision: async () => `${record.revision}`,
    async count() {
      record.passes++;
      record.nowMs += tookMs;
      return record.revision;
    },
    nowMs: () => record.nowMs,
  });
  return { record, ask };
}

test('what is short is exact, and is counted once a revision', async () => {
  const { record, ask } = made(10);
  assert.deepEqual(await ask(), { value: 1, exact: true });
  assert.deepEqual(await ask(), { value: 1, exact: true });
  assert.equal(record.passes, 1);
  record.revision = 2;
  assert.deepEqual(await ask(), { value: 2, exact: true });
});

test('askers at once share a pass', async () => {
  const { record, ask } = made(10);
  await Promise.all([ask(), ask(), ask()]);
  assert.equal(record.passes, 1);
});

test('what takes long is given as it was, and counted again after a rest', async () => {
  const { record, ask } = made(1000);
  assert.equal((await ask()).exact, true);
  record.revision = 2;
  assert.deepEqual(await ask(), { value: 1, exact: false });
  assert.equal(record.passes, 1, 'it rests');
  record.nowMs += 5000;
  assert.deepEqual(await ask(), { value: 1, exact: false });
  await new Promise(setImmediate);
  assert.equal(record.passes, 2);
  assert.deepEqual(await ask(), { value: 2, exact: true });
});

test('a pass that fails is told to whoever waits for it, and the next one tries again', async () => {
  let failing = true;
  const ask = counted({
    revision: async () => '1',
    async count() {
      if (failing) throw new Error('no');
      return 7;
    },
  });
  await assert.rejects(ask(), /no/);
  failing = false;
  assert.deepEqual(await ask(), { value: 7, exact: true });
});
