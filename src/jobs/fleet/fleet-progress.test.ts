import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'node:v8';
import { doubled, doubling } from '../../../test/fleet/doubling.ts';
import { MemoryQueue } from '../../../test/fleet/memory-queue.ts';
import { MemoryShards } from '../../../test/fleet/memory-shards.ts';
import { localEngine } from '../local-engine.ts';
import type { Workspace } from '../workspace.ts';
import { fleetEngine } from './fleet-engine.ts';

test('shards that no worker begins are told after a while, and no more once one has', async () => {
  const { stage, committed } = doubling(4, 1);
  let now = 0;
  // The clock goes on with every pause, which the test's own turns are.
  const queue = new MemoryQueue({ heartbeatMs: 1e9, retries: 2, clock: () => now });
  const shards = new MemoryShards();
  /** When it was told, seconds. */
  const told: number[] = [];
  const engine = fleetEngine({
    local: localEngine(),
    openQueue: async () => queue,
    pollMs: 1000,
    clock: () => now,
    async sleep(ms) {
      now += ms;
      // Somebody starts a worker half a minute later.
      if (now < 30_000) return;
      for (const { job, done } of await queue.take(1)) {
        const input = JSON.parse(job.input) as number[];
        const data = serialize(input.map((item) => 2 * item));
        await shards.putShardResult({ runId: job.runId, shard: job.shard, items: 1, data, worker: 'late' });
        await done();
      }
    },
  });
  await engine.run(stage, {
    workspace: { store: shards } as unknown as Workspace,
    settings: {},
    runId: 'run',
    seed: 0,
    threads: 1,
    onProgress: ({ isUntaken }) => isUntaken && told.push(now / 1000),
  });
  assert.deepEqual(committed, doubled(4));
  // Each second once 15 are over, until the first shard is taken after 30.
  assert.deepEqual(
    told,
    Array.from({ length: 14 }, (_, i) => 16 + i),
  );
});

test('what is done behind a shard that is late counts as done before it is committed', async () => {
  const { stage, committed } = doubling(10, 2);
  let now = 0;
  const queue = new MemoryQueue({ heartbeatMs: 1e9, retries: 2, clock: () => now });
  const shards = new MemoryShards();
  const seen = new Set<string>();
  const engine = fleetEngine({
    local: localEngine(),
    openQueue: async () => queue,
    pollMs: 1000,
    clock: () => now,
    async sleep(ms) {
      now += ms;
      const first = now > 20_000 ? 0 : 1;
      for (let shard = first; shard < 5; shard++) {
        const data = serialize([4 * shard, 4 * shard + 2]);
        await shards.putShardResult({ runId: 'run', shard: String(shard), items: 2, data, worker: 'a' });
      }
    },
  });
  await engine.run(stage, {
    workspace: { store: shards } as unknown as Workspace,
    settings: {},
    runId: 'run',
    seed: 0,
    threads: 1,
    onProgress: ({ done }) => seen.add(`${done} done, ${committed.length} committed`),
  });
  assert.deepEqual([...seen], ['0 done, 0 committed', '8 done, 0 committed', '10 done, 10 committed']);
});
