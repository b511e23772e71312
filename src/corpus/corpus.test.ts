import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { addImages, imageId, regionOf, said, scratch, shard, startRun } from '../../test/contracts/store/fixtures.ts';
import { thorough } from '../../test/thorough.ts';
import type { Box } from '../core/boxes.ts';
import type { Origin } from '../core/labels.ts';
import { type Random, seededRandom } from '../core/random.ts';
import { LabelsmithError } from '../errors.ts';
import { DATABASE_FILE, openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { DEFAULT_ACCEPT_RULES } from './accept.ts';
import { change, type Operation } from './corpus.ts';
import { rulesInAllNames } from './rules.ts';
import { CorpusIndex } from './state.ts';

const IMAGES = 12;
const BOXES: readonly Box[] = [
  [0, 0, 50, 50],
  [100, 100, 180, 160],
  [200, 200, 320, 300],
];

/** Every image has a person, a dog and a car by a detector; clusters, models and people speak of the images too. */
async function labelled(t: TestContext): Promise<{ store: Store; dir: string }> {
  const dir = scratch(t);
  const store = await openStore(dir);
  t.after(() => store.close());
  await addImages(store, IMAGES);
  const runId = await startRun(store, 'detect');
  await store.commitDetections(shard(runId, detections()));
  await store.ensureTask({ name: 'colour', rule: 'single', items: 'regions' });
  for (let n = 0; n < IMAGES; n++) {
    const id = imageId(n);
    const machine = { runId, confidence: 0.25 + n / 40 } as const;
    await store.putLabels([
      said(id, ['beach', 'street', 'forest'][n % 3], { ...machine, origin: 'cluster' }),
      said(id, ['beach', 'field'][n % 2], { ...machine, origin: 'model' }),
      said(regionOf(id, { className: 'car', box: BOXES[2] }), ['red', 'blue'][n % 2], {
        ...machine,
        origin: 'model',
        task: 'colour',
      }),
    ]);
    if (n % 4 === 0) await store.putLabels([said(id, 'beach')]);
    if (n % 5 === 0) await store.putLabels([said(id, 'street', { present: false })]);
  }
  return { store, dir };
}

function detections() {
  return Array.from({ length: IMAGES }, (_, n) => {
    const found = ['person', 'dog', 'car'].map((className, i) => ({
      className,
      box: BOXES[i],
      score: 0.4 + i / 10 + n / 100,
    }));
    return [imageId(n), found] as const;
  });
}

/** Everything an operation may change, to the byte. */
function dump(dir: string): unknown {
  const database = new DatabaseSync(join(dir, DATABASE_FILE), { readOnly: true });
  const tables = ['class', 'class_alias', 'label', 'region', 'region_shape', 'image', 'task', 'candidate', 'detection'];
  try {
    return Object.fromEntries(
      tables.map((table) => [
        table,
        database
          .prepare(`SELECT * FROM ${table}`)
          .all()
          // Numbers that stay with nothing, so that no other class gets them.
          .filter((row) => table !== 'class' || !String(row.name).startsWith('\u0001'))
          // Undoing is a change too: revisions grow.
          .map((row) => JSON.stringify({ ...row, revision: null }))
          .sort(),
      ]),
    );
  } finally {
    database.close();
  }
}

const FRESH = ['thing', 'animal', 'vehicle', 'car', 'dog', 'hound', 'auto', 'sand', 'wood', 'lane', 'Straße', '犬'];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)];
}

