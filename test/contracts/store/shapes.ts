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
    await commit({ kind: 'mask', imageId: id, regionId, box: DOG.box, mask: MASK }, 'mask@1');
    await store.commitDetections(shard(runId, [[id, [DOG, CAR]]], { acceptKey: 'threshold .2' }));
    const [kept, added] = [regionId, regionOf(id, CAR)].map(async (wanted) =>
      (await store.regionsOf([id])).get(id)?.find((region) => region.id === wanted),
    );
    assert.deepEqual((await kept)?.keypoints, KEYPOINTS);
    assert.deepEqual((await kept)?.mask, MASK);
    assert.equal((await added)?.mask, null);
    assert.deepEqual(await regionsLeft(store), [regionOf(id, CAR)]);
  });

  test('shapes: keypoints are not for what a person touched or brought', async (t) => {
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
    const shapes = [dog, 'f'.repeat(32)].map((regionId) => ({
      kind: 'keypoints' as const,
      imageId: id,
      regionId,
      keypoints: KEYPOINTS,
    }));
    await store.commitShapes({ makerKey: POSE, shapes, quarantine: [] });
    const kept = new Map((await store.regionsOf([id])).get(id)?.map((region) => [region.id, region.keypoints]));
    assert.equal(kept.get(dog), null, 'neither a touched region nor one that is not there');
  });

  const OUTLINE = [[10, 10, 50, 10, 50, 50]];
  const masksOf = async (store: Store, image: string) =>
    new Map((await store.regionsOf([image])).get(image)?.map(({ id, mask, maskMaker }) => [id, { mask, maskMaker }]));
  const mask = (region: { imageId: string; id: string; box: Found['box'] }, makerKey = 'mask@1') => ({
    makerKey,
    shapes: [{ kind: 'mask' as const, imageId: region.imageId, regionId: region.id, box: region.box, mask: MASK }],
    quarantine: [],
  });

  test('shapes: masks are for boxes that people drew or touched and for imported ones, and tell who made them', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG]]]));
    const touched = drawn(id, DOG.box, { id: regionOf(id, DOG), modelKey: MODEL });
    const own = drawn(id, [1, 2, 30, 40]);
    const imported = drawn(id, [5, 6, 70, 80], { touched: false });
    const crowd = drawn(id, [5, 6, 71, 81], { crowd: true });
    const outlined = drawn(id, [9, 9, 60, 60], { polygons: OUTLINE });
    const masked = drawn(id, [9, 9, 61, 61], { mask: MASK });
    await store.putRegions([touched, own, imported, crowd, outlined, masked]);
    const wanted = [touched, own, imported].map((region) => region.id).sort();
    const masks = { kind: 'mask' as const, makerKey: 'mask@1' };
    assert.deepEqual((await regionsLeft(store, masks)).sort(), wanted);
    for (const region of [touched, own, imported, outlined, masked]) await store.commitShapes(mask(region));
    const now = await masksOf(store, id);
    for (const region of wanted) assert.deepEqual(now.get(region), { mask: MASK, maskMaker: 'mask@1' });
    assert.deepEqual(now.get(outlined.id), { mask: null, maskMaker: undefined }, "a person's outline stays alone");
    assert.deepEqual(now.get(masked.id), { mask: MASK, maskMaker: undefined }, "a person's mask stays theirs");
    assert.deepEqual(await regionsLeft(store, masks), []);
    assert.deepEqual((await regionsLeft(store, { ...masks, force: true })).sort(), wanted);
    assert.deepEqual((await regionsLeft(store, { ...masks, makerKey: 'mask@2' })).sort(), wanted);
    const exported = new Map<string, string | undefined>();
    for await (const image of store.dataset({ unlabelled: true }))
      for (const region of image.regions) exported.set(region.id, region.maskMaker);
    assert.deepEqual(
      [own, masked].map((region) => exported.get(region.id)),
      ['mask@1', undefined],
    );
  });

  test('shapes: a mask of a box that a person has moved, outlined or deleted meanwhile is dropped', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1);
    const id = imageId(0);
    const [moved, outlined, deleted] = (
      [
        [1, 2, 30, 40],
        [3, 4, 50, 60],
        [5, 6, 70, 80],
      ] as const
    ).map((box) => drawn(id, box));
    await store.putRegions([moved, outlined, deleted]);
    await store.putRegions([
      { ...moved, box: [2, 2, 31, 40] },
      { ...outlined, polygons: OUTLINE },
    ]);
    await store.deleteRegionsAsHuman([deleted.id]);
    for (const region of [moved, outlined, deleted]) await store.commitShapes(mask(region));
    assert.deepEqual(
      [...(await masksOf(store, id)).values()].map((one) => one.mask),
      [null, null, null],
    );
  });

  test("shapes: a person's change beside a model's mask leaves it the model's, and undo takes the box with its mask", async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1);
    const id = imageId(0);
    const own = drawn(id, [1, 2, 30, 40]);
    await store.putRegions([own]);
    await store.commitShapes(mask(own));
    const [region] = (await store.regionsOf([id])).get(id) ?? [];
    await store.putRegions([{ ...region, keypoints: KEYPOINTS }]);
    assert.deepEqual((await masksOf(store, id)).get(own.id), { mask: MASK, maskMaker: 'mask@1' });
    await store.undo();
    assert.deepEqual((await masksOf(store, id)).get(own.id), { mask: MASK, maskMaker: 'mask@1' });
    await store.undo();
    assert.equal((await masksOf(store, id)).size, 0, 'drawing it is undone though a mask came since');
    await store.redo();
    assert.deepEqual((await masksOf(store, id)).get(own.id), { mask: MASK, maskMaker: 'mask@1' });
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
