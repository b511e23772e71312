/** What is learned from and predicted in parts, by one machine and by many, against the same with every vector in memory. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeShared } from '../../../test/fleet/shared-place.ts';
import { IDS, ITEMS, KINDS, taught } from '../../../test/fleet/taught-pile.ts';
import { withWorkers } from '../../../test/fleet/workers.ts';
import { WORKER_COUNTS } from '../../../test/thorough.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import type { Engine } from '../../jobs/stage.ts';
import { openWorkspace } from '../../jobs/workspace.ts';

type Taught = Awaited<ReturnType<typeof taught>>;

async function onThisMachine(spreadFrom: number, held?: Parameters<typeof taught>[2]): Promise<Taught> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-many-items-'));
  const workspace = await openWorkspace(join(dir, 'workspace'), { create: true, engine: localEngine() });
  try {
    return await taught(workspace, spreadFrom, held);
  } finally {
    await workspace.close();
    await rm(dir, { recursive: true, force: true });
  }
}

test('in parts, with room for all: what it comes to with every vector in memory', async () => {
  const [all, parts] = [await onThisMachine(Number.POSITIVE_INFINITY), await onThisMachine(1)];
  const { labels, learned, count, ...items } = parts.items;
  const { labels: _, learned: __, count: ___, ...whole } = all.items;
  assert.deepEqual(items, whole);
  assert.deepEqual([labels, learned, count], [all.problem.labels.length, all.problem.labels.length, ITEMS]);
  assert.deepEqual(parts.problem, all.problem);
  assert.deepEqual(parts.trials, all.trials);
  assert.deepEqual(parts.rest, all.rest);
  assert.ok(parts.rest.labels > 50 && parts.rest.unsure > 0, JSON.stringify(parts.rest));
  assert.deepEqual(parts.labels, all.labels);
  assert.deepEqual(parts.predicted, all.predicted);
  const { newImages, labels: stated } = parts.stated;
  assert.ok(newImages && stated && all.stated.newImages && all.stated.labels);
  assert.deepEqual([stated.machine, stated.people], [all.stated.labels.machine, all.stated.labels.people]);
  // Sums of files, and not of items one after the other.
  assert.ok(Math.abs(newImages.accuracy - all.stated.newImages.accuracy) < 1e-12);
  assert.ok(Math.abs(stated.accuracy - all.stated.labels.accuracy) < 1e-12);
});

test('with room for few: all that people spoke of and others at random, the lowest lots of all; every item is predicted', async () => {
  const few = await onThisMachine(1, { most: 90 });
  const { ids, annotations, learned = 0 } = few.items;
  const open = ids.filter((_, row) => annotations[row].kind === 'nothing' && !IDS.slice(200, 260).includes(ids[row]));
  assert.equal(open.length, 90 - learned);
  assert.ok(few.predicted.every((row) => row !== undefined));
});

/** Of whose labels some alone are in memory; each four files are summed up by themselves. */
const SOME = { most: 90, mostLabels: 36, itemsAPart: 80 };

test('of too many labels some are drawn, ten of each class or more; the others count as said, and in sums', async () => {
  const some = await onThisMachine(1, SOME);
  assert.equal(some.items.learned, 36);
  assert.equal(some.problem.labels.length, 36);
  for (let kind = 0; kind < KINDS; kind++)
    assert.ok(some.problem.labels.filter((label) => label === kind).length >= 10);
  const all = await onThisMachine(1);
  assert.equal(some.items.labels, all.problem.labels.length);
  assert.equal(some.stated.labels?.people, all.stated.labels?.people);
  for (const [n, given] of some.labels.entries())
    if (n % 4 === 0)
      assert.ok(
        given?.every(([, origin]) => origin === 'human'),
        'no machine labels it',
      );
});

describeShared('teach by many machines', (place) => {
  async function taughtIn(location: string, engine: Engine) {
    const workspace = await openWorkspace(location, { create: true, engine });
    return taught(workspace, 1, SOME).finally(() => workspace.close());
  }

  async function byWorkers(count: number) {
    const location = `${place.url}?schema=teach${count}`;
    await (await openWorkspace(location, { create: true, blobsAt: join(place.dir, `blobs${count}`) })).close();
    const workers = { count, cacheDir: join(place.dir, 'cache') };
    const { outcome, shards } = await withWorkers(location, workers, (engine) => taughtIn(location, engine));
    assert.equal(shards, 1 + 4 + ITEMS / 20 + ITEMS / 20, 'rows, sums, predictions and labels');
    return outcome;
  }

  test(`${WORKER_COUNTS.join(', ')} of them: the bits of one machine with SQLite`, async () => {
    const here = await taughtIn(join(place.dir, 'here'), localEngine());
    for (const count of WORKER_COUNTS) assert.deepEqual(await byWorkers(count), here, `${count} workers`);
  });
});