async function randomOperation(store: Store, random: Random): Promise<Operation> {
  const index = new CorpusIndex(await store.corpus());
  const roots = index.roots();
  const any = () => {
    const root = pick(random, roots);
    return pick(random, [root.name, ...index.otherNames(root)]);
  };
  const name = () => (random() < 0.5 ? pick(random, FRESH) : any());
  const kind = pick(random, [
    'rename',
    'merge',
    'unmerge',
    'alias',
    'nest',
    'describe',
    'map',
    'import',
    'split',
    'by',
  ] as const);
  switch (kind) {
    case 'rename':
      return {
        kind,
        from: any(),
        to: random() < 0.3 ? name() : `${pick(random, FRESH)} ${Math.floor(random() * 100)}`,
      };
    case 'merge':
      return { kind, names: [any(), any()].slice(0, 1 + Math.floor(random() * 2)), into: name() };
    case 'unmerge':
      return { kind, name: any(), merged: any() };
    case 'alias':
      return { kind, name: any(), synonym: `${name()} ${Math.floor(random() * 5)}` };
    case 'nest':
      return { kind, child: any(), parent: random() < 0.2 ? null : name() };
    case 'describe':
      return { kind, name: any(), description: random() < 0.5 ? null : `about ${random()}` };
    case 'map':
      return {
        kind,
        mapping: new Map([
          [name(), name()],
          [name(), name()],
        ]),
      };
    case 'import': {
      const top = name();
      const where = 'taxonomy';
      return {
        kind,
        entries: [
          { name: top, synonyms: [`${top} kind`], parent: null, synset: null, description: null, where },
          { name: name(), synonyms: [], parent: top, synset: null, description: 'x', where },
        ],
      };
    }
    case 'split': {
      const root = pick(random, roots);
      const items: { itemId: string; to: string }[] = [];
      for await (const image of store.dataset({})) {
        for (const { id, labels } of [image, ...image.regions]) {
          if (random() < 0.3 && labels.some(({ className }) => className === root.name))
            items.push({ itemId: id, to: name() });
        }
      }
      return { kind, name: root.name, items };
    }
    case 'by':
      return { kind: 'split-by-task', name: any(), by: pick(random, ['colour', 'class', 'objects']) };
    default:
      throw new Error(kind satisfies never);
  }
}

const OPERATIONS = thorough(250, 1000);
/** Every state is sound; this many are also compared to the byte on the way back. */
const COMPARE_EVERY = 10;

test(`${OPERATIONS} random operations and undo of all of them give back the first state exactly`, async (t) => {
  const { store, dir } = await labelled(t);
  const random = seededRandom(1, 'corpus');
  const first = dump(dir);
  const states = new Map<number, unknown>();
  const kinds = new Set<string>();
  let [done, refused] = [0, 0];
  for (let tries = 0; done < OPERATIONS; tries++) {
    assert.ok(tries < 10 * OPERATIONS, 'most operations are refused');
    const operation = await randomOperation(store, random);
    const before = tries % COMPARE_EVERY === 0 ? dump(dir) : null;
    let changed = false;
    try {
      changed = (await change(store, operation, tries)) !== null;
    } catch (error) {
      assert.ok(error instanceof LabelsmithError, String(error));
      refused++;
    }
    if (changed) {
      if (before) states.set(done, before);
      kinds.add(operation.kind);
      done++;
    } else if (before) assert.deepEqual(dump(dir), before, 'what is refused, and nothing to do, writes nothing');
    assertSound(await store.corpus());
  }
  assert.equal(kinds.size, 10, `every kind of operation happened: ${[...kinds]}`);
  assert.ok(refused > 0 && states.size > OPERATIONS / COMPARE_EVERY / 2);
  for (let i = done - 1; i >= 0; i--) {
    assert.ok(await store.undoCorpusChange());
    if (states.has(i)) assert.deepEqual(dump(dir), states.get(i), `before operation ${i}`);
  }
  assert.equal(await store.undoCorpusChange(), null);
  assert.deepEqual(dump(dir), first);
  assert.deepEqual(await store.check(), []);
});

function assertSound(state: Awaited<ReturnType<Store['corpus']>>): void {
  const names = [...[...state.classes.values()].map(({ name }) => name), ...state.synonyms.keys()];
  assert.equal(new Set(names).size, names.length, 'no name stands for two');
  const index = new CorpusIndex(state);
  for (const root of index.roots()) {
    const above = index.ancestors(root);
    const top = above.at(-1) ?? root;
    assert.equal(index.parent(top), null, `the tree above ${root.name} ends`);
  }
}

