import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { doubled, doubling } from '../../../test/fleet/doubling.ts';
import { MemoryQueue } from '../../../test/fleet/memory-queue.ts';
import { MemoryShards } from '../../../test/fleet/memory-shards.ts';
import { localEngine } from '../local-engine.ts';
import type { StageJob, Workspace } from '../stage.ts';
import { fleetEngine } from './fleet-engine.ts';
import { runWorker, type ShardOutcome, type ShardProcess } from './worker.ts';

interface Fleet {
  readonly queue: MemoryQueue;
  readonly shards: MemoryShards;
  readonly stop: AbortController;
  readonly workers: Promise<unknown>;
  readonly engine: ReturnType<typeof fleetEngine>;
  readonly job: StageJob<unknown>;
}

/** Long enough that a busy machine does not lose the shards of workers that are well. */
const HEARTBEAT_MS = 500;
/** Of every fleet: a test that fails leaves no workers going. */
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** @param outcomeOf what a shard comes to in place of being done; a process that ends throws */
function fleet(
  workers: number,
  outcomeOf: (input: number[], worker: number) => Promise<ShardOutcome | undefined>,
  heartbeatMs = HEARTBEAT_MS,
): Fleet {
  const queue = new MemoryQueue({ heartbeatMs, retries: 2, clock: () => performance.now() });
  const shards = new MemoryShards();
  const stop = new AbortController();
  stops.push(stop);
  const startProcess = (worker: number): ShardProcess => ({
    hasEnded: false,
    async run({ runId, shard, input }) {
      const items = JSON.parse(input) as number[];
      const other = await outcomeOf(items, worker);
      if (other !== undefined) return other;
      const data = serialize(items.map((item) => 2 * item));
      await shards.putShardResult({ runId, shard, items: items.length, data, worker: String(worker) });
      return { kind: 'done', items: items.length };
    },
    close: async () => {},
  });
  const running = Array.from({ length: workers }, (_, n) =>
    runWorker({ queue, startProcess: () => startProcess(n), heartbeatMs: 10, idleMs: 5, signal: stop.signal }),
  );
  return {
    queue,
    shards,
    stop,
    workers: Promise.all(running),
    engine: fleetEngine({ local: localEngine(), openQueue: async () => queue, pollMs: 2, suspectMs: 20, maxAhead: 8 }),
    job: { workspace: { store: shards } as unknown as Workspace, settings: {}, runId: 'run', seed: 0, threads: 1 },
  };
}

test('a stage that is run again within a run takes no result that a slow worker brings of the time before', async () => {
  const { stage, committed } = doubling(2, 1);
  const { engine, job, shards } = fleet(1, async () => undefined);
  await engine.run(stage, job);
  const late = { items: 1, data: serialize([100]), worker: 'slow' };
  for (const shard of ['0', '1']) await shards.putShardResult({ ...late, runId: job.runId, shard });
  await engine.run(stage, job);
  assert.deepEqual(committed, [...doubled(2), ...doubled(2)]);
});

test('shards are committed in the order of the plan, whoever did them and when', async () => {
  const { stage, committed } = doubling(100, 3);
  const { engine, job, stop, workers, shards } = fleet(3, async ([first]) => {
    await sleep((first * 7) % 11);
    return undefined;
  });
  const summary = await engine.run(stage, job);
  assert.deepEqual([committed, summary.counts, summary.shards], [doubled(100), { items: 100 }, 34]);
  assert.equal(shards.results.size, 0, 'results are dropped when they are committed');
  stop.abort();
  await workers;
});

test('what the queue forgets is sent again, and what is done twice is committed once', async () => {
  const { stage, committed } = doubling(60, 2);
  let n = 0;
  const { engine, job, stop, workers, queue } = fleet(2, async () => {
    if (++n % 5 === 0) queue.forget();
    await sleep(2);
    return undefined;
  });
  await engine.run(stage, job);
  assert.deepEqual(committed, doubled(60));
  stop.abort();
  await workers;
});

