import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inTemporaryFolder } from '../../../test/contracts/source.ts';
import { memoryEntry } from '../../../test/fixtures/memory-entry.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { SourceItem } from '../../sources/source.ts';
import { shardName } from '../embed/embed-stage.ts';
import { arrivals } from './arrivals.ts';
import { driftLines, driftOf } from './drift.ts';
import { joinSmallFiles } from './small-files.ts';

test('what comes while a batch is worked on is the next batch; an empty one tells of a pause; an error ends it', async () => {
  const item = (name: string): SourceItem => ({
    kind: 'entry',
    entry: memoryEntry(`/x/${name}`, '/x', Buffer.from('x')),
  });
  async function* feed() {
    yield item('a');
    await sleep(10);
    for (const name of ['b', 'c', 'd', 'e', 'f']) yield item(name);
    await sleep(80);
    yield item('g');
    throw new Error('the end');
  }
  const sizes: number[] = [];
  await assert.rejects(async () => {
    for await (const batch of arrivals(feed(), { max: 3, idleMs: 30 })) {
      sizes.push(batch.length);
      if (sizes.length === 1) await sleep(30);
    }
  }, /the end/);
  const some = sizes.filter((size) => size > 0);
  assert.equal(
    some.reduce((a, b) => a + b),
    7,
  );
  assert.ok(some.every((size) => size <= 3) && some.includes(3), JSON.stringify(sizes));
  assert.ok(sizes.includes(0), JSON.stringify(sizes));
});

test('many small files of vectors become one with the same vectors; few stay', () =>
  inTemporaryFolder(async (folder) => {
    const workspace = await openWorkspace(join(folder, '.labelsmith'), { create: true });
    const { store, vectors } = workspace;
    const of = { stage: 'watch', settings: {}, modelKey: null, seed: 0, threads: 1, versions: {} };
    const runId = await store.startRun(of);
    const expected = new Map<string, number[]>();
    const put = async (from: number, count: number) => {
      const ids = Array.from({ length: count }, (_, i) => ((from + i) * 7919).toString(16).padStart(64, '0')).sort();
      const matrix = newSharedMatrix(count, 3);
      const votes = newSharedMatrix(count, 2);
      for (const [row, id] of ids.entries()) {
        matrix.data.set([row, from, 1], row * 3);
        votes.data.set([from + row, 1 / 3], row * 2);
        expected.set(id, [row, from, 1]);
      }
      const shard = { space: 's', items: 'images' as const, shard: shardName(ids), runId, ids, vectors: matrix, votes };
      await store.putVectorShard(await vectors.write(shard));
    };
    await put(1000, 200);
    for (let i = 0; i < 50; i++) await put(10 * i, 10);
    const space = { space: 's', precision: 'float16' } as const;
    assert.equal(await joinSmallFiles(workspace, space, runId), 0);
    await put(500, 20);
    assert.equal(await joinSmallFiles(workspace, space, runId), 51);
    const shards = await store.vectorShards('s', 'images');
    assert.deepEqual(shards.map(({ count }) => count).sort(), [200, 520]);
    const found = await vectors.lookup(shards, expected.keys());
    assert.equal(found.size, 720);
    for (const [id, vector] of found) assert.deepEqual([...vector], expected.get(id));
    assert.equal((await vectors.lookupVotes(shards, expected.keys())).size, 720);
    assert.equal(await vectors.prune(shards), 0, 'no file is left over');
    await workspace.close();
  }));

test('drift: shares of labels before and now, the largest change first; images without a class beside them', () => {
  const before = new Map([
    ['cat', 50],
    ['dog', 50],
  ]);
  const now = new Map([
    ['cat', 9],
    ['bird', 1],
    ['', 30],
  ]);
  const drift = driftOf(before, now, 7 * 86_400_000)!;
  assert.deepEqual(drift.classes, [
    { className: 'dog', before: 0.5, now: 0 },
    { className: 'cat', before: 0.5, now: 0.9 },
    { className: 'bird', before: 0, now: 0.1 },
  ]);
  assert.deepEqual(
    [drift.images, drift.unfit],
    [
      { before: 100, now: 40 },
      { before: 0, now: 0.75 },
    ],
  );
  assert.deepEqual(driftLines(drift), [
    'Drift: 40 images of the last 7 days, against 100 before:',
    '  without a class: 0 % before, 75 % now',
    '  dog: 50 % before, 0 % now of those with a class',
    '  cat: 50 % before, 90 % now of those with a class',
    '  bird: 0 % before, 10 % now of those with a class',
  ]);
  assert.deepEqual(driftLines(driftOf(before, before, 86_400_000)!), [
    'Drift: 100 images of the last day, against 100 before: no share changed by more than 5 points.',
  ]);
  assert.equal(driftOf(before, new Map(), 1), undefined);
});
