/** Items page by page: every filter in every order against what `currentLabels` says in memory, cursors, columns. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ImageId, type ItemId, isRegionId } from '../../../src/core/ids.ts';
import { currentLabels, type Label, NONE_OF_THESE, type Origin, type Task } from '../../../src/core/labels.ts';
import { change } from '../../../src/corpus/corpus.ts';
import type { ItemFilter, ItemOrder, NewLabel, Store } from '../../../src/store/store.ts';
import fc from '../../properties.ts';
import type { OpenStore } from './fixtures.ts';
import { addImages, drawn, fresh, image, imageId, path, ROOT, said, startRun } from './fixtures.ts';
import { heldRows } from './held-rows.ts';

const IMAGES = 24;
/** Three on the first image, one each on the next ones; the third of the first is a tombstone. */
const REGIONS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) =>
  drawn(imageId(Math.max(0, n - 2)), [n * 10, 0, n * 10 + 8, 8]),
);
const DELETED = REGIONS[2].id;
const GONE = imageId(6);
const TASKS: readonly Task[] = [
  { name: 'class', rule: 'single', items: 'images' },
  { name: 'objects', rule: 'multi', items: 'regions' },
  { name: 'words', rule: 'multi', items: 'images' },
];
const ITEMS: readonly ItemId[] = [
  ...Array.from({ length: IMAGES }, (_, n) => imageId(n)),
  ...REGIONS.map(({ id }) => id),
];
const MERGED = ['b', 'd'];

/** What is there of an image beside its labels. */
const FACTS = Array.from({ length: IMAGES }, (_, n) =>
  image(n, {
    flags: n % 3 === 0 ? ['dark'] : n % 3 === 1 ? ['dark', 'blurred'] : [],
    groupId: imageId(n < 3 ? 0 : n),
    capturedAtMs: n % 4 === 3 ? null : 1_000_000 - (n % 3) * 1000,
  }),
);
const FACTS_OF = new Map(FACTS.map((facts) => [facts.id, facts]));
const PATHS = Array.from({ length: IMAGES }, (_, n) =>
  path(n, { path: `${ROOT}/${n % 2 === 0 ? 'Even_%' : 'odd'}/${n}.jpg` }),
);

