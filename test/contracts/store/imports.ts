/** Stagings of imports: nobody sees them until they are done, then all of it is there; and they do what the single writes do. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ImageId } from '../../../src/core/ids.ts';
import { NONE_OF_THESE, type Origin, type Task } from '../../../src/core/labels.ts';
import type { NewLabel, StagedImport, StagedPage, Store, StoredRegion } from '../../../src/store/store.ts';
import fc from '../../properties.ts';
import {
  addImages,
  all,
  drawn,
  fresh,
  imageId,
  type OpenStore,
  regionOf,
  said,
  shard,
  sortedIds,
  startRun,
} from './fixtures.ts';

const FROZEN_IOU = 0.5;

type Written = Partial<Omit<StagedPage, 'imageIds' | 'revisions'>>;

async function stage(store: Store, staged: StagedImport, imageIds: readonly ImageId[], page: Written): Promise<void> {
  const first = staged.labels * 100;
  await store.stage(staged, {
    imageIds,
    revisions: await store.revisionsOf(imageIds),
    entries: imageIds.map((id, n) => ({ imageId: id, number: first + n, data: `entry of ${id}` })),
    tallies: new Map(),
    tasks: [],
    regions: [],
    labels: [],
    removed: [],
    kept: [],
    frozenIou: FROZEN_IOU,
    splits: new Map(),
    attributes: new Map(),
    ...page,
  });
}

/** All that a store shows of its images, but for runs and the numbers of its own. */
async function shown(store: Store) {
  const ids = sortedIds(4);
  const regions = await store.regionsOf(ids);
  const items = [...ids, ...[...regions.values()].flatMap((list) => list.map(({ id }) => id))];
  const labels = await store.labelsOf(items);
  return {
    regions: [...regions].sort().map(([id, list]) => [id, list.map(({ runId: _, ...region }) => region)]),
    labels: [...labels].sort().map(([item, list]) => [item, list.map(({ sequence: _, runId: __, ...label }) => label)]),
    splits: [...(await store.splitsOf(ids))].sort(),
    attributes: [...(await store.attributesOf(ids))].sort(),
    classes: (await store.classes()).map(({ name, counts }) => [name, counts]),
  };
}