test('a worker that stands still loses its shard to another one, and what it brings later changes nothing', async () => {
  const { stage, committed } = doubling(20, 2);
  const { engine, job, stop, workers, queue, shards } = fleet(1, async () => {
    await sleep(3);
    return undefined;
  });
  const take = queue.take.bind(queue);
  const stolen: Awaited<ReturnType<typeof take>> = [];
  // The first shard is taken by somebody who is not heard of until all is done.
  queue.take = async (count) => {
    const jobs = await take(count);
    if (stolen.length === 0) stolen.push(...jobs.splice(0, 1));
    return jobs;
  };
  await engine.run(stage, job);
  assert.deepEqual(committed, doubled(20));
  const [late] = stolen;
  assert.equal(queue.taken.filter((shard) => shard === late?.job.shard).length, 2);
  await late?.done();
  assert.equal(shards.results.size, 0);
  stop.abort();
  await workers;
});

test('a shard whose worker is slow is given to another too, and holds up nobody', async () => {
  const { stage, committed } = doubling(60, 1);
  const released = Promise.withResolvers<void>();
  let isHeld = false;
  const { job, stop, workers, queue, shards } = fleet(2, async ([first]) => {
    if (first === 3 && !isHeld) {
      isHeld = true;
      await released.promise;
    }
    return undefined;
  });
  const engine = fleetEngine({ local: localEngine(), openQueue: async () => queue, pollMs: 2, suspectMs: 20 });
  await engine.run(stage, job);
  assert.deepEqual(committed, doubled(60));
  assert.deepEqual(
    queue.taken.filter((shard) => shard === '3'),
    ['3', '3'],
    'heard of all the time, and done by the other one',
  );
  stop.abort();
  released.resolve();
  await workers;
  assert.equal(committed.length, 60);
  assert.equal(shards.late, 0);
});

