/** Random operations against a simple model in memory, and what must hold whatever is done. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ItemId } from '../../../src/core/ids.ts';
import { isRegionId } from '../../../src/core/ids.ts';
import type { Label, Origin, Task } from '../../../src/core/labels.ts';
import { BUILT_IN_TASKS, currentLabels, isMachine, NONE_OF_THESE } from '../../../src/core/labels.ts';
import type { DatasetQuery, NewLabel, Store } from '../../../src/store/store.ts';
import fc from '../../properties.ts';
import type { Found, OpenStore } from './fixtures.ts';
import { addImages, all, drawn, imageId, list, MODEL, said, shard, sortedIds } from './fixtures.ts';

const IMAGES = 5;
const REGIONS = [0, 1, 2].map((n) => drawn(imageId(n % 2), [n * 10, 0, n * 10 + 8, 8]));
const ITEMS: readonly ItemId[] = [...Array.from({ length: IMAGES }, (_, n) => imageId(n)), ...REGIONS.map((r) => r.id)];
const TASKS: readonly Task[] = [...BUILT_IN_TASKS, { name: 'words', rule: 'multi', items: 'images' }];

async function withStore(open: OpenStore, work: (store: Store, runId: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  const store = await open(dir, { pageSize: 2 });
  try {
    const runId = await addImages(store, IMAGES);
    await store.ensureTask(TASKS[2]);
    await store.putRegions(REGIONS);
    await work(store, runId);
    assert.deepEqual(await store.check(), []);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

// ── Labels against a model ───────────────────────────────────────────────────────────────────────────────────────────

type Operation =
  | { readonly kind: 'put'; readonly labels: readonly NewLabel[]; readonly replace: boolean }
  | { readonly kind: 'clear'; readonly task: string; readonly origin: Origin; readonly items: readonly ItemId[] | null }
  | { readonly kind: 'delete'; readonly region: number };

// No detector here: its image labels derive from regions, which the cases of detection look at.
const MACHINES = ['model', 'reference', 'cluster'] as const;
const anyLabel: fc.Arbitrary<NewLabel> = fc
  .record({
    itemId: fc.constantFrom(...ITEMS),
    task: fc.constantFrom(...TASKS.map((task) => task.name)),
    className: fc.constantFrom('a', 'b', 'c', NONE_OF_THESE),
    present: fc.boolean(),
    origin: fc.constantFrom<Origin>('human', 'imported', ...MACHINES),
    confidence: fc.constantFrom(0, 0.25, 0.5, 1),
    runId: fc.constant(null),
  })
  .map((label) =>
    label.className !== NONE_OF_THESE
      ? label
      : isMachine(label.origin)
        ? { ...label, className: 'd' }
        : { ...label, present: true },
  );
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      labels: fc.array(anyLabel, { maxLength: 8 }),
      replace: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('clear' as const),
      task: fc.constantFrom(...TASKS.map((task) => task.name)),
      origin: fc.constantFrom(...MACHINES),
      items: fc.option(fc.subarray([...ITEMS])),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), region: fc.nat(REGIONS.length - 1) }) },
);
const anyQuery: fc.Arbitrary<DatasetQuery> = fc.record(
  {
    task: fc.constantFrom(...TASKS.map((task) => task.name)),
    origins: fc.subarray<Origin>(['human', 'imported', ...MACHINES]),
    minConfidence: fc.constantFrom(0.25, 0.5, 0.9),
    unlabelled: fc.boolean(),
  },
  { requiredKeys: [] },
);

class Model {
  readonly labels = new Map<string, Label>();
  readonly deleted = new Set<ItemId>();
  #sequence = 0;

  apply(operation: Operation): void {
    switch (operation.kind) {
      case 'put': {
        const machine = operation.labels.filter((label) => isMachine(label.origin));
        for (const { itemId, task, origin } of operation.replace ? machine : []) this.#remove(task, origin, [itemId]);
        for (const label of operation.labels) {
          const { itemId, task, className, origin } = label;
          this.#sequence += 1;
          this.labels.set([itemId, task, className, origin].join('|'), { ...label, sequence: this.#sequence });
        }
        return;
      }
      case 'clear':
        this.#remove(operation.task, operation.origin, operation.items);
        return;
      case 'delete':
        this.deleted.add((REGIONS[operation.region] as { id: string }).id);
        return;
      default:
        operation satisfies never;
    }
  }

  #remove(task: string, origin: Origin, items: readonly ItemId[] | null): void {
    for (const [key, label] of this.labels) {
      const named = items === null || items.includes(label.itemId);
      if (named && label.task === task && label.origin === origin) this.labels.delete(key);
    }
  }

  of(item: ItemId): Label[] {
    return [...this.labels.values()].filter((label) => label.itemId === item).sort((a, b) => a.sequence - b.sequence);
  }

  current(item: ItemId, task: Task, origins?: readonly Origin[]): Label[] {
    if (this.deleted.has(item)) return [];
    const own = this.of(item).filter((label) => label.task === task.name);
    return currentLabels(
      origins === undefined ? own : own.filter((label) => origins.includes(label.origin)),
      task.rule,
    );
  }

  /** `class task items origin` to count and sum of confidences. */
  counts(): Map<string, { n: number; sum: number }> {
    const counts = new Map<string, { n: number; sum: number }>();
    for (const item of ITEMS) {
      for (const task of TASKS) {
        for (const label of this.current(item, task)) {
          const key = [label.className, task.name, isRegionId(item) ? 'regions' : 'images', label.origin].join(' ');
          const { n, sum } = counts.get(key) ?? { n: 0, sum: 0 };
          counts.set(key, { n: n + 1, sum: sum + label.confidence });
        }
      }
    }
    return counts;
  }
}