test('a class that was renamed or merged does not come back when a detector says its old name', async (t) => {
  const { store } = await labelled(t);
  await change(store, { kind: 'rename', from: 'person', to: 'human' });
  await change(store, { kind: 'merge', names: ['dog', 'car'], into: 'thing' });
  const again = await startRun(store, 'detect');
  await store.commitDetections({ ...shard(again, detections()), acceptKey: 'threshold .2' });
  const names = (await store.classes()).map(({ name }) => name);
  assert.deepEqual(
    ['person', 'dog', 'car'].filter((name) => names.includes(name)),
    [],
  );
  const seen = new Set<string>();
  for await (const { regions } of store.dataset({ task: 'objects' })) {
    for (const { labels } of regions) for (const { className } of labels) seen.add(className);
  }
  assert.deepEqual([...seen].sort(), ['human', 'thing']);

  // What was said while they were one goes back to where it was said of.
  await store.undoCorpusChange();
  await store.undoCorpusChange();
  const counts = new Map(
    (await store.classes()).map((one) => [one.name, one.counts.find(({ items }) => items === 'regions')?.count]),
  );
  assert.deepEqual(
    ['person', 'dog', 'car'].map((name) => counts.get(name)),
    [IMAGES, IMAGES, IMAGES],
  );
  assert.equal(counts.has('thing'), false);
});

test('of two that call different classes by one name at once, the one renames and the other merges', async (t) => {
  const { store, dir } = await labelled(t);
  const other = await openStore(dir);
  t.after(() => other.close());
  const call = (by: Store, from: string) => change(by, { kind: 'call', from, to: 'pet' });
  const events = await Promise.all([call(store, 'dog'), call(other, 'car')]);
  assert.deepEqual(events.map((event) => event?.operation).sort(), ['merge', 'rename']);
  const index = new CorpusIndex(await store.corpus());
  assert.equal(index.require('dog').name, 'pet');
  assert.equal(index.require('car').name, 'pet');
  await change(store, { kind: 'call', from: 'person', to: 'dog' });
  assert.equal(new CorpusIndex(await store.corpus()).require('person').name, 'pet', 'a former name is taken too');
  await store.undoCorpusChange();
  await store.undoCorpusChange();
  await store.undoCorpusChange();
  for (const name of ['dog', 'car', 'person']) {
    assert.equal(new CorpusIndex(await store.corpus()).require(name).name, name);
  }
});

test('undo keeps what people said since, and a class that was labelled since', async (t) => {
  const { store } = await labelled(t);
  const item = regionOf(imageId(1), { className: 'dog', box: BOXES[1] });
  const other = regionOf(imageId(2), { className: 'dog', box: BOXES[1] });
  await change(store, { kind: 'split', name: 'dog', items: [item, other].map((itemId) => ({ itemId, to: 'wolf' })) });
  await store.putLabels([said(item, 'fox', { task: 'objects' }), said(imageId(3), 'wolf', { task: 'objects' })]);
  const current = async (id: string) => {
    for await (const image of store.dataset({ task: 'objects' })) {
      for (const region of image.regions) if (region.id === id) return region.labels.map(({ className }) => className);
    }
    return [];
  };
  assert.deepEqual(await current(other), ['wolf']);
  await store.undoCorpusChange();
  assert.deepEqual(await current(other), ['dog']);
  assert.deepEqual((await current(item)).sort(), ['dog', 'fox']);
  assert.ok(
    (await store.classes()).some(({ name }) => name === 'wolf'),
    'somebody said wolf of another image',
  );
  const regions = await store.regionsOf([imageId(1), imageId(2)]);
  assert.equal(regions.get(imageId(1))?.find(({ id }) => id === item)?.touched, true, 'a person spoke of it');
  assert.equal(regions.get(imageId(2))?.find(({ id }) => id === other)?.touched, false);
});

test('rules name a class by any of its names', async (t) => {
  const { store } = await labelled(t);
  await change(store, { kind: 'rename', from: 'person', to: 'human' });
  const rules = { ...DEFAULT_ACCEPT_RULES, classes: ['human', 'dog'], classThresholds: { human: 0.5 } };
  const { classes, classThresholds } = rulesInAllNames(await store.corpus(), rules);
  assert.deepEqual(classes, ['human', 'person', 'dog']);
  assert.deepEqual(classThresholds, { human: 0.5, person: 0.5 });
});