test('a result that comes when its shard was committed by another is dropped', async () => {
  const { stage, committed } = doubling(60, 1);
  const [isCommitted, isLate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let holders = 0;
  const built = fleet(2, async ([first]) => {
    if (first === 3 && ++holders === 1) await isCommitted.promise;
    // The run does not end before the late result is there.
    if (first === 59) await isLate.promise;
    return undefined;
  });
  const { shards, queue, job } = built;
  const put = shards.putShardResult.bind(shards);
  let results = 0;
  shards.putShardResult = async (result) => {
    const kept = await put(result);
    if (result.shard === '3' && ++results === 2) isLate.resolve();
    return kept;
  };
  const drop = shards.dropShardResults.bind(shards);
  shards.dropShardResults = async (run, dropped) => {
    await drop(run, dropped);
    if (dropped.includes('3')) isCommitted.resolve();
  };
  const engine = fleetEngine({ local: localEngine(), openQueue: async () => queue, pollMs: 2, suspectMs: 20 });
  await engine.run(stage, job);
  assert.deepEqual(committed, doubled(60));
  assert.deepEqual([results, [...shards.results.keys()]], [2, []]);
  built.stop.abort();
  await built.workers;
});

test('an interrupted run leaves no results that it did not commit', async () => {
  const { stage, committed } = doubling(30, 1);
  const released = Promise.withResolvers<void>();
  const { engine, job, stop, workers, shards } = fleet(2, async ([first]) => {
    if (first === 0) await released.promise;
    return undefined;
  });
  const interrupt = new AbortController();
  const running = engine.run(stage, { ...job, signal: interrupt.signal });
  while (shards.results.size < 7) await sleep(2);
  interrupt.abort();
  const { interrupted } = await running;
  const left = shards.results.size;
  stop.abort();
  released.resolve();
  await workers;
  assert.deepEqual([interrupted, committed, left], [true, [], 0]);
});

/** @param losses of the shard that begins with 6: how often whoever takes it is not heard of any more */
function losing(losses: number, built: ReturnType<typeof fleet>) {
  const { queue } = built;
  const take = queue.take.bind(queue);
  let left = losses;
  queue.take = async (count, options) =>
    (await take(count, options)).filter(({ job }) => !(job.input.startsWith('[6') && left-- > 0));
}

/** Three attempts, four times. */
const LOST_FOR_GOOD = 12;

test('a shard that cannot be cut survives workers that are taken away', async () => {
  const { stage, committed } = doubling(12, 3, false);
  const built = fleet(2, async () => undefined, 30);
  losing(LOST_FOR_GOOD - 1, built);
  await built.engine.run(stage, built.job);
  assert.deepEqual(committed, doubled(12));
  assert.equal(built.queue.taken.filter((shard) => shard === '2').length, LOST_FOR_GOOD);
  assert.deepEqual(built.shards.dead, []);
  built.stop.abort();
  await built.workers;
});

test('a shard that cannot be cut and under which every worker goes ends the run', async () => {
  const { stage, committed } = doubling(12, 3, false);
  const built = fleet(2, async () => undefined, 30);
  losing(Number.POSITIVE_INFINITY, built);
  await assert.rejects(built.engine.run(stage, built.job), { code: 'UNSUPPORTED', message: /shard 2 .*not heard of/ });
  assert.deepEqual(committed, doubled(6));
  assert.equal(built.queue.taken.filter((shard) => shard === '2').length, LOST_FOR_GOOD);
  built.stop.abort();
  await built.workers;
});

test('an item that ends every process is found by halving and put aside; the others are done', async () => {
  const { stage, committed, aside } = doubling(12, 5);
  const { engine, job, stop, workers, shards } = fleet(2, async (items) => {
    if (items.includes(7)) throw new Error('its process ended with SIGSEGV');
    return undefined;
  });
  const { counts } = await engine.run(stage, job);
  assert.deepEqual(aside, [[7, 'its process ended with SIGSEGV']]);
  assert.deepEqual(
    committed,
    doubled(12).filter((value) => value !== 14),
  );
  assert.deepEqual(counts, { items: 11, aside: 1 });
  assert.deepEqual(
    shards.dead.map(({ shard, reason }) => [shard, reason]),
    [['1.1.1.0', 'its process ended with SIGSEGV']],
  );
  stop.abort();
  await workers;
});

test('a shard that cannot be cut ends the run with its reason, and what came before it is committed', async () => {
  const { stage, committed } = doubling(12, 3, false);
  const { engine, job, stop, workers, shards } = fleet(1, async ([first]) =>
    first === 6 ? { kind: 'failed', reason: 'no room left' } : undefined,
  );
  await assert.rejects(engine.run(stage, job), { code: 'UNSUPPORTED', message: /shard 2 of doubling: no room left/ });
  assert.deepEqual(committed, doubled(6));
  assert.equal(shards.dead[0]?.shard, '2');
  stop.abort();
  await workers;
});

test('a worker that is not fit ends with its reason, and leaves its shard to another', async () => {
  const { stage, committed } = doubling(10, 2);
  const reason = 'this machine has another model';
  const { engine, job, stop, workers } = fleet(2, async (_, worker) =>
    worker === 0 ? { kind: 'refused', reason } : undefined,
  );
  await engine.run(stage, job);
  stop.abort();
  assert.deepEqual(committed, doubled(10));
  const [first, second] = (await workers) as { refused?: string; shards: number }[];
  assert.deepEqual([first?.refused, second?.refused], [reason, undefined]);
});

test('stopped, a run commits nothing more and takes back what nobody has begun', async () => {
  const { stage, committed } = doubling(1000, 1);
  const { engine, job, stop, workers, queue } = fleet(1, async () => {
    await sleep(1);
    return undefined;
  });
  const enough = new AbortController();
  const onProgress = ({ done }: { done: number }) => done >= 10 && enough.abort();
  const { interrupted } = await engine.run(stage, { ...job, signal: enough.signal, onProgress });
  assert.equal(interrupted, true);
  const { length } = committed;
  assert.ok(length >= 10 && length < 1000);
  assert.deepEqual(committed, doubled(length));
  assert.equal((await queue.take(1000)).length, 0);
  stop.abort();
  await workers;
});
