import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../../test/postgres/server.ts';
import { bossQueue } from './boss-queue.ts';
import { commandQueue } from './commands.ts';
import type { ShardJob } from './queue.ts';

const found = postgresPrograms();

describe('the queue in PostgreSQL', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const jobs = (model: string, ...shards: readonly string[]): ShardJob[] =>
    shards.map((shard) => ({
      runId: 'run',
      shard,
      stage: 'detect',
      settings: '{}',
      input: '{}',
      seed: 0,
      fingerprint: model === '' ? '' : `${model}@abc`,
    }));
  const shardsOf = (taken: readonly { readonly job: ShardJob }[]) => taken.map(({ job }) => job.shard);

  test('higher priorities come first, then what was sent first', async () => {
    const queue = await bossQueue({ location: `${server.url}?schema=priorities` });
    await queue.send(jobs('', 'a', 'b'));
    await queue.send(jobs('', 'c'), { priority: 5 });
    await queue.send(jobs('', 'd'), { priority: 1 });
    const order: string[] = [];
    for (let n = 0; n < 4; n++) order.push(...shardsOf(await queue.take(1)));
    assert.deepEqual(order.slice(0, 2), ['c', 'd']);
    assert.deepEqual(order.slice(2).sort(), ['a', 'b']);
    await queue.close();
  });

  test('a model with a limit has no more shards under way than that; the others go on', async () => {
    const queue = await bossQueue({ location: `${server.url}?schema=limits` });
    await queue.send(jobs('heavy', '1', '2', '3'));
    await queue.send(jobs('light', '4', '5'));
    await queue.send(jobs('', '6'));
    const limits = { heavy: 1 };
    const taken = await queue.take(6, { limits });
    assert.deepEqual(shardsOf(taken).filter((shard) => shard <= '3').length, 1);
    assert.deepEqual(
      shardsOf(taken)
        .filter((shard) => shard > '3')
        .sort(),
      ['4', '5', '6'],
    );
    assert.deepEqual(await queue.take(6, { limits }), []);
    await taken.find(({ job }) => job.shard <= '3')?.done();
    assert.equal((await queue.take(6, { limits })).length, 1);
    // This machine has enough of it.
    assert.deepEqual(await queue.take(6, { notOf: ['heavy'] }), []);
    assert.equal((await queue.take(6)).length, 1);
    await queue.close();
  });

  test('a shard whose worker is silent is told from one that failed', async () => {
    const queue = await bossQueue({ location: `${server.url}?schema=lost`, heartbeatSeconds: 10, retries: 0 });
    const ids = await queue.send(jobs('', '1', '2'));
    for (const taken of await queue.take(2)) if (taken.job.shard === '2') await taken.fail('no room left');
    assert.deepEqual(await queue.stateOf(ids[1]), { kind: 'failed', reason: 'no room left', isLost: false });
    let state = await queue.stateOf(ids[0]);
    for (; state.kind === 'active'; state = await queue.stateOf(ids[0])) await sleep(200);
    assert.deepEqual(state, { kind: 'failed', reason: 'its workers were not heard of any more', isLost: true });
    await queue.close();
  });

  test('a command is run by one, given back, gone on with, and can be taken back', async () => {
    const queue = await commandQueue({ location: `${server.url}?schema=commands` });
    const given = await queue.send(['add', '--', '/photos'], { priority: 0 });
    assert.deepEqual(await queue.stateOf(given), { kind: 'waiting' });
    const first = await queue.take();
    assert.ok(first);
    assert.deepEqual(first.words, ['add', '--', '/photos']);
    assert.equal(await queue.take(), undefined);
    assert.equal(await first.touch(), true);
    assert.deepEqual(await queue.stateOf(given), { kind: 'running', attempt: 1 });
    await first.giveBack('told to end');
    assert.equal(await first.touch(), false);
    let second = await queue.take();
    while (second === undefined) second = await queue.take();
    assert.deepEqual(await queue.stateOf(given), { kind: 'running', attempt: 2 });
    // What the first one says too late changes nothing.
    await first.ended({ exitCode: 1, document: null, said: '', summary: '' });
    assert.deepEqual(await queue.stateOf(given), { kind: 'running', attempt: 2 });
    const end = { exitCode: 0, document: { images: 3 }, said: 'said', summary: 'Added 3 images.' };
    await second.ended(end);
    assert.deepEqual(await queue.stateOf(given), { kind: 'ended', end });

    const other = await queue.send(['embed'], { priority: 0 });
    const taken = await queue.take();
    assert.ok(taken);
    await queue.cancel(other);
    assert.equal(await taken.touch(), false);
    assert.deepEqual(await queue.stateOf(other), { kind: 'cancelled' });
    await queue.close();
  });
});
