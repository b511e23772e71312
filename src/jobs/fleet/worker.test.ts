import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryQueue } from '../../../test/fleet/memory-queue.ts';
import { modelOf, type ShardJob } from './queue.ts';
import { runWorker, type ShardProcess } from './worker.ts';

const jobsOf = (model: string, count: number): ShardJob[] =>
  Array.from({ length: count }, (_, n) => ({
    runId: 'run',
    shard: `${model} ${n}`,
    stage: 'detect',
    settings: '{}',
    input: '{}',
    seed: 0,
    fingerprint: model === '' ? '' : `${model}@abc`,
  }));

/** Shards under way by model, each time that one began. */
async function seen(perModel: number | undefined, sent: readonly ShardJob[]) {
  const queue = new MemoryQueue({ heartbeatMs: 60_000, retries: 0, clock: () => performance.now() });
  await queue.send(sent);
  const underWay = new Map<string, number>();
  const most = new Map<string, number>();
  let mostOfAll = 0;
  const startProcess = (): ShardProcess => ({
    hasEnded: false,
    async run(job) {
      const model = modelOf(job);
      const now = (underWay.get(model) ?? 0) + 1;
      underWay.set(model, now);
      most.set(model, Math.max(now, most.get(model) ?? 0));
      mostOfAll = Math.max(
        mostOfAll,
        [...underWay.values()].reduce((sum, count) => sum + count, 0),
      );
      // One shard ends while its like goes on.
      await new Promise((resolve) => setTimeout(resolve, 1 + (Number(job.shard.split(' ')[1]) % 3) * 4));
      underWay.set(model, (underWay.get(model) ?? 0) - 1);
      return { kind: 'done', items: 1 };
    },
    close: async () => {},
  });
  const { shards } = await runWorker({ queue, startProcess, concurrency: 5, perModel, idleMs: 2, drainMs: 20 });
  assert.equal(shards, sent.length);
  return { most, mostOfAll };
}

test('a worker does no more shards of one model at once than it was told, and fills up with others', async () => {
  const sent = [...jobsOf('heavy', 20), ...jobsOf('light', 12), ...jobsOf('', 6)];
  const free = await seen(undefined, sent);
  assert.equal(free.most.get('heavy'), 5, 'without a limit what was sent first takes every place');
  for (const perModel of [1, 2, 3]) {
    const { most, mostOfAll } = await seen(perModel, sent);
    assert.equal(most.get('heavy'), perModel);
    assert.ok((most.get('light') ?? 0) <= perModel);
    assert.ok(mostOfAll > perModel, 'others came in their place');
  }
});

test('a queue that does not answer is told of with how long it has not, and that it does again', async () => {
  let nowMs = 0;
  let asked = 0;
  const end = new AbortController();
  const told: (readonly [kind: string, forMs: number])[] = [];
  class Failing extends MemoryQueue {
    override async take(...given: Parameters<MemoryQueue['take']>): ReturnType<MemoryQueue['take']> {
      if ([1, 2, 3, 5].includes(++asked)) throw new Error('the database system is starting up');
      if (asked === 7) end.abort();
      return super.take(...given);
    }
  }
  await runWorker({
    queue: new Failing({ heartbeatMs: 60_000, retries: 0, clock: () => nowMs }),
    startProcess: () => assert.fail('there are no shards'),
    signal: end.signal,
    clock: () => nowMs,
    sleep: async (ms) => (nowMs += ms),
    idleMs: 50,
    onEvent: (event) => told.push([event.kind, 'forMs' in event ? event.forMs : Number.NaN]),
  });
  assert.deepEqual(told, [
    ['away', 0],
    ['away', 50],
    ['away', 100],
    ['back', 150],
    ['away', 0],
    ['back', 50],
  ]);
});