test('classes that one change made, each the parent of the next, go together', async (t) => {
  const { store, dir } = await labelled(t);
  const first = dump(dir);
  const entry = (name: string, parent: string | null) => {
    return { name, synonyms: [], parent, synset: null, description: null, where: 'taxonomy' };
  };
  // The parent stands after its child as well as before it.
  const entries = [entry('x', null), entry('y', 'x'), entry('z', 'w'), entry('w', 'y')];
  await change(store, { kind: 'import', entries });
  await store.undoCorpusChange();
  assert.deepEqual(dump(dir), first);
});

for (const [how, clear] of [
  ['in place of what it said', async () => {}],
  ['after all that it said was cleared', (store: Store) => store.clearMachineLabels('class', 'cluster')],
  [
    'twice, after it was cleared item by item',
    async (store: Store) => {
      await store.clearMachineLabels('class', 'cluster', ALL);
      await sayAgain(store);
      await store.clearMachineLabels('class', 'cluster', ALL);
    },
  ],
] as const) {
  test(`undoing a merge parts what a machine said of the merged class again: ${how}`, async (t) => {
    const { store } = await labelled(t);
    const before = await clustersOf(store);
    await change(store, { kind: 'merge', names: ['street'], into: 'beach' });
    await clear(store);
    await sayAgain(store);
    assert.deepEqual(new Set((await clustersOf(store)).flat()), new Set(['beach', 'forest']));
    await store.undoCorpusChange();
    assert.deepEqual(await clustersOf(store), before);
  });
}

test('undoing a merge: another machine that says the merged class means what the item was before', async (t) => {
  const { store } = await labelled(t);
  await change(store, { kind: 'merge', names: ['street'], into: 'beach' });
  await sayAgain(store, 'model');
  await store.clearMachineLabels('class', 'model');
  await store.clearMachineLabels('class', 'cluster');
  await sayAgain(store, 'model');
  await store.undoCorpusChange();
  // What it said itself, `beach` of every second, goes before what the clusters said.
  const expected = ALL.map((_, n) => [n % 3 === 2 ? 'forest' : n % 3 === 1 && n % 2 === 1 ? 'street' : 'beach']);
  assert.deepEqual(await clustersOf(store, 'model'), expected);
});

test('undoing a split gives the whole what machines said of its parts since, and leaves what people said', async (t) => {
  const { store } = await labelled(t);
  const items = [imageId(0), imageId(3)].map((itemId) => ({ itemId, to: 'dune' }));
  await change(store, { kind: 'split-into', name: 'beach', task: 'class', items });
  await store.clearMachineLabels('class', 'cluster');
  const runId = await startRun(store, 'discover');
  const machine = { runId, confidence: 0.5, origin: 'cluster' } as const;
  await store.putLabels(ALL.map((id) => said(id, 'dune', machine)));
  await store.putLabels([said(imageId(7), 'dune')]);
  await store.undoCorpusChange();
  assert.deepEqual(new Set((await clustersOf(store)).flat()), new Set(['beach']));
  const people = (await clustersOf(store, 'human'))[7];
  assert.deepEqual(people, ['dune']);
});

const ALL = Array.from({ length: IMAGES }, (_, n) => imageId(n));

async function clustersOf(store: Store, by: Origin = 'cluster') {
  const labels = await store.labelsOf(ALL, 'class');
  return ALL.map((id) => labels.get(id)?.flatMap(({ origin, className }) => (origin === by ? [className] : [])));
}

/** As a stage does it, with the classes of today. */
async function sayAgain(store: Store, origin: Origin = 'cluster'): Promise<void> {
  const runId = await startRun(store, 'discover');
  const again = ALL.map((id, n) => said(id, n % 3 === 2 ? 'forest' : 'beach', { runId, confidence: 0.5, origin }));
  await store.putLabels(again, { replace: true });
}
