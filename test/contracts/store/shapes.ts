/** Keypoints and masks that stages add to a detector's regions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShapeQuery, Store } from '../../../src/store/store.ts';
import type { Found, OpenStore } from './fixtures.ts';
import {
  addImages,
  all,
  drawn,
  fresh,
  imageId,
  MODEL,
  path,
  quarantined,
  regionOf,
  shard,
  sortedIds,
} from './fixtures.ts';

const DOG: Found = { className: 'dog', box: [10, 10, 50, 50] };
const CAR: Found = { className: 'car', box: [100, 100, 200, 150] };
const POSE = 'pose@1';
const KEYPOINTS = [
  [12, 13.5, 2],
  [0, 0, 0],
] as const;
const MASK = { size: [480, 640], counts: [5, 10, 307185] } as const;

const query = (changes: Partial<ShapeQuery> = {}): ShapeQuery => ({
  kind: 'keypoints',
  modelKey: MODEL,
  makerKey: POSE,
  task: 'objects',
  ...changes,
});

async function regionsLeft(store: Store, changes: Partial<ShapeQuery> = {}): Promise<string[]> {
  const items = await all(store.shapeWork(query(changes)));
  assert.equal(await store.countShapeWork(query(changes)), items.length);
  return items.flatMap(({ regions }) => regions.map(({ id }) => id));
}

export function shapeCases(open: OpenStore): void {
  test('shapes: work is each region without one of this maker, in order, by class', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 7);
    const ids = sortedIds(7);
    const images = ids.map((id) => [id, [DOG, CAR]] as const);
    await store.commitDetections(shard(runId, images));
    const items = await all(store.shapeWork(query()));
    assert.deepEqual(
      items.map(({ image }) => image.id),
      ids,
    );
    assert.deepEqual(
      items[0]?.regions.map(({ id }) => id),
      [regionOf(ids[0], DOG), regionOf(ids[0], CAR)].sort(),
    );
    const dogs = ids.map((id) => regionOf(id, DOG));
    assert.deepEqual(await regionsLeft(store, { classNames: ['dog'] }), dogs);
    assert.deepEqual(await regionsLeft(store, { classNames: ['a class that is not there'] }), []);
    assert.deepEqual(await regionsLeft(store, { modelKey: 'another detector' }), []);

    const done = ids.slice(0, 4).map((id) => ({
      kind: 'keypoints' as const,
      imageId: id,
      regionId: regionOf(id, DOG),
      keypoints: KEYPOINTS,
    }));
    await store.commitShapes({ makerKey: POSE, shapes: done, quarantine: [] });
    assert.deepEqual(await regionsLeft(store, { classNames: ['dog'] }), dogs.slice(4));
    assert.deepEqual(await regionsLeft(store, { classNames: ['dog'], makerKey: 'pose@2' }), dogs);
    assert.deepEqual(await regionsLeft(store, { classNames: ['dog'], force: true }), dogs);
    assert.equal((await regionsLeft(store, { kind: 'mask' })).length, 14);
  });

  test('shapes: one kind leaves the other alone, and detecting again leaves both', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    const regionId = regionOf(id, DOG);
    await store.commitDetections(shard(runId, [[id, [DOG]]]));
    const commit = (shape: Parameters<Store['commitShapes']>[0]['shapes'][number], makerKey: string) =>
      store.commitShapes({ makerKey, shapes: [shape], quarantine: [] });
    await commit({ kind: 'keypoints', imageId: id, regionId, keypoints: KEYPOINTS }, POSE);
    await commit({ kind: 'mask', imageId: id, regionId, mask: MASK }, 'mask@1');
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]], { acceptKey: 'threshold .2' }));
    const [kept, added] = [regionId, regionOf(id, CAR)].map(async (wanted) =>
      (await store.regionsOf([id])).get(id)?.find((region) => region.id === wanted),
    );
    assert.deepEqual((await kept)?.keypoints, KEYPOINTS);
    assert.deepEqual((await kept)?.mask, MASK);
    assert.equal((await added)?.mask, null);
    assert.deepEqual(await regionsLeft(store), [regionOf(id, CAR)]);
  });

  test('shapes: what a person touched or brought stays as it is', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]]));
    const dog = regionOf(id, DOG);
    const car = regionOf(id, CAR);
    await store.putRegions([drawn(id, DOG.box, { id: dog, modelKey: MODEL })]);
    await store.putRegions([drawn(id, CAR.box, { id: car, modelKey: MODEL, touched: false, keypoints: KEYPOINTS })]);
    assert.deepEqual(await regionsLeft(store), []);
    assert.deepEqual(await regionsLeft(store, { force: true }), []);
    assert.deepEqual(await regionsLeft(store, { kind: 'mask' }), [car]);
    const shapes = [dog, 'f'.repeat(32)].map((regionId) => ({
      kind: 'mask' as const,
      imageId: id,
      regionId,
      mask: MASK,
    }));
    await store.commitShapes({ makerKey: POSE, shapes, quarantine: [] });
    assert.deepEqual(
      (await store.regionsOf([id])).get(id)?.map(({ mask }) => mask),
      [null, null],
      'neither a touched region nor one that is not there',
    );
  });

  test('shapes: an image in quarantine is left out', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    const ids = sortedIds(2);
    await store.commitDetections(
      shard(
        runId,
        ids.map((id) => [id, [DOG]]),
      ),
    );
    const file = path(ids[0] === imageId(0) ? 0 : 1).path;
    const row = { ...quarantined('x.jpg'), path: file, stage: 'pose' };
    await store.commitShapes({ makerKey: POSE, shapes: [], quarantine: [row] });
    assert.deepEqual(await regionsLeft(store), [regionOf(ids[1], DOG)]);
    assert.deepEqual(
      (await all(store.quarantine())).map(({ stage }) => stage),
      ['pose'],
    );
  });
}
