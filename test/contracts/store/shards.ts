/** Results of shards that other machines did. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh, type OpenStore, startRun } from './fixtures.ts';

export function shardCases(open: OpenStore): void {
  test('results of shards: the first of two stands, and after the end of the run none is taken', async (t) => {
    const store = await fresh(t, open);
    const runId = await startRun(store);
    const other = await startRun(store);
    const result = { runId, shard: '7', items: 3, data: Uint8Array.of(1, 0, 255), worker: 'a' };
    assert.equal(await store.putShardResult(result), true);
    assert.equal(await store.putShardResult({ ...result, worker: 'b', data: new Uint8Array() }), false);
    assert.equal(await store.putShardResult({ ...result, shard: '8.0', data: new Uint8Array() }), true);
    assert.equal(await store.putShardResult({ ...result, runId: other, worker: 'c' }), true);
    const found = await store.shardResults(runId, ['7', '9']);
    assert.deepEqual(
      found.map(({ data, ...rest }) => [rest, [...data]]),
      [[{ runId, shard: '7', items: 3, worker: 'a' }, [1, 0, 255]]],
    );
    assert.deepEqual(
      await store.shardsDone(runId, ['7', '8.0', '8.1']),
      new Map([
        ['7', 3],
        ['8.0', 3],
      ]),
    );
    await store.dropShardResults(runId, ['7']);
    assert.deepEqual(await store.shardResults(runId, ['7']), []);
    assert.equal((await store.shardResults(other, ['7'])).length, 1);

    await store.putDeadShard({ runId, shard: '8.0', items: 1, reason: 'the process ended' });
    assert.deepEqual(await store.shardsDone(runId, ['8.0']), new Map());
    await store.finishRun(runId, { status: 'done', counts: {} });
    assert.equal(await store.putShardResult({ ...result, shard: '10' }), false, 'of a worker that slept');
    const dead = { runId, shard: '8.0', stage: 'add', items: 1, reason: 'the process ended' };
    assert.deepEqual(await store.deadShards(), [dead]);
    await store.finishRun(other, { status: 'failed', counts: {} });
    assert.deepEqual(await store.deadShards(), [dead], 'a later run that failed did not get over it');
    await store.finishRun(await startRun(store), { status: 'done', counts: {} });
    assert.deepEqual(await store.deadShards(), [], 'a later one did');
  });
}
