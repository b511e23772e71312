/** What a run on many machines says of itself while it goes, by a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'node:v8';
import { doubled, doubling } from '../../../test/fleet/doubling.ts';
import { MemoryQueue } from '../../../test/fleet/memory-queue.ts';
import { MemoryShards } from '../../../test/fleet/memory-shards.ts';
import { localEngine } from '../local-engine.ts';
import type { Progress } from '../stage.ts';
import type { Workspace } from '../workspace.ts';
import { fleetEngine } from './fleet-engine.ts';

interface Turn {
  readonly queue: MemoryQueue;
  readonly shards: MemoryShards;
  /** Milliseconds. */
  readonly now: number;
}

/** Runs the stage; the clock goes on by a second with every pause, in which `turn` is what workers do. */
async function runTold(
  stage: ReturnType<typeof doubling>['stage'],
  {
    turn,
    told,
    signal,
  }: { turn(at: Turn): Promise<void>; told(now: number, progress: Progress): void; signal?: AbortSignal },
): Promise<void> {
  let now = 0;
  const queue = new MemoryQueue({ heartbeatMs: 1e9, retries: 2, clock: () => now });
  const shards = new MemoryShards();
  const engine = fleetEngine({
    local: localEngine(),
    openQueue: async () => queue,
    pollMs: 1000,
    clock: () => now,
    async sleep(ms) {
      now += ms;
      await turn({ queue, shards, now });
    },
  });
  await engine.run(stage, {
    workspace: { store: shards } as unknown as Workspace,
    settings: {},
    runId: 'run',
    seed: 0,
    threads: 1,
    signal,
    onProgress: (progress) => told(now, progress),
  });
}

test('shards that no worker begins are told after a while, and no more once one has', async () => {
  const { stage, committed } = doubling(4, 1);
  /** When it was told, seconds. */
  const told: number[] = [];
  await runTold(stage, {
    async turn({ queue, shards, now }) {
      // Somebody starts a worker half a minute later.
      if (now < 30_000) return;
      for (const { job, done } of await queue.take(1)) {
        const input = JSON.parse(job.input) as number[];
        const data = serialize(input.map((item) => 2 * item));
        await shards.putShardResult({ runId: job.runId, shard: job.shard, items: 1, data, worker: 'late' });
        await done();
      }
    },
    told: (now, { isUntaken }) => isUntaken && told.push(now / 1000),
  });
  assert.deepEqual(committed, doubled(4));
  // Each second once 15 are over, until the first shard is taken after 30.
  assert.deepEqual(
    told,
    Array.from({ length: 14 }, (_, i) => 16 + i),
  );
});

/** Does shards of two items each, from this one on. */
async function doFrom(first: number, shards: MemoryShards): Promise<void> {
  for (let shard = first; shard < 5; shard++) {
    const data = serialize([4 * shard, 4 * shard + 2]);
    await shards.putShardResult({ runId: 'run', shard: String(shard), items: 2, data, worker: 'a' });
  }
}

test('what is done behind a shard that is late counts as done before it is committed', async () => {
  const { stage, committed } = doubling(10, 2);
  const seen = new Set<string>();
  await runTold(stage, {
    turn: ({ shards, now }) => doFrom(now > 20_000 ? 0 : 1, shards),
    told: (_, { done, kept = done }) => seen.add(`${done} done, ${kept} kept, ${committed.length} committed`),
  });
  assert.deepEqual(
    [...seen],
    ['0 done, 0 kept, 0 committed', '8 done, 0 kept, 0 committed', '10 done, 10 kept, 10 committed'],
  );
});

test('interrupted, a run keeps what it has committed, and says no more', async () => {
  const { stage, committed } = doubling(10, 2);
  const interrupt = new AbortController();
  let last: Progress | undefined;
  await runTold(stage, {
    async turn({ shards, now }) {
      await doFrom(1, shards);
      if (now > 20_000) interrupt.abort();
    },
    told: (_, progress) => {
      last = progress;
    },
    signal: interrupt.signal,
  });
  assert.deepEqual([committed.length, last?.done, last?.kept], [0, 8, 0]);
});