export function importCases(open: OpenStore): void {
  test('a staging: nobody sees it, then all of it is there as one operation, which is undone as one', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 4);
    const runId = await startRun(store, 'import');
    const before = await shown(store);
    const staged = await store.beginStaging(runId);
    const box = drawn(imageId(0), [1, 2, 30, 40], { runId, polygons: [[1, 2, 30, 2, 30, 40]] });
    const tasks: readonly Task[] = [{ name: 'weather', rule: 'single', items: 'images' }];
    await stage(store, staged, [imageId(0)], {
      tasks,
      regions: [box],
      labels: [
        said(box.id, 'cat', { task: 'objects', runId }),
        said(imageId(0), 'sunny', { task: 'weather', runId, annotator: 'Ann' }),
      ],
      splits: new Map([[imageId(0), 'train']]),
      attributes: new Map([[imageId(0), { light: 'low' }]]),
    });
    await stage(store, staged, [imageId(1)], { labels: [said(imageId(1), 'cat', { runId })] });
    await stage(store, staged, [imageId(2)], {});
    assert.deepEqual(await shown(store), before);
    assert.deepEqual(await store.staleImages(staged, 10), []);
    const revisions = await store.revisionsOf(sortedIds(4));

    await store.applyStaged(staged, { name: 'import', arguments: { file: 'x' }, actor: 'Bob' });
    await store.dropStaging(staged);
    const after = await shown(store);
    const { runId: _, ...box0 } = box;
    assert.deepEqual(after.regions, [[imageId(0), [box0]]]);
    assert.deepEqual(after.splits, [[imageId(0), 'train']]);
    assert.deepEqual(after.attributes, [[imageId(0), { light: 'low' }]]);
    assert.deepEqual(
      (await store.labelsOf([imageId(0)]))
        .get(imageId(0))
        ?.map((label) => [label.task, label.className, label.annotator]),
      [['weather', 'sunny', 'Ann']],
    );
    assert.ok((await store.tasks()).some(({ name }) => name === 'weather'));
    const changed = await store.revisionsOf(sortedIds(4));
    const isChanged = (n: number) => changed.get(imageId(n)) !== revisions.get(imageId(n));
    assert.deepEqual([0, 1, 2, 3].map(isChanged), [true, true, false, false]);
    const [operation, ...others] = await store.operations();
    assert.deepEqual([operation.name, operation.actor, operation.labels, operation.regions], ['import', 'Bob', 3, 1]);
    assert.deepEqual(others, []);

    await store.putLabels([said(imageId(1), 'dog')]);
    await store.undo(operation.id);
    assert.deepEqual((await shown(store)).regions, []);
    assert.deepEqual(
      (await store.labelsOf([imageId(0), imageId(1)])).get(imageId(1))?.map((one) => one.className),
      ['dog'],
    );
    await store.redo(operation.id);
    assert.deepEqual((await shown(store)).regions, after.regions);
    assert.deepEqual(await store.check(), []);
  });

  test('a staging: what others changed meanwhile is given back, and can be staged again', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 3);
    const runId = await startRun(store, 'import');
    const staged = await store.beginStaging(runId);
    const ids = [imageId(0), imageId(1)];
    const labels = ids.map((id) => said(id, 'cat', { runId }));
    await stage(store, staged, ids, { labels, tallies: new Map([[imageId(1), 'counted']]) });
    await store.putLabels([said(imageId(1), 'dog')]);
    const [stale, ...others] = await store.staleImages(staged, 10);
    assert.deepEqual([stale.imageId, stale.entries, stale.tally], [imageId(1), [`entry of ${imageId(1)}`], 'counted']);
    assert.equal(stale.revision, (await store.revisionsOf([imageId(1)])).get(imageId(1)));
    assert.deepEqual(others, []);
    await stage(store, staged, [imageId(1)], { entries: null, labels: [said(imageId(1), 'bird', { runId })] });
    assert.deepEqual(await store.staleImages(staged, 10), []);
    await store.forgetImages([imageId(0)]);
    const [gone] = await store.staleImages(staged, 10);
    assert.deepEqual([gone.imageId, gone.revision], [imageId(0), null]);
    await store.unstage(staged, [imageId(0)]);
    await store.atomically(async (within) => {
      assert.deepEqual(await within.staleImages(staged, 10), []);
      await within.applyStaged(staged, { name: 'import', arguments: {} });
    });
    const names = (await store.labelsOf([imageId(1)])).get(imageId(1))?.map(({ className }) => className);
    assert.deepEqual(names, ['dog', 'bird'], 'in the order in which it was said');
  });

  test('a staging whose process is gone is taken away by the next, and is not done any more', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 2);
    const runId = await startRun(store, 'import');
    const staged = await store.beginStaging(runId);
    await stage(store, staged, [imageId(0)], { labels: [said(imageId(0), 'cat', { runId })] });
    const beside = await store.beginStaging(await startRun(store, 'import'));
    assert.deepEqual(await store.staleImages(staged, 1), [], 'one that is under way stays');
    await store.finishRun(runId, { status: 'failed', counts: {} });
    await store.beginStaging(await startRun(store, 'import'));
    await assert.rejects(store.applyStaged(staged, { name: 'import', arguments: {} }), { code: 'BUSY' });
    await store.applyStaged(beside, { name: 'import', arguments: {} });
    assert.deepEqual(await store.classes(), []);
    assert.deepEqual(await store.operations(), [], 'nothing was staged there');
  });

  test('property: what is staged becomes what the single writes would have made', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, anyPage, anyPage, async (steps, first, second) => {
        const expected = await inStore(open, async (store) => {
          await prepare(store, steps);
          for (const page of [first, second]) await writeDirectly(store, page);
          return shown(store);
        });
        const found = await inStore(open, async (store) => {
          await prepare(store, steps);
          const staged = await store.beginStaging(await startRun(store, 'import'));
          for (const page of [first, second]) await stage(store, staged, IMAGES, page);
          await store.applyStaged(staged, { name: 'import', arguments: {} });
          await store.dropStaging(staged);
          assert.deepEqual(await store.check(), []);
          return shown(store);
        });
        assert.deepEqual(found, expected);
      }),
      { numRuns: 12 },
    );
  });
}

// ── Random states and pages ──────────────────────────────────────────────────────────────────────────────────────────

const IMAGES = [imageId(0), imageId(1)];
const BOXES = [
  [0, 0, 100, 100],
  [5, 5, 105, 105],
  [300, 300, 400, 400],
] as const;
const FOUND = IMAGES.flatMap((id) => BOXES.map((box) => ({ id, found: { className: 'dog', box } })));
const DRAWN = IMAGES.flatMap((id) => BOXES.map((box) => drawn(id, box)));