async function assertSame(store: Store, model: Model, query: DatasetQuery): Promise<void> {
  const plain = ({ sequence: _, ...label }: Label) => label;
  const stored = await store.labelsOf(ITEMS);
  for (const item of ITEMS) {
    assert.deepEqual((stored.get(item) ?? []).map(plain), model.of(item).map(plain), 'labelsOf');
  }
  const counts = model.counts();
  const expected = [...counts].map(([key, { n }]) => `${key}: ${n}`);
  const classes = await store.classes();
  const counted = classes.flatMap((c) =>
    c.counts.flatMap((k) =>
      Object.entries(k.origins).map(([origin, n]) => `${c.name} ${k.task} ${k.items} ${origin}: ${n}`),
    ),
  );
  assert.deepEqual(counted.sort(), expected.sort(), 'classes');
  const byRun = (await store.labelCounts()).flatMap(({ className, task, origin, images, regions }) =>
    Object.entries({ images, regions }).flatMap(([items, n]) =>
      n === 0 ? [] : [`${className} ${task} ${items} ${origin}: ${n}`],
    ),
  );
  assert.deepEqual(byRun.sort(), expected, 'labelCounts');
  for (const { name, counts: own } of classes) {
    for (const { task, items, count, meanConfidence } of own) {
      const parts = [...counts].filter(([key]) => key.startsWith(`${name} ${task} ${items} `)).map(([, part]) => part);
      assert.ok(Math.abs(parts.reduce((sum, part) => sum + part.sum, 0) / count - meanConfidence) < 1e-9);
    }
  }

  const tasks = TASKS.filter((task) => query.task === undefined || task.name === query.task);
  const wanted = (item: ItemId) =>
    tasks
      .flatMap((task) => model.current(item, task, query.origins))
      .filter((label) => label.confidence >= (query.minConfidence ?? 0))
      .map((label) => `${label.task} ${label.className} ${label.origin} ${label.confidence}`)
      .sort();
  const told = new Map<ItemId, string[]>();
  for (const image of await list(store.dataset(query))) {
    for (const { id, labels } of [image, ...image.regions]) {
      told.set(id, labels.map((l) => `${l.task} ${l.className} ${l.origin} ${l.confidence}`).sort());
    }
  }
  for (const item of ITEMS) {
    const labels = wanted(item);
    assert.deepEqual(told.get(item) ?? [], labels, 'dataset');
    if (query.unlabelled === true) assert.equal(told.has(item), !model.deleted.has(item));
    else if (isRegionId(item)) assert.equal(told.has(item), labels.length > 0);
  }
}

// ── People win ───────────────────────────────────────────────────────────────────────────────────────────────────────

const anyFound: fc.Arbitrary<Found> = fc.record({
  className: fc.constantFrom('dog', 'car'),
  box: fc.tuple(fc.nat(4), fc.nat(4)).map(([x, y]) => [x * 4, y * 4, x * 4 + 10, y * 4 + 10] as const),
  score: fc.constantFrom(0.25, 0.5),
});

