/** What imports must keep (annotators, details, splits, attributes, skeletons), kinship by pixels, and images that go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '../../../src/core/ids.ts';
import { currentLabels } from '../../../src/core/labels.ts';
import type { RegionDetails } from '../../../src/core/region-details.ts';
import type { OpenStore } from './fixtures.ts';
import {
  addImages,
  all,
  drawn,
  fresh,
  image,
  imageId,
  list,
  path,
  quarantined,
  regionOf,
  said,
  shard,
  sortedIds,
  startRun,
} from './fixtures.ts';

const DETAILS: RegionDetails = {
  difficult: true,
  truncated: false,
  occluded: true,
  pose: 'Left',
  attributes: { colour: 'red', damaged: true, wheels: 4 },
  rotatedBox: { cx: 20.5, cy: 30, width: 10, height: 4, angleDegrees: -30.5 },
  trackId: '7',
};

export function keptCases(open: OpenStore): void {
  test('annotators: what two people say of one item stands side by side, the newer holds', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 2);
    const [id, other] = [imageId(0), imageId(1)];
    const imported = { origin: 'imported' } as const;
    await store.putLabels([
      said(id, 'cat', { annotator: 'ann' }),
      said(id, 'dog', { annotator: ' bob ' }),
      said(other, 'cat', { ...imported, task: 'objects', annotator: 'ann' }),
      said(other, 'cat', { ...imported, task: 'objects', annotator: 'bob' }),
      said(other, 'cat', { ...imported, task: 'objects', annotator: '' }),
    ]);
    const voices = async (item: string) =>
      ((await store.labelsOf([item])).get(item) ?? []).map((label) => [label.className, label.annotator]);
    assert.deepEqual(await voices(id), [
      ['cat', 'ann'],
      ['dog', 'bob'],
    ]);
    assert.deepEqual(await voices(other), [
      ['cat', 'ann'],
      ['cat', 'bob'],
      ['cat', undefined],
    ]);
    const counts = async () =>
      (await store.classes()).map(({ name, counts }) => [name, counts.map(({ task, count }) => `${task} ${count}`)]);
    assert.deepEqual(
      await counts(),
      [
        ['cat', ['objects 1']],
        ['dog', ['class 1']],
      ],
      'three voices are one label of one image',
    );
    await store.putLabels([said(id, 'cat', { annotator: 'ann' })]);
    assert.equal((await voices(id)).length, 2, 'the same voice again replaces what it said');
    const current = currentLabels((await store.labelsOf([id])).get(id) ?? [], 'single');
    assert.deepEqual([current[0]?.className, current[0]?.annotator], ['cat', 'ann']);
    const [told] = (await list(store.dataset({ task: 'class' }))).filter((one) => one.id === id);
    assert.deepEqual(told?.labels, [
      { className: 'cat', confidence: 1, origin: 'human', task: 'class', annotator: 'ann' },
    ]);
  });

  test('details of regions, attributes and splits of images, skeletons of classes come back as they were', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 4);
    const ids = sortedIds(4);
    const region = drawn(ids[0], [0, 0, 30, 40], { details: DETAILS });
    const plain = drawn(ids[1], [0, 0, 30, 40], { touched: false });
    await store.putRegions([region, plain]);
    assert.deepEqual((await store.regionsOf([ids[0]])).get(ids[0]), [region]);
    assert.ok(!('details' in ((await store.regionsOf([ids[1]])).get(ids[1])?.[0] ?? {})));
    await store.putRegions([{ ...region, details: undefined }]);
    assert.ok(!('details' in ((await store.regionsOf([ids[0]])).get(ids[0])?.[0] ?? {})));
    await store.putRegions([region]);

    const attributes = { weather: 'rain', night: false };
    await store.putImageAttributes(new Map([[ids[0], attributes]]));
    await store.putImageAttributes(new Map([[ids[1], { a: 1 }]]));
    await store.putImageAttributes(new Map([[ids[1], {}]]));
    assert.deepEqual(await store.attributesOf(ids), new Map([[ids[0], attributes]]));

    const newer = await startRun(store, 'import');
    await store.putSplits(
      runId,
      new Map([
        [ids[0], 'train'],
        [ids[1], 'train'],
        [ids[2], 'val'],
      ]),
    );
    await store.putSplits(
      newer,
      new Map([
        [ids[1], 'test'],
        [ids[2], null],
      ]),
    );
    const splits = new Map([
      [ids[0], 'train'],
      [ids[1], 'test'],
    ]);
    assert.deepEqual(await store.splitsOf(ids), splits);
    assert.deepEqual(
      [...(await store.splitCounts())],
      [
        ['test', 1],
        ['train', 1],
      ],
    );
    await assert.rejects(store.putSplits('no such run', splits), { code: 'NOT_FOUND' });
    const told = await list(store.dataset({ unlabelled: true }));
    assert.deepEqual(
      told.map((one) => one.split),
      ['train', 'test', null, null],
    );
    assert.deepEqual(told[0]?.regions[0]?.details, DETAILS);
    assert.deepEqual(
      told.map((one) => one.attributes),
      [attributes, undefined, undefined, undefined],
    );
    const undrawn = await list(store.dataset({ unlabelled: true, splits: 'none' }));
    assert.ok(undrawn.every((one) => one.split === null));

    const skeleton = { keypointNames: ['head', 'tail'], edges: [[0, 1]] } as const;
    await store.putClassDetails(new Map([['fish', { skeleton }]]));
    assert.deepEqual((await store.classes()).find(({ name }) => name === 'fish')?.skeleton, skeleton);
    assert.deepEqual(await store.dropUnusedClasses(['fish']), [], 'a class with a skeleton is more than a name');
    await store.putClassDetails(new Map([['fish', {}]]));
    assert.deepEqual((await store.classes())[0]?.skeleton, skeleton, 'what is left out stays');
    await store.putClassDetails(new Map([['fish', { skeleton: null }]]));
    assert.ok(!('skeleton' in ((await store.classes())[0] ?? {})));
  });

  test('images are found by their pixels, also those that were hashed later', async (t) => {
    const store = await fresh(t, open);
    const runId = await startRun(store);
    const pixels = sha256Hex('pixels');
    await store.commitIngest({
      runId,
      images: [image(0, { pixelHash: pixels }), image(1), image(2, { pixelHash: null })],
      paths: [path(0), path(1), path(2)],
      quarantine: [],
    });
    assert.equal((await store.image(imageId(0)))?.pixelHash, pixels);
    assert.equal((await store.image(imageId(1)))?.pixelHash, undefined);
    await store.putPixelHashes(new Map([[imageId(2), pixels]]));
    assert.deepEqual(
      await store.imagesByPixelHash([pixels, sha256Hex('others'), pixels]),
      new Map([[pixels, [imageId(0), imageId(2)].sort()]]),
    );
    assert.deepEqual(await store.imagesByPixelHash([]), new Map());
  });

  test('images without a path that is there count nowhere, and are kept', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 4);
    const dog = { className: 'dog', box: [0, 0, 9, 9] } as const;
    await store.commitDetections(
      shard(
        runId,
        sortedIds(4).map((id) => [id, [dog]]),
      ),
    );
    const left = async () => ({
      images: (await all(store.images())).map(({ id }) => id),
      dataset: (await list(store.dataset({}))).map(({ id }) => id),
      counted: await store.countImages(),
      dogs: (await store.classes()).find(({ name }) => name === 'dog')?.counts.map(({ count }) => count),
      gone: (await store.goneImages()).size,
    });
    const others = (...gone: number[]) => {
      const ids = [0, 1, 2, 3]
        .filter((n) => !gone.includes(n))
        .map(imageId)
        .sort();
      const n = ids.length;
      return { images: ids, dataset: ids, counted: n, dogs: [n, n], gone: gone.length };
    };
    assert.deepEqual(await left(), others());
    await store.markMissing([path(0).path], true);
    assert.deepEqual(await left(), others(0));
    const summary = await store.summary();
    assert.deepEqual([summary.images, summary.goneImages, summary.regions, summary.groups], [3, 1, 3, 3]);
    assert.deepEqual(summary.labels, { detector: 6 });
    const overview = await store.overview();
    assert.partialDeepStrictEqual(summary, overview);
    assert.deepEqual(Object.keys(overview).sort(), ['flags', 'images', 'labels', 'quarantined', 'regions']);
    assert.equal((await all(store.images({ gone: true }))).length, 4);
    assert.equal((await list(store.dataset({ gone: true }))).length, 4);
    // Other bytes at its only path, and a second path of which the first one is dropped.
    await store.commitIngest({ runId, images: [], paths: [path(2, { path: path(1).path })], quarantine: [] });
    assert.deepEqual(await left(), others(0, 1));
    await store.movePaths([{ from: path(2).path, to: path(3, { path: '/photos/z.jpg' }) }]);
    assert.deepEqual(await left(), others(0, 1), 'two paths of which one went');
    await store.commitIngest({ runId, images: [], paths: [], quarantine: [quarantined('0001.jpg')] });
    assert.deepEqual(await left(), others(0, 1, 2), 'a file that is broken now');
    await store.markMissing([path(0).path], false);
    await store.commitIngest({ runId, images: [], paths: [path(1), path(2)], quarantine: [] });
    assert.deepEqual(await left(), others());
    assert.deepEqual(await store.check(), []);
  });

  test('what was said of an image that is gone passes to its heir, once it is gone', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 4);
    const [old, other] = [imageId(0), imageId(1)];
    const box = [0, 0, 9, 9] as const;
    await store.commitDetections(shard(runId, [[old, [{ className: 'dog', box }]]]));
    const mine = drawn(old, [20, 20, 30, 30], { details: DETAILS });
    await store.putRegions([mine]);
    await store.putLabels([said(old, 'cat'), said(mine.id, 'cat', { task: 'objects' })]);
    await store.putSplits(runId, new Map([[old, 'val']]));
    await store.putImageAttributes(new Map([[old, { a: 1 }]]));
    await store.putGroups(new Map([old, other].map((id) => [id, [old, other].sort()[0] ?? id])));
    await store.putSimilarPairs([
      { a: [old, other].sort()[0] ?? '', b: [old, other].sort()[1] ?? '', kind: 'burst', distance: 1 },
    ]);
    const audited = { className: 'cat', origin: 'detector', confidence: 1, stratum: 0 } as const;
    const items = [{ ...audited, imageId: old, itemId: old }];
    const audit = await store.startAudit({ task: 'objects', atMs: 1, seed: 0, design: '{}', items });
    const exportId = await store.beginExport({ series: 'coco', format: 'coco', task: null, atMs: 1 });
    await store.putExportStates({ exportId, after: null, upTo: null }, new Map([[old, '{"shown":1}']]));
    await store.finishExport(exportId, 'digest');
    const facts = async (id: string) => ({
      labels: [...(await store.labelsOf([id, mine.id])).values()].flat().map(({ className }) => className),
      regions: ((await store.regionsOf([id])).get(id) ?? []).map(({ id: region, touched, details }) => [
        region,
        touched,
        details,
      ]),
      split: (await store.splitsOf([id])).get(id)?.split,
      attributes: (await store.attributesOf([id])).get(id),
    });
    const before = await facts(old);
    assert.equal(before.regions.length, 2);
    const heir = image(10);
    const place = (n: number, changes = {}) => path(n, { imageId: heir.id, ...changes });

    // Its own path is still there: it keeps everything.
    const elsewhere = { runId, images: [heir], paths: [place(10)], quarantine: [], heirs: new Map([[old, heir.id]]) };
    await store.commitIngest(elsewhere);
    assert.deepEqual(await facts(old), before);
    // What is said of the heir itself stays, beside what it inherits.
    await store.putLabels([said(heir.id, 'lion')]);
    await store.commitIngest({ ...elsewhere, paths: [place(10), place(0, { path: path(0).path })] });
    assert.equal(await store.image(old), undefined);
    const after = await facts(heir.id);
    assert.deepEqual(after.regions, before.regions);
    assert.deepEqual([after.split, after.attributes], [before.split, before.attributes]);
    assert.deepEqual(
      (await store.labelsOf([heir.id]))
        .get(heir.id)
        ?.map(({ className }) => className)
        .toSorted(),
      ['cat', 'dog', 'lion'],
    );
    assert.deepEqual(
      (await store.labelsOf([mine.id])).get(mine.id)?.map(({ className }) => className),
      ['cat'],
    );
    assert.deepEqual(
      (await store.auditItems(audit)).map((item) => item.imageId),
      [heir.id],
    );
    assert.deepEqual([...(await store.exportStates(exportId, [old, heir.id]))], [[heir.id, '{"shown":1}']]);
    assert.deepEqual(await all(store.similarPairs()), []);
    assert.equal((await store.goneImages()).size, 0);
    assert.deepEqual(await store.check(), []);
    // Done twice it does no harm, and the bytes of before come in as new.
    await store.commitIngest(elsewhere);
    await store.commitIngest({ runId, images: [image(0)], paths: [path(0)], quarantine: [] });
    assert.equal((await store.labelsOf([old])).size, 0);
    assert.deepEqual(await store.check(), []);
  });

  test('forgotten images leave nothing behind, and their group has another name', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 5);
    const ids = sortedIds(5);
    const [first, second, third] = ids;
    await store.commitDetections(
      shard(
        runId,
        ids.map((id) => [id, [{ className: 'dog', box: [0, 0, 9, 9] }]]),
      ),
    );
    const mine = drawn(first, [20, 20, 30, 30], { details: DETAILS });
    await store.putRegions([mine]);
    await store.putLabels([said(first, 'cat'), said(mine.id, 'cat', { task: 'objects' }), said(second, 'cat')]);
    await store.putGroups(new Map([first, second, third].map((id) => [id, first])));
    await store.putSimilarPairs([
      { a: first, b: second, kind: 'burst', distance: 1 },
      { a: second, b: third, kind: 'burst', distance: 1 },
    ]);
    await store.putSplits(runId, new Map(ids.map((id) => [id, 'train'])));
    await store.putImageAttributes(new Map([[first, { a: 1 }]]));
    const audited = { className: 'dog', origin: 'detector', confidence: 1, stratum: 0 } as const;
    const audit = await store.startAudit({
      task: 'objects',
      atMs: 1,
      seed: 0,
      design: '{}',
      items: [first, second].map((imageId) => ({ ...audited, imageId, itemId: imageId })),
    });
    const [file] = (await store.pathsOfImages([first])).get(first) ?? [];
    await store.putQuarantine([{ ...quarantined('x'), path: file?.path ?? '' }]);
    assert.deepEqual(await store.forgetImages([first, imageId(99)]), { images: 1, paths: 1, regions: 2, labels: 4 });
    assert.deepEqual(await store.check(), []);
    assert.equal(await store.image(first), undefined);
    assert.deepEqual(await all(store.quarantine()), []);
    assert.equal((await store.regionsOf([first])).size, 0);
    assert.equal((await store.labelsOf([first, regionOf(first, { className: 'dog', box: [0, 0, 9, 9] })])).size, 0);
    assert.deepEqual(
      (await all(store.similarPairs())).map(({ a, b }) => [a, b]),
      [[second, third]],
    );
    assert.deepEqual(
      (await all(store.images())).map(({ id, groupId }) => [id, groupId]),
      ids.slice(1).map((id) => [id, id === third ? second : id]),
    );
    assert.deepEqual(
      (await store.auditItems(audit)).map(({ imageId }) => imageId),
      [second],
    );
    assert.equal((await store.splitsOf(ids)).size, 4);
    await assert.rejects(store.putRegions([drawn(first, [0, 0, 1, 1])]), { code: 'NOT_FOUND' });
    // The same bytes can come in again, as new.
    const again = image(0, { id: first, groupId: first });
    await store.commitIngest({ runId, images: [again], paths: [path(0, { imageId: first })], quarantine: [] });
    assert.equal((await store.labelsOf([first])).size, 0);
  });
}