type Step =
  | { readonly kind: 'detect'; readonly which: readonly number[] }
  | { readonly kind: 'draw'; readonly region: number; readonly touched: boolean }
  | { readonly kind: 'say'; readonly item: number; readonly className: string; readonly present: boolean }
  | { readonly kind: 'delete'; readonly region: number };

/** Images, boxes that a detector found and that were drawn; some of them are there. */
const REGIONS = [...FOUND.map(({ id, found }) => regionOf(id, found)), ...DRAWN.map(({ id }) => id)];
const ITEMS = [...IMAGES, ...REGIONS];
const anyClass = fc.constantFrom('dog', 'cat');
const anySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('detect' as const), which: fc.subarray(FOUND.map((_, n) => n)) }),
    fc.record({ kind: fc.constant('draw' as const), region: fc.nat(DRAWN.length - 1), touched: fc.boolean() }),
    fc.record({
      kind: fc.constant('say' as const),
      item: fc.nat(ITEMS.length - 1),
      className: anyClass,
      present: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('delete' as const), region: fc.nat(REGIONS.length - 1) }),
  ),
  { maxLength: 6 },
);

interface Page {
  readonly regions: readonly StoredRegion[];
  readonly labels: readonly NewLabel[];
  readonly splits: ReadonlyMap<ImageId, string>;
}

const anyPage: fc.Arbitrary<Page> = fc
  .record({
    regions: fc.subarray(DRAWN.map((_, n) => n)),
    touched: fc.boolean(),
    said: fc.array(
      fc.record({
        item: fc.nat(IMAGES.length + DRAWN.length - 1),
        className: fc.constantFrom('dog', 'cat', 'new', NONE_OF_THESE),
        present: fc.boolean(),
        origin: fc.constantFrom<Origin>('human', 'imported', 'model'),
        annotator: fc.constantFrom(undefined, 'Ann'),
      }),
      { maxLength: 6 },
    ),
    split: fc.option(fc.constantFrom('train', 'val')),
  })
  .map(({ regions, touched, said: all, split }) => {
    const there = regions.map((n) => ({ ...DRAWN[n], touched, polygons: touched ? [[1, 1, 2, 2, 3, 3]] : null }));
    const items = [...IMAGES, ...there.map(({ id }) => id)];
    return {
      regions: there,
      labels: all.map(({ item, className, present, origin, annotator }): NewLabel => {
        const isNone = className === NONE_OF_THESE;
        const itemId = items[item % items.length];
        return {
          ...said(itemId, className, {
            task: 'objects',
            present: isNone || present,
            origin: isNone ? 'human' : origin,
          }),
          ...(annotator === undefined ? {} : { annotator }),
        };
      }),
      splits: new Map(split === null ? [] : [[IMAGES[0], split]]),
    };
  });

async function inStore<T>(open: OpenStore, work: (store: Store) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  const store = await open(dir);
  try {
    return await work(store);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function prepare(store: Store, steps: readonly Step[]): Promise<void> {
  const runId = await addImages(store, 4);
  for (const step of steps) {
    const regions = await store.regionsOf(IMAGES);
    const known = new Set([...IMAGES, ...[...regions.values()].flatMap((list) => list.map(({ id }) => id))]);
    switch (step.kind) {
      case 'detect': {
        const found = step.which.map((n) => FOUND[n]);
        const of = (id: ImageId) => found.filter((one) => one.id === id).map((one) => one.found);
        await store.commitDetections(
          shard(
            runId,
            IMAGES.map((id) => [id, of(id)] as const),
          ),
        );
        break;
      }
      case 'draw':
        await store.putRegions([{ ...DRAWN[step.region], touched: step.touched }]);
        break;
      case 'say': {
        const item = ITEMS[step.item];
        if (known.has(item))
          await store.putLabels([said(item, step.className, { task: 'objects', present: step.present })]);
        break;
      }
      case 'delete':
        await store.deleteRegionsAsHuman([REGIONS[step.region]].filter((id) => known.has(id)));
        break;
      default:
        step satisfies never;
    }
  }
}

async function writeDirectly(store: Store, { regions, labels, splits }: Page): Promise<void> {
  const runId = await startRun(store, 'import');
  await store.putRegions(regions);
  await store.putLabels(labels);
  if (labels.length > 0)
    await store.yieldToFrozen({
      task: 'objects',
      frozenIou: FROZEN_IOU,
      imageIds: (await all(store.images())).map(({ id }) => id),
    });
  await store.putSplits(runId, splits);
}
