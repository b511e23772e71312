import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOrders, NO_ORDERS, readOrders, watchedOrders } from './orders.ts';

function settings() {
  const held = new Map<string, string>();
  return {
    held,
    isAway: false,
    async getSetting(key: string) {
      if (this.isAway) throw new Error('does not answer');
      return held.get(key);
    },
    async swapSetting(key: string, expected: string | undefined, value: string | undefined) {
      if (held.get(key) !== expected) return false;
      if (value === undefined) held.delete(key);
      else held.set(key, value);
      return true;
    },
  };
}

test('orders that cannot be read stop who would work without them, and are given anew by who says so', async () => {
  const store = settings();
  await changeOrders(store, (now) => ({ ...now, paused: true }));
  assert.deepEqual(await readOrders(store), { ...NO_ORDERS, paused: true });
  for (const key of store.held.keys()) store.held.set(key, '{"version":1,"value":{"paused":3}}');
  const unreadable = {
    code: 'WORKSPACE',
    message: /The orders of the workers .*paused/,
    hint: /labelsmith worker resume/,
  };
  await assert.rejects(watchedOrders(store), unreadable);
  await assert.rejects(
    changeOrders(store, (now) => now),
    unreadable,
  );
  await changeOrders(store, (now) => ({ ...now, paused: false }), { anew: true });
  assert.deepEqual(await readOrders(store), NO_ORDERS);
});

test('they are looked at again after a second, and kept while the record does not answer', async () => {
  const store = settings();
  let nowMs = 0;
  const orders = await watchedOrders(store, { clock: () => nowMs });
  const now = await watchedOrders(store, { knownMs: 0, clock: () => nowMs });
  await changeOrders(store, (now) => ({ ...now, paused: true }));
  nowMs = 999;
  assert.equal((await orders()).paused, false);
  assert.equal((await now()).paused, true);
  nowMs = 1000;
  assert.equal((await orders()).paused, true);
  store.isAway = true;
  nowMs = 5000;
  assert.equal((await orders()).paused, true);
});
