import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { addImages, imageId, regionOf, said, scratch, shard, startRun } from '../../test/contracts/store/fixtures.ts';
import type { Box } from '../core/boxes.ts';
import { type Random, seededRandom } from '../core/random.ts';
import { LabelsmithError } from '../errors.ts';
import { DATABASE_FILE, openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { change, type Operation } from './corpus.ts';
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
      said(id, ['beach', 'street', 'forest'][n % 3] as string, { ...machine, origin: 'cluster' }),
      said(id, ['beach', 'field'][n % 2] as string, { ...machine, origin: 'model' }),
      said(regionOf(id, { className: 'car', box: BOXES[2] as Box }), ['red', 'blue'][n % 2] as string, {
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
      box: BOXES[i] as Box,
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
          .map((row) => JSON.stringify(row))
          .sort(),
      ]),
    );
  } finally {
    database.close();
  }
}

const FRESH = ['thing', 'animal', 'vehicle', 'car', 'dog', 'hound', 'auto', 'sand', 'wood', 'lane', 'Straße', '犬'];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
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

for (const seed of [1, 2]) {
  test(`five hundred random operations and undo of all of them give back the first state exactly (seed ${seed})`, async (t) => {
    const { store, dir } = await labelled(t);
    const random = seededRandom(seed, 'corpus');
    const first = dump(dir);
    const states: unknown[] = [];
    const done = new Map<string, number>();
    let refused = 0;
    for (let i = 0; states.length < 500; i++) {
      assert.ok(i < 5000, 'most operations are refused');
      const operation = await randomOperation(store, random);
      const before = dump(dir);
      try {
        const event = await change(store, operation, i);
        if (event) {
          states.push(before);
          done.set(operation.kind, (done.get(operation.kind) ?? 0) + 1);
        } else assert.deepEqual(dump(dir), before, 'nothing to do writes nothing');
      } catch (error) {
        assert.ok(error instanceof LabelsmithError, String(error));
        assert.deepEqual(dump(dir), before, 'what is refused writes nothing');
        refused++;
      }
      assertSound(await store.corpus());
    }
    assert.equal(done.size, 10, `every kind of operation happened: ${[...done.keys()]}`);
    assert.ok(refused > 0);
    for (const state of states.toReversed()) {
      assert.ok(await store.undoCorpusChange());
      assert.deepEqual(dump(dir), state);
    }
    assert.equal(await store.undoCorpusChange(), null);
    assert.deepEqual(dump(dir), first);
    assert.deepEqual(await store.check(), []);
  });
}

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