async function withStore(
  open: OpenStore,
  labels: readonly NewLabel[],
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  const store = await open(dir, { pageSize: 2 });
  try {
    const runId = await startRun(store);
    const images = FACTS.map((facts) => ({ ...facts, groupId: facts.id }));
    await store.commitIngest({ runId, images, paths: PATHS, quarantine: [] });
    await store.putGroups(new Map(FACTS.map(({ id, groupId }) => [id, groupId])));
    await store.ensureTask(TASKS[2]);
    await store.putRegions(REGIONS);
    await store.ensureClasses(['a', 'b', 'c', 'd']);
    await store.putLabels(labels);
    await store.deleteRegionsAsHuman([DELETED]);
    await store.markMissing([PATHS[6].path], true);
    await change(store, { kind: 'merge', names: ['d'], into: 'b' });
    await work(store);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Entry {
  readonly itemId: ItemId;
  readonly imageId: ImageId;
  readonly regionId: string;
  readonly labels: readonly Label[];
}

/** What a page should have, told in JavaScript of everything there is. */
async function expected(store: Store, filter: ItemFilter, order: ItemOrder): Promise<string[]> {
  const task = TASKS.find(({ name }) => name === filter.task);
  const items = filter.items ?? task?.items ?? 'images';
  const byConfidence = order === 'confidence' || order === 'uncertainty';
  const said = await store.labelsOf(ITEMS, filter.task);
  const nameNow = (name: string) => (MERGED.includes(name) ? 'b' : name);
  const entries: (Entry & { place: number })[] = [];
  for (const itemId of ITEMS) {
    if (itemId === DELETED || isRegionId(itemId) !== (items === 'regions')) continue;
    const image = isRegionId(itemId) ? REGIONS.find(({ id }) => id === itemId)?.imageId : itemId;
    assert.ok(image !== undefined);
    const facts = FACTS_OF.get(image);
    assert.ok(facts);
    if (image === GONE && filter.gone !== true) continue;
    if (filter.flag !== undefined && !facts.flags.includes(filter.flag)) continue;
    if (filter.groupId !== undefined && facts.groupId !== filter.groupId) continue;
    if (filter.duplicates && FACTS.filter(({ groupId }) => groupId === facts.groupId).length < 2) continue;
    const file = PATHS.find((one) => one.imageId === image)?.path ?? '';
    if (filter.path !== undefined && !file.toLowerCase().includes(filter.path.toLowerCase())) continue;
    const own = said.get(itemId) ?? [];
    const isClustered = own.some(
      ({ origin, present, className }) =>
        origin === 'cluster' && present && className === nameNow(filter.cluster ?? ''),
    );
    if (filter.cluster !== undefined && !isClustered) continue;
    const holding = task === undefined ? [] : currentLabels(own, task.rule);
    const fitting = holding.filter(
      ({ className, origin, confidence }) =>
        (filter.className === undefined || className === nameNow(filter.className)) &&
        (filter.origins === undefined || filter.origins.includes(origin)) &&
        confidence >= (filter.minConfidence ?? 0) &&
        confidence <= (filter.maxConfidence ?? 1),
    );
    const asksOfLabels =
      filter.state === 'labelled' ||
      byConfidence ||
      [filter.className, filter.origins, filter.minConfidence, filter.maxConfidence].some((one) => one !== undefined);
    if (asksOfLabels ? fitting.length === 0 : filter.state === 'unlabelled' && holding.length > 0) continue;
    const confidences = fitting.map(({ confidence }) => confidence);
    const time = facts.capturedAtMs ?? Number.NEGATIVE_INFINITY;
    const place = {
      id: 0,
      confidence: -Math.max(...confidences),
      uncertainty: Math.min(...confidences),
      newest: -time,
      oldest: time,
    };
    entries.push({
      itemId,
      imageId: image,
      regionId: isRegionId(itemId) ? itemId : '',
      labels: holding,
      place: place[order],
    });
  }
  const sign = order === 'confidence' || order === 'newest' ? -1 : 1;
  const compare = (a: string, b: string) => (a === b ? 0 : a < b ? -sign : sign);
  entries.sort(
    (a, b) =>
      (a.place === b.place ? 0 : a.place - b.place) || compare(a.imageId, b.imageId) || compare(a.regionId, b.regionId),
  );
  return entries.map(shown);
}

const shown = ({ itemId, imageId: image, labels }: Pick<Entry, 'itemId' | 'imageId' | 'labels'>) =>
  [itemId, image, ...labels.map(({ className, origin, confidence }) => `${className} ${origin} ${confidence}`)].join(
    ' | ',
  );

async function paged(store: Store, filter: ItemFilter, order: ItemOrder, limit: number): Promise<string[]> {
  const found: string[] = [];
  let after: string | undefined;
  for (;;) {
    const { items, next } = await store.page({ filter, order, limit, after });
    found.push(...items.map(shown));
    assert.ok(items.length === limit || next === null, 'a page is full or the last');
    if (next === null) return found;
    after = next;
  }
}

/** As `paged` without labels; parts of another size, so that cursors fall elsewhere. */
async function packed(store: Store, filter: ItemFilter, order: ItemOrder, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined; ; ) {
    const { ids, count, kind, next } = await store.packed({ filter, order, limit, after });
    const each = ids.length / Math.max(1, count);
    assert.ok(count === 0 || each === (kind === 'images' ? 32 : 48));
    for (let i = 0; i < count; i++) {
      const id = Buffer.from(ids.subarray(each * i, each * (i + 1))).toString('hex');
      const image = id.slice(0, 64);
      found.push(kind === 'images' ? `${image} | ${image}` : `${id.slice(64)} | ${image}`);
    }
    if (next === null) return found;
    after = next;
  }
}

const ORIGINS = ['human', 'imported', 'model', 'cluster'] as const;
const NAMES = ['a', 'b', 'c', 'd'];
const anyLabel: fc.Arbitrary<NewLabel> = fc
  .record({
    itemId: fc.constantFrom(...ITEMS),
    task: fc.constantFrom('class', 'class', 'objects', 'words'),
    className: fc.constantFrom('a', 'a', 'b', 'c', 'd'),
    present: fc.boolean(),
    origin: fc.constantFrom<Origin>('human', 'imported', 'model', 'model', 'cluster'),
    confidence: fc.constantFrom(0.25, 0.5, 1),
    runId: fc.constant(null),
    annotator: fc.constantFrom(null, null, null, 'Ann'),
    isNone: fc.constantFrom(true, ...new Array<boolean>(40).fill(false)),
  })
  .map(({ isNone, ...label }) => {
    if (isNone) return { ...label, className: NONE_OF_THESE, origin: 'human', present: true };
    // Machines say what there is; people often what there is not, else their word would be all there is.
    return { ...label, present: label.origin !== 'human' || label.present };
  });
const anyFilter: fc.Arbitrary<ItemFilter> = fc
  .record(
    {
      task: fc.constantFrom(...TASKS.map(({ name }) => name)),
      items: fc.constantFrom('images' as const, 'regions' as const),
      state: fc.constantFrom('labelled' as const, 'unlabelled' as const),
      className: fc.constantFrom(...NAMES),
      origins: fc.subarray<Origin>([...ORIGINS], { minLength: 1 }),
      minConfidence: fc.constantFrom(0.3, 0.5),
      maxConfidence: fc.constantFrom(0.5, 0.9),
      cluster: fc.constantFrom(...NAMES),
      flag: fc.constantFrom('dark' as const, 'blurred' as const),
      groupId: fc.constantFrom(imageId(0), imageId(4), imageId(1)),
      duplicates: fc.constant(true as const),
      path: fc.constantFrom('EVEN', '_%', 'd/3', 'nowhere'),
      gone: fc.boolean(),
    },
    { requiredKeys: ['task'] },
  )
  // Most of them at once would match nothing.
  .chain((filter) => {
    const keys = Object.keys(filter).filter((key) => key !== 'task');
    return fc
      .subarray(keys, { maxLength: Math.min(2, keys.length) })
      .map((kept): ItemFilter => Object.fromEntries(['task', ...kept].map((key) => [key, Reflect.get(filter, key)])));
  });
const anyQuery = fc.record({
  filter: anyFilter,
  order: fc.constantFrom<ItemOrder>('id', 'confidence', 'uncertainty', 'newest', 'oldest'),
  limit: fc.constantFrom(1, 2, 3, 100),
});

export function itemCases(open: OpenStore): void {
  test('pages and counts of items are what current labels say, for every filter and order', async (t) => {
    let matched = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLabel, { minLength: 200, maxLength: 300 }),
        fc.array(anyQuery, { minLength: 40, maxLength: 40 }),
        async (labels, queries) => {
          await withStore(open, labels, async (store) => {
            for (const { filter, order, limit } of queries) {
              const { state, className, origins, minConfidence, maxConfidence } = filter;
              const ofLabel = [className, origins, minConfidence, maxConfidence].some((one) => one !== undefined);
              if (state === 'unlabelled' && (ofLabel || order === 'confidence' || order === 'uncertainty')) {
                await assert.rejects(store.page({ filter, order, limit }), { code: 'USAGE' });
                continue;
              }
              const all = await expected(store, filter, order);
              assert.deepEqual(await paged(store, filter, order, limit), all, JSON.stringify({ filter, order, limit }));
              const ids = all.map((one) => one.split(' | ').slice(0, 2).join(' | '));
              assert.deepEqual(await packed(store, filter, order, limit + 1), ids);
              const count = (await expected(store, filter, 'id')).length;
              assert.equal(await store.countItems(filter), count, JSON.stringify(filter));
              matched += all.length;
            }
          });
        },
      ),
      { numRuns: 6, endOnFailure: true },
    );
    t.diagnostic(`${matched} items matched`);
    assert.ok(matched > 200);
  });

  test('without a task, images come with no labels; a cursor says where to go on, whatever was written since', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 6);
    const machine = { origin: 'model', runId } as const;
    await store.putLabels([1, 2, 3, 4, 5].map((n) => said(imageId(n), 'dog', { ...machine, confidence: n / 10 })));
    assert.equal(await store.countItems(), 6);
    const [first] = (await store.page({ limit: 1 })).items;
    assert.deepEqual(first.labels, []);
    assert.deepEqual(new Map([[first.imageId, first.revision]]), await store.revisionsOf([first.imageId]));

    const filter = { task: 'class' };
    const one = await store.page({ filter, order: 'confidence', limit: 2 });
    assert.deepEqual(
      one.items.map(({ itemId }) => itemId),
      [imageId(5), imageId(4)],
    );
    assert.ok(one.next);
    // The one that was seen last goes to the end, and a new one comes before it.
    await store.putLabels([
      said(imageId(4), 'dog', { ...machine, confidence: 0.01 }),
      said(imageId(0), 'dog', { ...machine, confidence: 1 }),
    ]);
    const two = await store.page({ filter, order: 'confidence', limit: 2, after: one.next });
    assert.deepEqual(
      two.items.map(({ itemId }) => itemId),
      [imageId(3), imageId(2)],
    );
    const three = await store.page({ filter, order: 'confidence', limit: 2, after: two.next ?? '' });
    assert.deepEqual(
      three.items.map(({ itemId }) => itemId),
      [imageId(1), imageId(4)],
    );
    assert.equal(three.next, null);

    for (const after of ['', 'nonsense', Buffer.from('[1]').toString('base64url')]) {
      await assert.rejects(store.page({ filter, limit: 2, after }), { code: 'USAGE', message: /no cursor/ });
    }
    await assert.rejects(store.page({ filter, limit: 2, after: one.next }), {
      code: 'USAGE',
      message: /order "confidence"/,
    });
    for (const limit of [0, 1.5, 1001]) await assert.rejects(store.page({ limit }), { code: 'USAGE' });
  });

  test('what cannot be asked is refused with its reason', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1);
    await assert.rejects(store.page({ filter: { className: 'dog' }, limit: 1 }), {
      code: 'USAGE',
      message: /className/,
    });
    await assert.rejects(store.page({ order: 'uncertainty', limit: 1 }), { code: 'USAGE', message: /this order/ });
    await assert.rejects(store.countItems({ task: 'none' }), { code: 'NOT_FOUND' });
    await assert.rejects(store.countItems({ task: 'class', className: 'dog' }), {
      code: 'NOT_FOUND',
      message: /"dog"/,
    });
    await assert.rejects(store.countItems({ groupId: 'x' }), { code: 'NOT_FOUND' });
    await assert.rejects(store.setLabels({}, { className: 'dog' }), { code: 'USAGE' });
    const wrong: object = { minConfidence: 2, tasks: 'class' };
    await assert.rejects(store.countItems(wrong), { code: 'USAGE', message: /minConfidence.*"tasks"/s });
  });

  test('what holds of all images of a task comes as columns, as pages have it', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLabel, { minLength: 60, maxLength: 120 }), async (labels) => {
        await withStore(open, labels, async (store) => {
          const columns = async (of?: 'cluster') => {
            const found: string[] = [];
            for (let after: string | undefined; ; ) {
              const part = await store.heldColumns({ task: 'class', after, limit: 3, of });
              found.push(...heldRows(part).map((row) => Object.values(row).join(' ')));
              if (part.next === null) return found;
              after = part.next;
            }
          };
          const rowOf = (id: string, { className, confidence, origin }: Label) =>
            [id, className, confidence, origin].join(' ');
          const found = await columns();
          const filter: ItemFilter = { task: 'class', items: 'images', state: 'labelled' };
          const { items } = await store.page({ filter, limit: 1000 });
          assert.deepEqual(
            found,
            items.map(({ itemId, labels: [label] }) => (label ? rowOf(itemId, label) : '')),
          );
          const all = await store.page({ filter: { task: 'class', items: 'images' }, limit: 1000 });
          const said = await store.labelsOf(
            all.items.map(({ itemId }) => itemId),
            'class',
          );
          const clustered = all.items.flatMap(({ itemId }) =>
            (said.get(itemId) ?? [])
              .filter(
                ({ origin, present, className }) => origin === 'cluster' && present && className !== NONE_OF_THESE,
              )
              .map((label) => rowOf(itemId, label)),
          );
          assert.deepEqual((await columns('cluster')).toSorted(), clustered.toSorted());
          t.diagnostic(`${found.length} images`);
        });
      }),
      { numRuns: 5, endOnFailure: true },
    );
    const store = await fresh(t, open);
    await addImages(store, 1);
    await assert.rejects(store.heldColumns({ task: 'objects', limit: 1 }), { code: 'UNSUPPORTED' });
  });

  test('columns of clusters have each row of an image that was in several, wherever a part ends', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 3);
    const ids = [0, 1, 2].map((n) => imageId(n)).sort();
    const rows = [
      { id: ids[0], className: 'cat' },
      ...['cat', 'dog', 'vase'].map((className) => ({ id: ids[1], className })),
      { id: ids[2], className: 'dog' },
    ];
    await store.putLabels(
      rows.map(({ id, className }) => said(id, className, { origin: 'cluster', confidence: 0.5, runId })),
    );
    const expected = rows.map(({ id, className }) => `${id} ${className}`);
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      const found: string[] = [];
      for (let after: string | undefined; ; ) {
        const part = await store.heldColumns({ task: 'class', after, limit, of: 'cluster' });
        found.push(...heldRows(part).map(({ id, className }) => `${id} ${className}`));
        if (part.next === null) break;
        after = part.next;
      }
      assert.deepEqual(found.toSorted(), expected, `in parts of ${limit}`);
    }
  });
}
