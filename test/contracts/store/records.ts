/** Runs, images, paths, groups, quarantine, settings, vectors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regionIdOf } from '../../../src/core/ids.ts';
import { changeOrders, readOrders } from '../../../src/jobs/fleet/orders.ts';
import type { OpenStore } from './fixtures.ts';
import {
  addImages,
  all,
  fresh,
  image,
  imageId,
  path,
  quarantined,
  ROOT,
  scratch,
  sortedIds,
  startRun,
} from './fixtures.ts';

export function recordCases(open: OpenStore): void {
  test('runs: newest first, by stage, with what was recorded', async (t) => {
    const store = await fresh(t, open);
    const first = await startRun(store, 'add');
    const second = await startRun(store, 'detect');
    assert.ok(first < second, 'ids are in order of time');
    await store.noteRun(first, { far: 1 });
    assert.deepEqual((await store.runs())[1]?.metrics, { far: 1 });
    await store.finishRun(first, { status: 'done', counts: { images: 3 }, metrics: { rate: 1.5 } });
    const runs = await store.runs();
    assert.deepEqual(
      runs.map((run) => [run.id, run.status]),
      [
        [second, 'running'],
        [first, 'done'],
      ],
    );
    assert.deepEqual(runs[1]?.counts, { images: 3 });
    assert.deepEqual(runs[1]?.metrics, { far: 1, rate: 1.5 });
    await store.noteRun(first, { late: 1 });
    assert.deepEqual((await store.runs())[1]?.metrics, { far: 1, rate: 1.5 }, 'a run that has ended is not noted');
    assert.deepEqual(runs[1]?.settings, { threshold: 0.3 });
    assert.deepEqual(runs[1]?.versions, { labelsmith: '0.1.0' });
    assert.ok((runs[1]?.endedAtMs ?? 0) >= (runs[1]?.startedAtMs ?? 1));
    assert.equal((await store.runs({ stage: 'add' }))[0]?.id, first);
    assert.equal((await store.runs({ limit: 1 })).length, 1);
    await assert.rejects(store.finishRun('no such run', { status: 'done', counts: {} }), { code: 'NOT_FOUND' });
  });

  test('several calls as one: all of them or none, and nobody else sees half of it', async (t) => {
    const store = await fresh(t, open);
    const runId = await startRun(store);
    const ingest = (n: number) => ({ runId, images: [image(n)], paths: [path(n)], quarantine: [] });
    await store.atomically(async (within) => {
      await within.commitIngest(ingest(0));
      await within.ensureClasses(['cat']);
      await Promise.all([within.commitIngest(ingest(1)), within.ensureClasses(['dog']), within.putSetting('a', '1')]);
      assert.equal((await all(within.images())).length, 2, 'it sees its own writes');
      assert.deepEqual([await store.countImages(), await store.classes()], [0, []], 'others do not');
      assert.equal(await within.atomically(async (nested) => nested.getSetting('a')), '1');
    });
    assert.equal(await store.countImages(), 2);
    assert.deepEqual((await store.classes()).map(({ name }) => name).sort(), ['cat', 'dog']);

    const fails = store.atomically(async (within) => {
      await within.commitIngest(ingest(2));
      throw new RangeError('half-way');
    });
    await assert.rejects(fails, RangeError);
    const swallowed = store.atomically(async (within) => {
      await within.commitIngest(ingest(3));
      await within.finishRun('no such run', { status: 'done', counts: {} }).catch(() => {});
    });
    await assert.rejects(swallowed, { code: 'NOT_FOUND' }, 'a part that failed takes the whole back');
    assert.equal(await store.countImages(), 2);
    await store.ensureClasses(['bird']);
    assert.equal((await store.classes()).length, 3, 'the store goes on');
  });

  test('images come back as they went in, in order of id, in pages', async (t) => {
    const store = await fresh(t, open);
    const runId = await startRun(store);
    const rare = image(0, {
      format: 'png',
      orientation: 6,
      frames: 4,
      flags: ['dark', 'odd-shape'],
      capturedAtMs: 1_600_000_000_123,
      camera: 'Müller 3000 "x"',
      perceptualHash: 'ffffffffffffffff',
    });
    const images = [rare, ...[1, 2, 3, 4, 5, 6, 7].map((n) => image(n))];
    await store.commitIngest({ runId, images, paths: images.map((_, n) => path(n)), quarantine: [] });
    assert.deepEqual(await store.image(rare.id), rare);
    assert.equal(await store.image(imageId(99)), undefined);
    const pages = [];
    for await (const page of store.images()) pages.push(page);
    assert.deepEqual(
      pages.map((page) => page.length),
      [3, 3, 2],
    );
    assert.deepEqual(
      pages.flat(),
      images.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    assert.deepEqual(await all(store.images({ flag: 'odd-shape' })), [rare]);
    assert.deepEqual(await all(store.images({ flag: 'blurred' })), []);
    assert.equal(await store.countImages({ flag: 'dark' }), 1);
    assert.equal((await all(store.images({ limit: 4 }))).length, 4);
    assert.equal((await all(store.images({ limit: 0 }))).length, 0);
    assert.equal(await store.countImages({ limit: 4 }), 4);
    await assert.rejects(store.image('nonsense'), { code: 'NOT_FOUND' });
  });

  test('the same bytes under many names are one image; an image that is there stays as it is', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    const names = ['z', 'a', 'm'].map((name) => path(0, { path: `${ROOT}/${name}.jpg` }));
    await store.commitIngest({ runId, images: [image(0, { width: 1 })], paths: names, quarantine: [] });
    assert.equal(await store.countImages(), 2);
    assert.equal((await store.image(imageId(0)))?.width, 640);
    await store.markMissing([`${ROOT}/0000.jpg`, `${ROOT}/a.jpg`], true);
    const paths = (await store.pathsOfImages([imageId(0), imageId(0), imageId(77)])).get(imageId(0));
    assert.deepEqual(
      paths?.map((p) => [p.path, p.missing]),
      [
        [`${ROOT}/m.jpg`, false],
        [`${ROOT}/z.jpg`, false],
        [`${ROOT}/0000.jpg`, true],
        [`${ROOT}/a.jpg`, true],
      ],
    );
    const summary = await store.summary();
    assert.equal(summary.paths, 5);
    assert.equal(summary.duplicatePaths, 3);
    assert.equal(summary.missingPaths, 2);
  });

  test('paths: looked up, taken over by other bytes, marked missing, moved', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 3);
    const bytes = new Uint8Array([47, 255, 254]);
    await store.commitIngest({
      runId,
      images: [image(3)],
      paths: [path(3, { path: path(0).path, pathBytes: bytes, modifiedAtMs: 9.125 })],
      quarantine: [],
    });
    const known = await store.lookupPaths([path(0).path, path(1).path, '/not/there']);
    assert.deepEqual([...known.keys()].sort(), [path(0).path, path(1).path]);
    assert.deepEqual(known.get(path(0).path), {
      path: path(0).path,
      byteSize: 1003,
      modifiedAtMs: 9.125,
      imageId: imageId(3),
      missing: false,
    });
    const [taken] = (await store.pathsOfImages([imageId(3)])).get(imageId(3)) ?? [];
    assert.deepEqual([...(taken?.pathBytes ?? [])], [...bytes]);
    assert.equal((await store.pathsOfImages([imageId(0)])).size, 0, 'the image stays, without a path');
    assert.equal(await store.countImages(), 3);

    // Two files that swapped names, and one that moved to a new one.
    await store.movePaths([
      { from: path(1).path, to: path(1, { path: path(2).path }) },
      { from: path(2).path, to: path(2, { path: path(1).path }) },
      { from: path(0).path, to: path(3, { path: `${ROOT}/new/name.jpg` }) },
    ]);
    assert.deepEqual(
      (await all(store.pathsOf(ROOT))).map((p) => [p.path, p.imageId]),
      [
        [path(1).path, imageId(2)],
        [path(2).path, imageId(1)],
        [`${ROOT}/new/name.jpg`, imageId(3)],
      ],
    );
    await store.markMissing([path(1).path], true);
    assert.equal((await store.lookupPaths([path(1).path])).get(path(1).path)?.missing, true);
    await store.markMissing([path(1).path], false);
    assert.equal((await store.lookupPaths([path(1).path])).get(path(1).path)?.missing, false);
    assert.deepEqual(await all(store.pathsOf('/no/such/root')), []);
    assert.deepEqual(await store.sourceRoots(), [ROOT]);
  });

  test('look-ups by list work at every length', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1200);
    for (const n of [0, 1, 2, 8, 9, 64, 65, 512, 513, 1200]) {
      const numbers = Array.from({ length: n }, (_, i) => i);
      assert.equal((await store.lookupPaths(numbers.map((i) => path(i).path))).size, n);
      assert.equal((await store.pathsOfImages(numbers.map(imageId))).size, n);
    }
  });

  test('quarantine: in order of path, known to look-ups, lifted when the path is good', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const rows = ['e', 'c', 'd', 'b', 'a'].map((name) => quarantined(name));
    await store.commitIngest({ runId, images: [], paths: [], quarantine: rows });
    assert.deepEqual(
      await all(store.quarantine()),
      rows.toReversed().toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    );
    assert.equal((await store.lookupPaths([`${ROOT}/a`])).get(`${ROOT}/a`)?.imageId, null);
    await store.putQuarantine([quarantined('a', { reason: 'empty' })]);
    assert.deepEqual((await store.summary()).quarantined, { empty: 1, truncated: 4 });
    await store.commitIngest({ runId, images: [], paths: [path(0, { path: `${ROOT}/a` })], quarantine: [] });
    assert.equal((await all(store.quarantine())).length, 4);
    assert.equal((await store.lookupPaths([`${ROOT}/a`])).get(`${ROOT}/a`)?.imageId, imageId(0));

    // A good file that went bad: its image and labels stay, its old path is no longer there.
    await store.commitIngest({ runId, images: [], paths: [], quarantine: [quarantined('0000.jpg')] });
    assert.equal((await store.lookupPaths([path(0).path])).get(path(0).path)?.imageId, null);
    assert.equal((await store.pathsOfImages([imageId(0)])).get(imageId(0))?.at(-1)?.missing, true);
  });

  test('groups and similar pairs', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 6);
    const ids = sortedIds(6);
    const pair = (a: number, b: number, distance: number) =>
      ({ a: ids[a], b: ids[b], kind: 'near-duplicate', distance }) as const;
    await store.putSimilarPairs([pair(2, 3, 4), pair(0, 1, 1), pair(0, 5, 2), pair(0, 4, 3)]);
    await store.putSimilarPairs([pair(0, 1, 9)]);
    assert.deepEqual(await all(store.similarPairs()), [pair(0, 1, 1), pair(0, 4, 3), pair(0, 5, 2), pair(2, 3, 4)]);
    await store.putGroups(new Map(ids.slice(0, 3).map((id) => [id, ids[0]])));
    assert.deepEqual(
      (await all(store.images({ groupId: ids[0] }))).map((i) => i.id),
      ids.slice(0, 3),
    );
    assert.equal((await store.summary()).groups, 4);
    assert.equal((await store.summary()).similarPairs, 4);
    const paths = await store.pathsOfImages(ids);
    const facts = await all(store.groupFacts());
    assert.deepEqual(
      facts,
      (await all(store.images())).map(({ id, perceptualHash, width, height, capturedAtMs, camera, groupId }) => {
        const [path = ''] = (paths.get(id) ?? []).map((known) => known.path).sort();
        return { id, perceptualHash, width, height, capturedAtMs, camera, groupId, path };
      }),
    );
    assert.equal(facts[1]?.groupId, ids[0]);
  });

  test('settings and vector shards', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    assert.equal(await store.getSetting('k'), undefined);
    await store.putSetting('k', 'one');
    await store.putSetting('k', 'two');
    assert.equal(await store.getSetting('k'), 'two');
    assert.equal(await store.swapSetting('k', undefined, 'three'), false);
    assert.equal(await store.swapSetting('k', 'one', 'three'), false);
    assert.equal(await store.swapSetting('k', 'one', undefined), false);
    assert.equal(await store.getSetting('k'), 'two');
    assert.equal(await store.swapSetting('k', 'two', 'three'), true);
    assert.equal(await store.getSetting('k'), 'three');
    assert.equal(await store.swapSetting('k', 'three', undefined), true);
    assert.equal(await store.getSetting('k'), undefined);
    const swaps = ['a', 'b', 'c'].map((value) => store.swapSetting('k', undefined, value));
    assert.deepEqual(await Promise.all(swaps), [true, false, false], 'one of many gets it');
    const ordered = Array.from({ length: 8 }, (_, n) =>
      changeOrders(store, (now) => ({
        ...now,
        drains: now.drains + 1,
        limits: { ...now.limits, [`model${n}`]: n + 1 },
      })),
    );
    await Promise.all(ordered);
    const { drains, limits } = await readOrders(store);
    assert.deepEqual([drains, Object.keys(limits).length], [8, 8], 'of orders given in one moment none is lost');
    const [first, last] = sortedIds(2) as [string, string];
    const vectors = (name: string, firstId: string) =>
      ({
        space: 'model+cover224',
        items: 'images',
        shard: name,
        file: `vectors/${name}.arrow`,
        sha256: imageId(5),
        count: 2,
        firstId,
        lastId: last,
        runId,
      }) as const;
    const regions = {
      ...vectors('r', first),
      items: 'regions' as const,
      firstId: regionIdOf(first, 'm', 'c', [0, 0, 1, 1]),
      lastId: regionIdOf(first, 'm', 'c', [0, 0, 1, 2]),
    };
    for (const v of [vectors('b', last), vectors('a', first), regions]) await store.putVectorShard(v);
    assert.deepEqual(await store.vectorShards('model+cover224', 'images'), [vectors('a', first), vectors('b', last)]);
    assert.deepEqual(await store.vectorShards('other', 'images'), []);
    await store.replaceVectorShards([vectors('a', first)], [vectors('b', first), vectors('c', last)]);
    assert.deepEqual(await store.clearVectorShards('model+cover224', 'images'), [
      vectors('b', first),
      vectors('c', last),
    ]);
    assert.deepEqual(await store.vectorShards('model+cover224', 'images'), []);
    assert.deepEqual(await store.vectorShards('model+cover224', 'regions'), [regions]);
  });

  test('a shard that names what is not there leaves nothing behind', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const before = await store.summary();
    await assert.rejects(
      store.commitIngest({ runId, images: [image(1)], paths: [path(1), path(2)], quarantine: [quarantined('q')] }),
      { code: 'NOT_FOUND' },
    );
    await assert.rejects(store.commitIngest({ runId: 'none', images: [image(1)], paths: [], quarantine: [] }), {
      code: 'NOT_FOUND',
    });
    assert.deepEqual(await store.summary(), before);
    assert.equal((await store.lookupPaths([path(1).path])).size, 0);
    assert.deepEqual(await store.check(), []);
  });

  test('what was committed is there after the store was closed and opened again; closed, it refuses', async (t) => {
    const dir = scratch(t);
    const store = await open(dir);
    await addImages(store, 5);
    const before = await store.summary();
    await store.close();
    await store.close();
    await assert.rejects(store.image(imageId(0)), { code: 'WORKSPACE' });
    await assert.rejects(store.putSetting('k', 'v'), { code: 'WORKSPACE' });
    const again = await open(dir);
    assert.deepEqual(await again.summary(), before);
    await again.close();
  });
}
