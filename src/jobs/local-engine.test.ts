import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { localEngine } from './local-engine.ts';
import type { Progress, StageDefinition, StageJob, Workspace } from './stage.ts';

type Traced = StageDefinition<unknown, null, number[], number[]>;

interface Trace {
  readonly stage: Traced;
  readonly committed: number[][];
  mostInFlight: number;
}

/** No stage here looks at its workspace. */
const JOB: StageJob<unknown> = { workspace: {} as Workspace, settings: {}, runId: 'run', seed: 0, threads: 1 };

const engine = (lanes: number, clock?: () => number) => localEngine({ itemsInFlight: () => lanes, clock });

/** A stage over 0…items−1 that records what happens to it; `delay` decides how long an item takes. */
function traced(
  items: number,
  shardSize: number,
  delay: (i: number) => number | Promise<never>,
  commitDelay = 0,
): Trace {
  let inFlight = 0;
  const trace: Trace = {
    committed: [],
    mostInFlight: 0,
    stage: {
      name: 'traced',
      settings: z.unknown(),
      shard: z.array(z.number()),
      open: async () => null,
      total: async () => items,
      async *plan() {
        for (let start = 0; start < items; start += shardSize) {
          yield Array.from({ length: Math.min(shardSize, items - start) }, (_, i) => start + i);
        }
      },
      process: (_, shard, eachItem) =>
        eachItem(shard, async (item) => {
          inFlight++;
          trace.mostInFlight = Math.max(trace.mostInFlight, inFlight);
          const wait = await delay(item);
          await new Promise((resolve) => setTimeout(resolve, wait));
          inFlight--;
          return item * 10;
        }),
      async commit(_, shard, results) {
        await new Promise((resolve) => setTimeout(resolve, commitDelay));
        trace.committed.push(results);
        return { items: shard.length, tens: results.length * 10 };
      },
    },
  };
  return trace;
}

test('commits every shard once, in order, with results in the order of items, and sums the counts', async () => {
  const trace = traced(23, 5, (i) => (i % 3) * 4);
  const summary = await engine(4).run(trace.stage, JOB);
  assert.deepEqual(
    trace.committed.flat(),
    Array.from({ length: 23 }, (_, i) => i * 10),
  );
  assert.deepEqual(
    trace.committed.map((shard) => shard.length),
    [5, 5, 5, 5, 3],
  );
  assert.deepEqual([summary.counts, summary.shards, summary.interrupted], [{ items: 23, tens: 230 }, 5, false]);
});

test('never has more items in flight than allowed, and uses what is allowed across the edge of a shard', async () => {
  const trace = traced(40, 3, () => 3, 5);
  await engine(6).run(trace.stage, JOB);
  assert.equal(trace.mostInFlight, 6);
});

test('an abort finishes and commits the shard under way and starts no other', async () => {
  const trace = traced(100, 10, () => 2);
  const stop = new AbortController();
  const summary = await engine(2).run(trace.stage, {
    ...JOB,
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
  const trace = traced(30, 5, (item) => (item === 12 ? Promise.reject(new Error('item 12 broke')) : 1));
  await assert.rejects(engine(1).run(trace.stage, JOB), /item 12 broke/);
  assert.deepEqual(
    trace.committed.map((shard) => shard[0]),
    [0, 50],
  );
});

test('what came before an item that throws is committed, though it was still under way', async () => {
  const trace = traced(10, 5, (item) => (item === 5 ? Promise.reject(new Error('item 5 broke')) : 10));
  await assert.rejects(engine(8).run(trace.stage, JOB), /item 5 broke/);
  assert.deepEqual(trace.committed, [[0, 10, 20, 30, 40]]);
});

test('a shard, a plan or a commit that throws fails the run and nothing later is committed', async () => {
  const committed: number[] = [];
  const { stage } = traced(30, 5, () => 1);
  const commit: Traced['commit'] = async (_, shard) => {
    committed.push(shard[0]);
    return {};
  };
  const diskFull: Traced = {
    ...stage,
    commit: (context, shard, results) =>
      shard[0] === 10 ? Promise.reject(new Error('disk full')) : commit(context, shard, results),
  };
  await assert.rejects(engine(4).run(diskFull, JOB), /disk full/);
  assert.deepEqual(committed.splice(0), [0, 5]);

  const noPlan: Traced = {
    ...stage,
    commit,
    async *plan() {
      yield [0, 1];
      throw new Error('no more to read');
    },
  };
  await assert.rejects(engine(4).run(noPlan, JOB), /no more to read/);
  const noShard: Traced = {
    ...stage,
    commit,
    process: (context, shard, eachItem) =>
      shard[0] === 5 ? Promise.reject(new Error('shard broke')) : stage.process(context, shard, eachItem),
  };
  committed.splice(0);
  await assert.rejects(engine(1).run(noShard, JOB), /shard broke/);
  assert.ok(committed.every((first) => first < 5));
});

test('a context is opened for the run and closed after it, also after a failure; one that is given stays open', async () => {
  const { stage } = traced(4, 2, (item) => (item === 3 ? Promise.reject(new Error('item 3 broke')) : 0));
  const log: string[] = [];
  const logged: Traced = {
    ...stage,
    open: async () => {
      log.push('open');
      return null;
    },
    close: async () => void log.push('close'),
  };
  await assert.rejects(engine(1).run(logged, JOB), /item 3 broke/);
  assert.deepEqual(log.splice(0), ['open', 'close']);
  await assert.rejects(engine(1).run(logged, JOB, null), /item 3 broke/);
  assert.deepEqual(log, []);
});

test('progress ends with everything done and tells a rate from an injected clock', async () => {
  let now = 0;
  const { stage } = traced(10, 5, () => {
    now += 1000;
    return 0;
  });
  const seen: Progress[] = [];
  await engine(1, () => now).run(stage, { ...JOB, onProgress: (progress) => seen.push(progress) });
  const last = seen.at(-1) as Progress;
  assert.deepEqual([last.done, last.total, last.shardsCommitted], [10, 10, 2]);
  assert.ok(Math.abs(last.rate - 1) < 1e-9, `one item a second, not ${last.rate}`);
});