async function whatPeopleSaid(store: Store): Promise<unknown> {
  const ids = sortedIds(IMAGES);
  const regions = [...(await store.regionsOf(ids)).values()].flat().filter((r) => r.touched || r.deleted);
  const labels = await store.labelsOf([...ids, ...regions.map((r) => r.id)]);
  return { regions, labels: [...labels.values()].flat().filter((label) => label.origin === 'human') };
}

export function propertyCases(open: OpenStore): void {
  test('random labels: what is kept, what counts and what is exported agree with the model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOperation, { minLength: 1, maxLength: 12 }), anyQuery, async (operations, query) =>
        withStore(open, async (store) => {
          const model = new Model();
          for (const operation of operations) {
            model.apply(operation);
            if (operation.kind === 'put') await store.putLabels(operation.labels, { replace: operation.replace });
            else if (operation.kind === 'delete') {
              await store.deleteRegionsAsHuman([(REGIONS[operation.region] as { id: string }).id]);
            } else await store.clearMachineLabels(operation.task, operation.origin, operation.items ?? undefined);
          }
          await assertSame(store, model, query);
          await assertSame(store, model, {});
        }),
      ),
      { numRuns: 25 },
    );
  });

  test('random work of people and machines: no machine changes, hides or deletes what a person said', async () => {
    const step = fc.record({
      images: fc.array(fc.tuple(fc.nat(IMAGES - 1), fc.array(anyFound, { maxLength: 4 })), {
        minLength: 1,
        maxLength: 3,
      }),
      person: fc.constantFrom('deletes', 'moves', 'confirms', 'denies', 'draws', 'none'),
      pick: fc.nat(100),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) =>
        withStore(open, async (store, runId) => {
          for (const { images, person, pick } of steps) {
            const before = await whatPeopleSaid(store);
            const work = [...new Map(images).entries()].map(([n, found]) => [imageId(n), found] as const);
            await store.commitDetections(shard(runId, work));
            const found = [...(await store.regionsOf(sortedIds(IMAGES))).values()].flat();
            const live = found.filter((region) => !region.deleted);
            const machine = { origin: 'cluster', confidence: 0.5, runId } as const;
            await store.putLabels(
              live.map((r) => said(r.id, `k${pick % 3}`, { ...machine, task: 'objects' })),
              { replace: true },
            );
            await store.putRegions(
              live.filter((r) => r.modelKey === MODEL).map((r) => ({ ...r, touched: false, box: [0, 0, 1, 1] })),
            );
            await store.commitDetections(shard(runId, work));
            await store.clearMachineLabels('objects', 'cluster');
            assert.deepEqual(await whatPeopleSaid(store), before);

            const now = [...(await store.regionsOf(sortedIds(IMAGES))).values()].flat().filter((r) => !r.deleted);
            const region = now[pick % Math.max(1, now.length)];
            if (region === undefined) continue;
            if (person === 'deletes') await store.deleteRegionsAsHuman([region.id]);
            if (person === 'moves') await store.putRegions([{ ...region, box: [1, 1, 12, 12], touched: true }]);
            if (person === 'confirms') await store.putLabels([said(region.id, 'dog', { task: 'objects' })]);
            if (person === 'denies')
              await store.putLabels([said(region.id, 'dog', { task: 'objects', present: false })]);
            if (person === 'draws') await store.putRegions([drawn(imageId(pick % IMAGES), [pick, 0, pick + 5, 5])]);
          }
        }),
      ),
      { numRuns: 12 },
    );
  });

  test('how images are cut into shards, and doing shards again, does not show in the result', async () => {
    const results = fc.array(fc.array(anyFound, { maxLength: 4 }), { minLength: IMAGES, maxLength: IMAGES });
    await fc.assert(
      fc.asyncProperty(results, fc.integer({ min: 1, max: IMAGES }), async (found, size) => {
        const exported: unknown[] = [];
        for (const shardSize of [IMAGES, size]) {
          await withStore(open, async (store, runId) => {
            const work = sortedIds(IMAGES).map((id, i) => [id, found[i] ?? []] as const);
            for (let i = 0; i < IMAGES; i += shardSize) {
              await store.commitDetections(shard(runId, work.slice(i, i + shardSize)));
              if (shardSize < IMAGES) await store.commitDetections(shard(runId, work.slice(i, i + shardSize)));
            }
            exported.push({ dataset: await list(store.dataset({})), candidates: await all(store.candidates(MODEL)) });
          });
        }
        assert.deepEqual(exported[1], exported[0]);
      }),
      { numRuns: 6 },
    );
  });
}
