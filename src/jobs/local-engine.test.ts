import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localEngine } from './local-engine.ts';
import type { Progress, Shard, Stage } from './stage.ts';

interface Trace {
  readonly stage: Stage<number, number>;
  readonly committed: number[][];
  mostInFlight: number;
}

/** A stage over 0…items−1 that records what happens to it; `delay` decides how long an item takes. */
function traced(items: number, shardSize: number, delay: (i: number) => number, commitDelay = 0): Trace {
  let inFlight = 0;
  const trace: Trace = {
    committed: [],
    mostInFlight: 0,
    stage: {
      name: 'traced',
      total: items,
      async *shards() {
        for (let start = 0, index = 0; start < items; start += shardSize, index++) {
          const length = Math.min(shardSize, items - start);
          yield { index, items: Array.from({ length }, (_, i) => start + i) };
        }
      },
      async process(item) {
        inFlight++;
        trace.mostInFlight = Math.max(trace.mostInFlight, inFlight);
        await new Promise((resolve) => setTimeout(resolve, delay(item)));
        inFlight--;
        return item * 10;
      },
      async commit(_shard: Shard<number>, results) {
        await new Promise((resolve) => setTimeout(resolve, commitDelay));
        trace.committed.push([...results]);
      },
    },
  };
  return trace;
}

test('commits every shard once, in order, with results in the order of items', async () => {
  const trace = traced(23, 5, (i) => (i % 3) * 4);
  const summary = await localEngine().run(trace.stage, { itemsInFlight: 4 });
  assert.deepEqual(
    trace.committed.flat(),
    Array.from({ length: 23 }, (_, i) => i * 10),
  );
  assert.deepEqual(
    trace.committed.map((shard) => shard.length),
    [5, 5, 5, 5, 3],
  );
  assert.deepEqual([summary.items, summary.shards, summary.interrupted], [23, 5, false]);
});

test('never has more items in flight than allowed, and uses what is allowed across the edge of a shard', async () => {
  const trace = traced(40, 3, () => 3, 5);
  await localEngine().run(trace.stage, { itemsInFlight: 6 });
  assert.equal(trace.mostInFlight, 6);
});

test('an abort finishes and commits the shard under way and starts no other', async () => {
  const trace = traced(100, 10, () => 2);
  const stop = new AbortController();
  const summary = await localEngine().run(trace.stage, {
    itemsInFlight: 2,
    signal: stop.signal,
    onProgress: ({ done }) => done >= 15 && stop.abort(),
  });
  assert.equal(summary.interrupted, true);
  assert.deepEqual(
    trace.committed.flat(),
    Array.from({ length: 20 }, (_, i) => i * 10),
  );
});

test('an item that throws fails the run, commits what came before it and nothing after', async () => {
  const trace = traced(30, 5, () => 1);
  const broken: Stage<number, number> = {
    ...trace.stage,
    process: (item, signal) =>
      item === 12 ? Promise.reject(new Error('item 12 broke')) : trace.stage.process(item, signal),
  };
  await assert.rejects(localEngine().run(broken, { itemsInFlight: 1 }), /item 12 broke/);
  assert.deepEqual(
    trace.committed.map((shard) => shard[0]),
    [0, 50],
  );
});

test('a commit that throws fails the run and nothing later is committed', async () => {
  const trace = traced(30, 5, () => 1);
  const committed: number[] = [];
  const broken: Stage<number, number> = {
    ...trace.stage,
    commit: async ({ index }) => {
      if (index === 2) throw new Error('disk full');
      committed.push(index);
    },
  };
  await assert.rejects(localEngine().run(broken, { itemsInFlight: 4 }), /disk full/);
  assert.deepEqual(committed, [0, 1]);
});

test('progress ends with everything done and tells a rate from an injected clock', async () => {
  let now = 0;
  const trace = traced(10, 5, () => 0);
  const seen: Progress[] = [];
  await localEngine({ clock: () => now }).run(
    {
      ...trace.stage,
      process: async (item) => {
        now += 1000;
        return item;
      },
    },
    { itemsInFlight: 1, onProgress: (progress) => seen.push(progress) },
  );
  const last = seen.at(-1) as Progress;
  assert.deepEqual([last.done, last.total, last.shardsCommitted], [10, 10, 2]);
  assert.ok(Math.abs(last.rate - 1) < 1e-9, `one item a second, not ${last.rate}`);
});
