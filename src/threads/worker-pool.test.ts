/** The pool of threads with modules made here; what stands on it has tests of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { MAX_THREADS, ThreadEnded, WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-threads-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** What a request asks of a thread. */
interface Ask {
  readonly id?: number;
  readonly does?: 'wait' | 'die' | 'block' | 'refuse' | 'throw';
}
interface Told {
  readonly id: number | undefined;
  /** Of the thread, with how many requests it has had. */
  readonly thread: number;
  readonly count: number;
  readonly data: unknown;
}

const MODULE = `
import { threadId } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '${new URL('./serve.ts', import.meta.url).href}';
import { LabelsmithError } from '${new URL('../errors.ts', import.meta.url).href}';
let count = 0;
serve((data) => async ({ id, does }) => {
  count++;
  if (does === 'wait') await sleep(50);
  if (does === 'die') process.exit(7);
  if (does === 'block') for (;;);
  if (does === 'refuse') throw new LabelsmithError('BUSY', 'so', { hint: 'then', details: { id } });
  if (does === 'throw') throw new TypeError('broken');
  return { reply: { id, thread: threadId, count, data } };
});`;

async function poolOf(options: Partial<WorkerPoolOptions<Ask, Told>> = {}): Promise<WorkerPool<Ask, Told>> {
  const path = join(folder, 'module.mjs');
  await writeFile(path, MODULE);
  return new WorkerPool({ worker: pathToFileURL(path), threads: 2, what: 'a test thread', ...options });
}

const ask = (request: Ask) => () => ({ request });

test('every request has its own reply, on no more threads than allowed, each with the data', async () => {
  const pool = await poolOf({ data: { a: 1 } });
  const replies = await Promise.all(Array.from({ length: 20 }, (_, id) => pool.run(ask({ id, does: 'wait' }))));
  assert.deepEqual(
    replies.map(({ id }) => id),
    Array.from({ length: 20 }, (_, id) => id),
  );
  assert.equal(new Set(replies.map(({ thread }) => thread)).size, 2);
  assert.deepEqual(replies[0]?.data, { a: 1 });
  assert.equal(pool.capacity, 4);
  await pool.close();
});

test('a request is put together when a thread is ready for it; who waits is told before the next one goes', async () => {
  const pool = await poolOf({ threads: 1, queuePerThread: 1 });
  const order: string[] = [];
  const run = (id: number) =>
    pool.run(
      () => {
        order.push(`post ${id}`);
        return { request: { id } };
      },
      () => order.push(`answer ${id}`),
    );
  await Promise.all([run(0), run(1)]);
  assert.deepEqual(order, ['post 0', 'answer 0', 'post 1', 'answer 1']);
  await assert.rejects(
    pool.run(() => {
      throw new RangeError('no request');
    }),
    RangeError,
  );
  await assert.rejects(
    pool.run(() => ({ request: { id: (() => 1) as never } })),
    { name: 'DataCloneError' },
  );
  assert.equal((await pool.run(ask({ id: 3 }))).id, 3);
  await pool.close();
});

test('errors come back as what they are', async () => {
  const pool = await poolOf();
  const refused = { code: 'BUSY', message: 'so', hint: 'then', details: { id: 4 } };
  await assert.rejects(pool.run(ask({ id: 4, does: 'refuse' })), refused);
  await assert.rejects(pool.run(ask({ does: 'throw' })), { message: 'broken', stack: /module\.mjs/ });
  await pool.close();
});

for (const start of ['now', 'when-needed'] as const) {
  test(`a thread that dies fails what it had and is replaced (start: ${start})`, async () => {
    const started: Promise<Told>[] = [];
    const pool = await poolOf({ threads: 1, start, onStart: (tell) => started.push(tell({ id: -1 })) });
    const [lost, behind] = await Promise.allSettled([pool.run(ask({ does: 'die' })), pool.run(ask({ id: 1 }))]);
    assert.ok(lost.status === 'rejected' && lost.reason instanceof ThreadEnded);
    assert.match(lost.reason.message, /a test thread died \(exit code 7\)/);
    assert.equal(behind.status, 'rejected', 'it was with the same thread');
    assert.equal((await pool.run(ask({ id: 2 }))).id, 2);
    assert.equal((await started[1])?.id, -1);
    await pool.close();
  });
}

test('a thread that takes too long is ended, and the next request has another one', async () => {
  const pool = await poolOf({ threads: 1, queuePerThread: 1, timeoutMs: 300 });
  const [late, next] = await Promise.allSettled([pool.run(ask({ does: 'block' })), pool.run(ask({ id: 1 }))]);
  assert.ok(late.status === 'rejected' && late.reason instanceof ThreadEnded);
  assert.equal(late.reason.reason, 'it takes too long');
  assert.ok(next.status === 'fulfilled' && next.value.count === 1);
  await pool.close();
});

test('threads that are spent or idle are ended', async () => {
  const spent = await poolOf({ threads: 1, isSpent: ({ count }) => count === 2 });
  const counts = [];
  for (let i = 0; i < 5; i++) counts.push((await spent.run(ask({}))).count);
  assert.deepEqual(counts, [1, 2, 1, 2, 1]);
  await spent.close();
  const idle = await poolOf({ threads: 1, idleMs: 50 });
  await idle.run(ask({}));
  await sleep(300);
  assert.equal((await idle.run(ask({}))).count, 1);
  await idle.close();
});

test('a module that cannot be loaded ends in errors, not in threads without end', async () => {
  const worker = pathToFileURL(join(folder, 'none.mjs'));
  for (const start of ['now', 'when-needed'] as const) {
    const pool = await poolOf({ worker, threads: 2, start });
    await assert.rejects(pool.run(ask({})), ThreadEnded);
    await assert.rejects(pool.run(ask({})), ThreadEnded);
    await pool.close();
  }
});

for (const native of [true, false]) {
  test(`closing refuses what no thread had yet, and what comes later (native: ${native})`, async () => {
    const pool = await poolOf({ threads: 1, queuePerThread: 1, native });
    // The thread is up once it has answered.
    const both = await Promise.allSettled([pool.run(ask({ id: 0, does: 'wait' })), pool.run(ask({ id: 1 }))]);
    const third = pool.run(ask({ id: 2, does: 'wait' }));
    const fourth = pool.run(ask({ id: 3 }));
    const results = Promise.allSettled([third, fourth]);
    await pool.close();
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    const [under, waiting] = await results;
    assert.equal(under.status, native ? 'fulfilled' : 'rejected');
    assert.ok(waiting.status === 'rejected' && waiting.reason.code === 'INTERRUPTED');
    await assert.rejects(pool.run(ask({})), { code: 'INTERRUPTED', message: /the pool of test threads is closed/ });
    await assert.rejects(pool.runOnEach({}), { code: 'INTERRUPTED' });
    await pool.close();
  });
}

test('a number of threads that cannot be, or that no machine profits from, is wrong usage', async () => {
  for (const threads of [0, -1, 1.5, Number.NaN, MAX_THREADS + 1, 99_999_999]) {
    await assert.rejects(poolOf({ threads }), { code: 'USAGE', message: /threads must be a whole number from 1 to/ });
  }
});
