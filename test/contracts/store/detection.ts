/** Detection shards: candidates, regions, derived labels, and what people did to regions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Box } from '../../../src/core/boxes.ts';
import { FILE_GONE, type IdRange, type Store } from '../../../src/store/store.ts';
import type { Found, OpenStore } from './fixtures.ts';
import {
  addImages,
  all,
  detections,
  drawn,
  fresh,
  imageId,
  list,
  MODEL,
  path,
  quarantined,
  regionOf,
  said,
  shard,
  sortedIds,
  startRun,
} from './fixtures.ts';

const DOG: Found = { className: 'dog', box: [10, 10, 50, 50], score: 0.5 };
const CAR: Found = { className: 'car', box: [100, 100, 200, 150], score: 0.75 };

async function regionIds(store: Store, id: string): Promise<string[]> {
  return ((await store.regionsOf([id])).get(id) ?? []).filter((r) => !r.deleted).map((r) => r.id);
}

async function imageClasses(store: Store, id: string): Promise<string[]> {
  const images = await list(store.dataset({ task: 'objects' }));
  return (images.find((i) => i.id === id)?.labels ?? []).map((l) => l.className).sort();
}

export function detectionCases(open: OpenStore): void {
  test('work is what has no candidates of the model, or regions by other rules', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 8);
    const ids = sortedIds(8);
    const work = async (...args: Parameters<Store['detectionWork']>) => {
      const items = await all(store.detectionWork(...args));
      assert.equal(await store.countDetectionWork(...args), items.length);
      return items;
    };
    assert.deepEqual(
      (await work(MODEL, 'k1')).map((item) => [item.image.id, item.candidates]),
      ids.map((id) => [id, null]),
    );
    await store.commitDetections(
      shard(
        runId,
        ids.slice(0, 5).map((id) => [id, [DOG]]),
        { acceptKey: 'k1' },
      ),
    );
    assert.deepEqual(
      (await work(MODEL, 'k1')).map((item) => item.image.id),
      ids.slice(5),
    );
    assert.equal((await work('other', 'k1')).length, 8);
    const other = await work(MODEL, 'k2');
    assert.equal(other.length, 8);
    assert.deepEqual(other[0]?.candidates, detections([[DOG.box, 0.5, 1]]));
    assert.equal(other[7]?.candidates, null);
    assert.ok((await work(MODEL, 'k1', { force: true })).every((item) => item.candidates === null));

    // What another run has done stays as it is where that is asked for; a shard that comes once more in its own run does not.
    const theirs = await startRun(store, 'detect');
    const keys = { modelKey: MODEL, acceptKey: 'k1', imageIds: ids };
    assert.deepEqual(await store.detectedByOthers({ ...keys, runId }), new Set());
    assert.deepEqual(await store.detectedByOthers({ ...keys, runId: theirs }), new Set(ids.slice(0, 5)));
    assert.deepEqual(await store.detectedByOthers({ ...keys, runId: theirs, acceptKey: 'k2' }), new Set());
    const late = {
      ...shard(
        theirs,
        [
          [ids[4], []],
          [ids[5], [DOG]],
        ],
        { acceptKey: 'k1' },
      ),
      leaveDone: true,
    };
    assert.deepEqual(await store.commitDetections(late), new Set([ids[4]]));
    assert.equal((await regionIds(store, ids[4])).length, 1);
    assert.equal((await regionIds(store, ids[5])).length, 1);
    assert.deepEqual(await store.commitDetections(late), new Set([ids[4]]));

    // Acceptance alone: candidates stay as they are.
    const again = shard(runId, [[ids[0], []]], { acceptKey: 'k2' });
    await store.commitDetections({ ...again, images: again.images.map((i) => ({ ...i, candidates: null })) });
    assert.equal((await all(store.candidates(MODEL)))[0]?.detections.count, 1);
    assert.deepEqual(await regionIds(store, ids[0]), []);
    assert.deepEqual(await store.candidateModels(), [
      { modelKey: MODEL, images: 6, classNames: ['person', 'dog', 'car'] },
    ]);
    assert.deepEqual(await all(store.candidates('other')), []);
    const [first] = await all(store.candidates(MODEL));
    const some = await store.candidatesOf(MODEL, [first.imageId, 'f'.repeat(64)]);
    assert.deepEqual([...some], [[first.imageId, first.detections]]);
    assert.deepEqual([...(await store.candidatesOf('other', [first.imageId]))], []);
  });

  test('work leaves out what cannot be decoded: gone, or given up on until the file changes', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 3);
    await store.markMissing([path(0).path], true);
    const bad = quarantined('0001.jpg', { stage: 'detect' });
    await store.commitDetections(shard(runId, [], { quarantine: [bad] }));
    const ids = async (force = false) => (await all(store.detectionWork(MODEL, 'k', { force }))).map((i) => i.image.id);
    assert.deepEqual(await ids(), [imageId(2)]);
    assert.deepEqual(await ids(true), [imageId(1), imageId(2)].sort());
    assert.deepEqual(await all(store.quarantine()), [bad]);
    await store.putQuarantine([quarantined('0001.jpg', { reason: FILE_GONE })]);
    assert.deepEqual(await ids(), [imageId(1), imageId(2)].sort(), 'a file that was not there is looked for again');
    await store.putQuarantine([bad]);
    assert.deepEqual(await ids(), [imageId(2)]);
    await store.commitIngest({ runId, images: [], paths: [path(1)], quarantine: [] });
    assert.deepEqual(await ids(), [imageId(1), imageId(2)].sort());
  });

  test('candidates come back to the bit, none is not the same as not looked at', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 5);
    const found = detections([
      [[0.1, 1e-7, 639.9999, 3.3e38], 0.05, 79],
      [[-3, -0, 5, 6], 1, 65535],
    ]);
    const ids = sortedIds(5);
    await store.commitDetections({
      ...shard(runId, []),
      images: ids.map((imageId, i) => ({
        imageId,
        candidates: i === 0 ? found : detections([]),
        regions: [],
        imageLabels: [],
      })),
    });
    const stored = await all(store.candidates(MODEL));
    assert.deepEqual(
      stored.map((s) => s.imageId),
      ids,
    );
    assert.deepEqual(stored[0]?.detections, found);
    assert.equal(stored[1]?.detections.count, 0);

    const within = async (range: IdRange) => (await all(store.candidates(MODEL, range))).map(({ imageId: id }) => id);
    const bounds = [...new Set(ids.map((id) => id.slice(0, 2)))];
    assert.ok(bounds.length > 2, 'ids begin with different bytes');
    for (const [i, from] of bounds.entries()) {
      const below = bounds[i + 1];
      assert.deepEqual(
        await within({ from, below }),
        ids.filter((id) => id.startsWith(from)),
      );
      assert.deepEqual(
        await within({ from }),
        ids.filter((id) => id.slice(0, 2) >= from),
      );
    }
    assert.deepEqual(await within({ from: '00' }), ids, 'all');
  });

  test('a new run replaces what detectors left in its task, and what others said stays', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]]));
    await store.ensureTask({ name: 'second task', rule: 'multi', items: 'regions' });
    await store.commitDetections({ ...shard(runId, [[id, [DOG]]], { modelKey: 'second' }), task: 'second task' });
    const imported = drawn(id, [300, 300, 310, 310], { touched: false });
    await store.putRegions([imported]);
    await store.putLabels([said(imported.id, 'bird', { task: 'objects', origin: 'model', confidence: 0.5 })]);
    // A label of another machine on a region that the next run finds again stays with it.
    await store.putLabels([said(regionOf(id, DOG), 'poodle', { task: 'class', origin: 'cluster', confidence: 0.5 })]);
    const moved: Found = { className: 'car', box: [101, 100, 200, 150], score: 0.8 };
    await store.commitDetections(shard(runId, [[id, [{ ...DOG, score: 0.25 }, moved]]]));
    const own = [regionOf(id, DOG), regionOf(id, moved), regionOf(id, DOG, 'second'), imported.id].sort();
    assert.deepEqual(await regionIds(store, id), own);
    const labels = await store.labelsOf([regionOf(id, DOG)]);
    assert.deepEqual(
      labels
        .get(regionOf(id, DOG))
        ?.map((l) => [l.className, l.confidence])
        .sort(),
      [
        ['dog', 0.25],
        ['poodle', 0.5],
      ],
    );
    await store.commitDetections(shard(runId, [[id, []]]));
    assert.deepEqual(await regionIds(store, id), [regionOf(id, DOG, 'second'), imported.id].sort());
    // In one task there is one detector at a time, and the one before has its candidates accepted again when it is back.
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]]));
    await store.commitDetections(shard(runId, [[id, [CAR]]], { modelKey: 'third' }));
    const third = [regionOf(id, CAR, 'third'), regionOf(id, DOG, 'second'), imported.id];
    assert.deepEqual(await regionIds(store, id), third.sort());
    assert.equal(await store.countDetectionWork(MODEL, 'threshold .3'), 1);
    const [item] = (await list(store.detectionWork(MODEL, 'threshold .3'))).flat();
    assert.notEqual(item?.candidates, null);
    assert.deepEqual(await store.check(), []);
  });

  test('the same shard twice changes nothing', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    const work = shard(
      runId,
      sortedIds(2).map((id) => [id, [DOG, CAR]]),
    );
    await store.commitDetections(work);
    const before = await list(store.dataset({}));
    const summary = await store.summary();
    await store.commitDetections(work);
    assert.deepEqual(await list(store.dataset({})), before);
    assert.deepEqual(await store.summary(), summary);
  });

  test('masks and keypoints travel with a region and go when it no longer has them', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    const plain = shard(runId, [[id, [DOG]]]);
    const mask = { size: [480, 640], counts: [10, 5, 307185] } as const;
    const keypoints = [
      [1.5, 2, 2],
      [0, 0, 0],
    ] as const;
    const images = plain.images.map((i) => ({ ...i, regions: i.regions.map((r) => ({ ...r, mask, keypoints })) }));
    await store.commitDetections({ ...plain, images });
    const [region] = (await store.regionsOf([id])).get(id) ?? [];
    assert.deepEqual(region?.mask, mask);
    assert.deepEqual(region?.keypoints, keypoints);
    assert.deepEqual((await list(store.dataset({})))[0]?.regions[0]?.keypoints, keypoints);
    await store.commitDetections(plain);
    assert.deepEqual((await store.regionsOf([id])).get(id)?.[0]?.mask, mask, 'said nothing of the mask: it stays');
    const without = plain.images.map((i) => ({ ...i, regions: i.regions.map((r) => ({ ...r, mask: null })) }));
    await store.commitDetections({ ...plain, images: without });
    assert.equal((await store.regionsOf([id])).get(id)?.[0]?.mask, null);
  });

  test('a deleted region stays deleted: nothing of its class comes back over it', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]]));
    await store.deleteRegionsAsHuman([regionOf(id, DOG)]);
    assert.deepEqual(await imageClasses(store, id), ['car'], 'what derived from it is gone as well');
    assert.deepEqual((await store.classes()).find((c) => c.name === 'dog')?.counts, []);
    const near: Found = { ...DOG, box: [11, 11, 52, 52], score: 0.9 };
    await store.commitDetections(shard(runId, [[id, [DOG, near, CAR]]]));
    assert.deepEqual(await regionIds(store, id), [regionOf(id, CAR)]);
    assert.deepEqual(await imageClasses(store, id), ['car']);
    const far: Found = { ...DOG, box: [300, 300, 350, 350] };
    const otherClass: Found = { ...DOG, className: 'person' };
    await store.commitDetections(shard(runId, [[id, [far, otherClass]]]));
    assert.deepEqual(await regionIds(store, id), [regionOf(id, far), regionOf(id, otherClass)].sort());
    assert.deepEqual(await imageClasses(store, id), ['dog', 'person']);
    assert.equal((await store.regionsOf([id])).get(id)?.filter((r) => r.deleted).length, 1);
    await assert.rejects(store.deleteRegionsAsHuman([regionOf(id, { ...DOG, box: [0, 0, 1, 1] })]), {
      code: 'NOT_FOUND',
    });
  });

  test('a region that a person touched is frozen; later runs add nothing over it', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]]));
    const [found] = ((await store.regionsOf([id])).get(id) ?? []).filter((r) => r.id === regionOf(id, DOG));
    assert.ok(found !== undefined);
    const box: Box = [12, 12, 60, 60];
    await store.putRegions([{ ...found, box, touched: true }]);
    for (const modelKey of [MODEL, 'second']) {
      await store.commitDetections(shard(runId, [[id, [DOG, { ...DOG, box: [12, 12, 59, 60] }]]], { modelKey }));
      assert.deepEqual(await regionIds(store, id), [found.id]);
    }
    const kept = (await store.regionsOf([id])).get(id)?.[0];
    assert.deepEqual(kept?.box, box);
    assert.equal(kept?.touched, true);
    assert.deepEqual(await imageClasses(store, id), ['dog'], 'the class still stands on the frozen region');

    // What an import brings under the same id does not replace it either.
    await store.putRegions([{ ...found, box: [0, 0, 1, 1], touched: false, polygons: [[1, 2, 3, 4]] }]);
    assert.deepEqual((await store.regionsOf([id])).get(id)?.[0]?.box, box);
    assert.equal((await store.regionsOf([id])).get(id)?.[0]?.polygons, null);
  });

  test('regions of detectors yield to frozen ones of their class in their task', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    const [id, other] = [imageId(0), imageId(1)];
    const images = [id, other].map((one) => [one, [DOG, CAR]] as const);
    await store.commitDetections(shard(runId, images));
    const query = { task: 'objects', frozenIou: 0.5, imageIds: [id] };
    assert.equal(await store.yieldToFrozen(query), 0, 'nobody touched anything');
    const dog = drawn(id, [12, 12, 52, 50]);
    const car = drawn(id, [100, 100, 130, 150]);
    const cat = drawn(id, CAR.box);
    await store.putRegions([dog, car, cat, drawn(other, DOG.box)]);
    const objects = { task: 'objects' };
    await store.putLabels([said(dog.id, 'dog', objects), said(car.id, 'car', objects), said(cat.id, 'cat', objects)]);
    assert.equal(await store.yieldToFrozen({ ...query, task: 'class' }), 0, 'another task');
    assert.equal(await store.yieldToFrozen({ ...query, frozenIou: 0.9 }), 0, 'not the same place');
    assert.equal(await store.yieldToFrozen(query), 1);
    // The car that was drawn is elsewhere, and what is drawn over the found one is a cat.
    assert.deepEqual(await regionIds(store, id), [dog.id, car.id, cat.id, regionOf(id, CAR)].sort());
    assert.deepEqual(await imageClasses(store, id), ['car', 'dog'], 'the class stands on the drawn region');
    assert.ok((await regionIds(store, other)).includes(regionOf(other, DOG)), 'an image that was not named');
    assert.deepEqual((await store.labelsOf([regionOf(id, DOG)])).get(regionOf(id, DOG)) ?? [], []);
    assert.equal(await store.yieldToFrozen(query), 0);
  });

  test('a person’s word on a machine’s region freezes it, and reaches what derives from it', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG]]]));
    const dog = regionOf(id, DOG);
    await store.putLabels([
      said(dog, 'dog', { task: 'objects', present: false }),
      said(dog, 'wolf', { task: 'objects' }),
    ]);
    assert.deepEqual(await imageClasses(store, id), []);
    await store.commitDetections(shard(runId, [[id, [DOG]]]));
    assert.deepEqual(await imageClasses(store, id), []);
    const [image] = await list(store.dataset({ task: 'objects' }));
    assert.deepEqual(
      image?.regions.map((r) => r.labels.map((l) => [l.className, l.origin])),
      [[['wolf', 'human']]],
    );
    await store.commitDetections(shard(runId, [[id, []]]));
    assert.deepEqual(await regionIds(store, id), [dog]);
  });

  test('a region drawn without a name keeps every class off', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.putRegions([drawn(id, DOG.box)]);
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]]));
    assert.deepEqual(await regionIds(store, id), [regionOf(id, CAR), drawn(id, DOG.box).id].sort());
    await store.putRegions([drawn(id, DOG.box, { deleted: true })]);
    await store.putRegions([drawn(id, DOG.box)]);
    assert.equal((await regionIds(store, id)).length, 2, 'a person may take a tombstone back');
  });

  test('a shard for images that are not there leaves nothing behind', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const before = await store.summary();
    await assert.rejects(
      store.commitDetections(
        shard(runId, [
          [imageId(0), [DOG]],
          [imageId(9), [DOG]],
        ]),
      ),
      {
        code: 'NOT_FOUND',
      },
    );
    await assert.rejects(store.commitDetections(shard(runId, [[imageId(0), [DOG]]], { frozenIou: 0 })), {
      code: 'USAGE',
    });
    await assert.rejects(store.putRegions([drawn(imageId(9), [0, 0, 1, 1])]), { code: 'NOT_FOUND' });
    assert.deepEqual(await store.summary(), before);
  });
}
