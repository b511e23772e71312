/** Labels, tasks, classes and the data set they make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetImage } from '../../../src/core/dataset.ts';
import { NONE_OF_THESE } from '../../../src/core/labels.ts';
import { change } from '../../../src/corpus/corpus.ts';
import { CorpusIndex } from '../../../src/corpus/state.ts';
import type { ImageRange } from '../../../src/store/store.ts';
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
  said,
  shard,
  sortedIds,
  startRun,
} from './fixtures.ts';

export function labelCases(open: OpenStore): void {
  test('a single task: the best origin counts, the newest on a tie', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    const classOf = async () => (await list(store.dataset({ task: 'class' })))[0]?.labels[0]?.className;
    await store.putLabels([said(id, 'blob', { origin: 'cluster', confidence: 0.9, runId })]);
    assert.equal(await classOf(), 'blob');
    await store.putLabels([said(id, 'dog', { origin: 'model', confidence: 0.2, runId })]);
    assert.equal(await classOf(), 'dog');
    await store.putLabels([said(id, 'cat'), said(id, 'fox')]);
    assert.equal(await classOf(), 'fox', 'the later of one call is the newer');
    await store.putLabels([said(id, 'cat')]);
    assert.equal(await classOf(), 'cat', 'said again, it is the newest');
    await store.putLabels([said(id, 'cat', { present: false })]);
    assert.equal(await classOf(), 'fox', 'taken back');
    await store.putLabels([said(id, NONE_OF_THESE)]);
    assert.equal(await classOf(), undefined, 'none of these silences machines and what was said before');
    await store.putLabels([said(id, 'dog', { origin: 'model', confidence: 1, runId })]);
    assert.equal(await classOf(), undefined);
    await store.putLabels([said(id, 'owl')]);
    assert.equal(await classOf(), 'owl');
    const sequences = (await store.labelsOf([id])).get(id)?.map((label) => label.sequence) ?? [];
    assert.equal(new Set(sequences).size, sequences.length);
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
  });

  test('the class that a label is written as is told through a merge, and what it counts as is not', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    const [a, b] = sortedIds(2) as [string, string];
    const machine = { origin: 'cluster', confidence: 0.5, runId } as const;
    await store.ensureTask({ name: 'scene', rule: 'single', items: 'images' });
    await store.putLabels([said(a, 'kitten', { ...machine, task: 'scene' }), said(b, 'cat', { task: 'scene' })]);
    const index = new CorpusIndex(await store.corpus());
    await change(store, { kind: 'merge', names: ['kitten', 'cat'], into: 'cat' });
    assert.equal((await store.labelsOf([a])).get(a)?.[0]?.className, 'cat');
    const written = await store.writtenClassesOf([a, b], 'scene', 'cluster');
    assert.deepEqual([...written], [[a, index.require('kitten').id]]);
  });

  test('replace takes away the labels of that machine origin, task and item, and nothing else', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 2);
    await store.ensureTask({ name: 'scene', rule: 'multi', items: 'images' });
    const [a, b] = sortedIds(2) as [string, string];
    const machine = { origin: 'cluster', confidence: 0.5, runId } as const;
    await store.putLabels([
      said(a, 'one', machine),
      said(b, 'one', machine),
      said(a, 'one', { ...machine, task: 'scene' }),
      said(a, 'one', { ...machine, origin: 'model' }),
      said(a, 'one'),
    ]);
    await store.putLabels([said(a, 'two', machine), said(a, 'three', machine)], { replace: true });
    await store.putLabels([said(a, 'human too')], { replace: true });
    const told = async (id: string) =>
      (await store.labelsOf([id])).get(id)?.map((l) => `${l.task} ${l.origin} ${l.className}`);
    assert.deepEqual(await told(a), [
      'scene cluster one',
      'class model one',
      'class human one',
      'class cluster two',
      'class cluster three',
      'class human human too',
    ]);
    assert.deepEqual(await told(b), ['class cluster one']);
    assert.deepEqual([...(await store.labelsOf([a, b], 'scene')).keys()], [a]);

    await assert.rejects(store.clearMachineLabels('class', 'human'), { code: 'REFUSED' });
    await assert.rejects(store.clearMachineLabels('class', 'imported', [a]), { code: 'REFUSED' });
    assert.equal(await store.clearMachineLabels('class', 'cluster', [a]), 2);
    assert.equal(await store.clearMachineLabels('class', 'cluster'), 1);
    assert.equal(await store.clearMachineLabels('class', 'cluster'), 0);
    assert.equal((await told(a))?.length, 4);
  });

  test('labels, tasks and classes that make no sense are refused whole', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1);
    const id = imageId(0);
    const before = await store.summary();
    const refused = async (label: Parameters<typeof said>, code: string) =>
      assert.rejects(store.putLabels([said(id, 'fine'), said(...label)]), { code });
    await refused([imageId(50), 'cat'], 'NOT_FOUND');
    await refused([imageId(50).slice(0, 32), 'cat'], 'NOT_FOUND');
    await refused(['zz', 'cat'], 'NOT_FOUND');
    await refused([id, 'cat', { task: 'no such task' }], 'NOT_FOUND');
    await refused([id, 'cat', { runId: 'no such run' }], 'NOT_FOUND');
    await refused([id, 'cat', { confidence: Number.NaN }], 'USAGE');
    await refused([id, 'cat', { confidence: 1.01 }], 'USAGE');
    await refused([id, ' '], 'USAGE');
    await refused([id, NONE_OF_THESE, { origin: 'model', runId }], 'USAGE');
    await refused([id, NONE_OF_THESE, { present: false }], 'USAGE');
    assert.deepEqual(await store.summary(), before);
    await assert.rejects(store.ensureTask({ name: 'class', rule: 'multi', items: 'images' }), { code: 'REFUSED' });
    await assert.rejects(store.ensureTask({ name: '', rule: 'multi', items: 'images' }), { code: 'USAGE' });
    await assert.rejects(store.ensureClasses([NONE_OF_THESE]), { code: 'USAGE' });
    await assert.rejects(list(store.dataset({ task: 'no such task' })), { code: 'NOT_FOUND' });
  });

  test('names that can be seen are kept to the letter', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1);
    const names = ['Ärger/Wut', "O'Brien; DROP TABLE label", '犬', 'a b', '__proto__', '🦊', 'a', 'A', '=a'];
    await store.ensureTask({ name: 'words', rule: 'multi', items: 'images' });
    await store.ensureClasses(names);
    await store.ensureClasses(names);
    await store.putLabels(names.map((name) => said(imageId(0), name, { task: 'words' })));
    assert.deepEqual(
      (await store.classes()).map((c) => c.name),
      names.toSorted(),
    );
    const labels = (await list(store.dataset({ task: 'words' })))[0]?.labels.map((l) => l.className);
    assert.deepEqual(labels, names.toSorted());
  });

  test('classes: counts of current labels by task, items and origin', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 3);
    const [a, b, c] = sortedIds(3) as [string, string, string];
    await store.commitDetections(
      shard(runId, [
        [a, [{ className: 'dog', box: [0, 0, 10, 10], score: 0.5 }]],
        [b, [{ className: 'dog', box: [0, 0, 10, 10], score: 0.75 }]],
      ]),
    );
    await store.putLabels([
      said(a, 'cat'),
      said(b, 'cat', { origin: 'model', confidence: 0.5, runId }),
      said(c, 'dog', { present: false }),
    ]);
    const classes = await store.classes();
    assert.deepEqual(
      classes.map((k) => k.name),
      ['cat', 'dog'],
    );
    assert.deepEqual(classes[0]?.counts, [
      { task: 'class', items: 'images', count: 2, meanConfidence: 0.75, origins: { human: 1, model: 1 } },
    ]);
    assert.deepEqual(classes[1]?.counts, [
      { task: 'objects', items: 'images', count: 2, meanConfidence: 0.5, origins: { detector: 2 } },
      { task: 'objects', items: 'regions', count: 2, meanConfidence: 0.625, origins: { detector: 2 } },
    ]);
    const byRun = await store.labelCounts();
    assert.deepEqual(
      byRun.map((of) => [of.className, of.task, of.origin, of.runId, of.images, of.regions].join(' ')).sort(),
      [`cat class human  1 0`, `cat class model ${runId} 1 0`, `dog objects detector ${runId} 2 2`],
    );
  });

  test('classes: which of them clusters gave, also where a person has said the same of every item since', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 3);
    const [a, b, c] = sortedIds(3) as [string, string, string];
    const cluster = { origin: 'cluster', confidence: 0.5, runId } as const;
    await store.putLabels([said(a, 'one', cluster), said(b, 'two', cluster), said(c, 'own')]);
    await store.putLabels([said(a, 'one')]);
    const told = async () =>
      (await store.classes()).map(({ name, counts, clusteredIn }) => [name, counts[0]?.origins, clusteredIn]);
    assert.deepEqual(await told(), [
      ['one', { human: 1 }, ['class']],
      ['own', { human: 1 }, undefined],
      ['two', { cluster: 1 }, ['class']],
    ]);
  });

  test('dataset: what is selected, in order of id, and what is left out', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 7);
    const ids = sortedIds(7);
    const [a, b, c] = ids as [string, string, string];
    await store.commitDetections(
      shard(runId, [
        [
          a,
          [
            { className: 'dog', box: [1, 2, 3.5, 4], score: 0.5 },
            { className: 'car', box: [5, 5, 9, 9], score: 0.25 },
          ],
        ],
      ]),
    );
    await store.putLabels([said(b, 'cat', { origin: 'model', confidence: 0.4, runId }), said(b, 'fox')]);
    await store.putRegions([drawn(c, [1, 1, 2, 2], { crowd: true, polygons: [[0, 0, 1, 1, 2, 2]] })]);
    const names = async (query: Parameters<typeof store.dataset>[0]) =>
      (await list(store.dataset(query))).map((i) => i.id);
    assert.deepEqual(await names({}), [a, b], 'a region that nobody named is no label');
    assert.deepEqual(await names({ unlabelled: true }), ids);
    assert.deepEqual(await names({ unlabelled: true, limit: 4 }), ids.slice(0, 4));
    assert.deepEqual(await names({ task: 'class' }), [b]);
    assert.deepEqual(await names({ origins: ['detector'] }), [a]);
    assert.deepEqual(await names({ origins: [] }), []);
    const [first] = await list(store.dataset({ minConfidence: 0.3, task: 'objects' }));
    assert.deepEqual(
      first?.regions.map((r) => [r.box, r.score, r.labels.map((l) => l.className)]),
      [[[1, 2, 3.5, 4], 0.5, ['dog']]],
    );
    assert.deepEqual(
      first?.labels.map((l) => l.className),
      ['car', 'dog'],
    );
    const [judged] = await list(store.dataset({ task: 'class', origins: ['model'] }));
    assert.equal(judged?.labels[0]?.className, 'cat', 'an origin by itself, whatever people said');
    const everything = await list(store.dataset({ unlabelled: true }));
    const region = everything.find((i) => i.id === c)?.regions[0];
    assert.equal(region?.crowd, true);
    assert.deepEqual(region?.polygons, [[0, 0, 1, 1, 2, 2]]);
    await store.markMissing(await pathsOf(store, b), true);
    assert.deepEqual(await names({}), [a]);
    assert.deepEqual(await names({ gone: true }), [a, b]);
  });

  test('names that look the same are one class, one task, one annotator; broken ones are refused', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 2);
    const id = imageId(0);
    await store.ensureTask({ name: 'my task', rule: 'multi', items: 'images' });
    await store.ensureTask({ name: ' my\u00a0task\n', rule: 'multi', items: 'images' });
    assert.deepEqual((await store.tasks()).map(({ name }) => name).sort(), ['class', 'my task', 'objects']);
    const ours = { task: ' my task', annotator: 'ann' };
    await store.putLabels([
      said(id, ' Mu\u0308ller ', ours),
      said(id, 'M\u00fcller', { task: 'my task', annotator: ' ann' }),
    ]);
    await store.ensureClasses(['M\u00fcller\t', 'hot  dog']);
    assert.deepEqual(
      (await store.classes()).map(({ name }) => name),
      ['M\u00fcller', 'hot dog'],
    );
    assert.equal((await store.labelsOf([id], 'my task ')).get(id)?.length, 1);
    assert.equal((await list(store.dataset({ task: 'my  task' }))).length, 1);
    assert.deepEqual(await store.dropUnusedClasses(['hot   dog']), ['hot dog']);
    for (const name of ['', ' \u200b', '\ud800', 'x'.repeat(201)]) {
      await assert.rejects(store.ensureClasses([name]), { code: 'USAGE' });
      await assert.rejects(store.putLabels([said(id, name)]), { code: 'USAGE' });
      await assert.rejects(store.ensureTask({ name, rule: 'multi', items: 'images' }), { code: 'USAGE' });
    }
    await assert.rejects(store.putLabels([said(id, 'dog', { annotator: '\ud800' })]), { code: 'USAGE' });
    await assert.rejects(store.putLabels([said(id, 'dog', { task: '\ud800' })]), { code: 'NOT_FOUND' });
  });

  test('a view keeps the names of its moment in all its reads', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 4);
    const ids = sortedIds(4);
    await store.putLabels(ids.slice(0, 2).map((id) => said(id, 'puppy')));
    const view = await store.datasetView();
    assert.equal((await store.datasetView()).namesDigest, view.namesDigest);
    await store.changeCorpus({ name: 'rename', arguments: {}, atMs: 1 }, (state) => {
      const [entry] = state.classes.values();
      return { state: { ...state, classes: new Map(state.classes).set(entry.id, { ...entry, name: 'dog' }) } };
    });
    await store.putLabels([said(ids[2], 'dog'), said(ids[3], 'cat')]);
    const namesIn = async (images: AsyncIterable<DatasetImage>) =>
      (await list(images)).map(({ labels }) => labels.map(({ className }) => className));
    assert.deepEqual(
      view.classes.map(({ name }) => name),
      ['puppy'],
    );
    assert.deepEqual(await namesIn(view.read({})), [['puppy'], ['puppy'], ['puppy']], 'cat is newer');
    assert.deepEqual(await namesIn(store.dataset({})), [['dog'], ['dog'], ['dog'], ['cat']]);
    assert.notEqual((await store.datasetView()).namesDigest, view.namesDigest);
  });

  test('dataset: a range has the images after one id up to another, and ranges side by side have all of them', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 9);
    const ids = sortedIds(9);
    const idsIn = async (range?: ImageRange) =>
      (await list(store.dataset({ unlabelled: true, range }))).map(({ id }) => id);
    assert.deepEqual(await idsIn({ after: null, upTo: null }), ids);
    assert.deepEqual(await idsIn({ after: null, upTo: ids[2] }), ids.slice(0, 3));
    assert.deepEqual(await idsIn({ after: ids[2], upTo: ids[6] }), ids.slice(3, 7));
    assert.deepEqual(await idsIn({ after: ids[6], upTo: null }), ids.slice(7));
    assert.deepEqual(await idsIn({ after: ids[8], upTo: null }), []);
    assert.deepEqual(await idsIn({ after: '7'.padEnd(64, 'f'), upTo: 'b'.padEnd(64, 'f') }), [
      ...ids.filter((id) => id >= '8' && id < 'c'),
    ]);
  });

  test('dataset: file names are relative to the source, unique across sources, and do not depend on order', async (t) => {
    const store = await fresh(t, open);
    const runId = await startRun(store);
    const put = (n: number, root: string, file: string) => ({
      image: image(n),
      path: path(n, { path: file, sourceRoot: root }),
    });
    const one = [put(0, '/x/photos', '/x/photos/a/1.jpg'), put(1, '/x/photos', '/x/photos/a/2.jpg')];
    await store.commitIngest({ runId, images: one.map((o) => o.image), paths: one.map((o) => o.path), quarantine: [] });
    await store.commitIngest({
      runId,
      images: [],
      paths: [path(0, { path: '/x/photos/Z/1.jpg', sourceRoot: '/x/photos' })],
      quarantine: [],
    });
    const files = async () =>
      Object.fromEntries((await list(store.dataset({ unlabelled: true }))).map((i) => [i.id, i.file]));
    assert.deepEqual(await files(), { [imageId(0)]: 'Z/1.jpg', [imageId(1)]: 'a/2.jpg' }, 'the smallest by bytes');
    await store.markMissing(['/x/photos/Z/1.jpg'], true);
    assert.equal((await files())[imageId(0)], 'a/1.jpg', 'of those that are there');
    const two = [
      put(2, '/y/photos', '/y/photos/a/1.jpg'),
      put(3, '/y/set.zip', '/y/set.zip!/in/3.jpg'),
      put(4, '/y/list.txt', '/y/sub/4.jpg'),
      put(5, '/y/list.txt', '/elsewhere/5.jpg'),
    ];
    await store.commitIngest({ runId, images: two.map((o) => o.image), paths: two.map((o) => o.path), quarantine: [] });
    assert.deepEqual(await files(), {
      [imageId(0)]: 'x/photos/a/1.jpg',
      [imageId(1)]: 'x/photos/a/2.jpg',
      [imageId(2)]: 'y/photos/a/1.jpg',
      [imageId(3)]: 'set.zip/in/3.jpg',
      [imageId(4)]: 'list.txt/sub/4.jpg',
      [imageId(5)]: 'list.txt/elsewhere/5.jpg',
    });
  });

  test('streams see each image once while others write', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 20);
    const seen: string[] = [];
    for await (const page of store.images()) {
      seen.push(...page.map((i) => i.id));
      await store.putLabels(page.map((i) => said(i.id, 'seen', { origin: 'model', confidence: 0.5, runId })));
    }
    assert.deepEqual(seen, sortedIds(20));
    assert.equal((await all(store.images())).length, 20);
  });
}

async function pathsOf(store: Awaited<ReturnType<OpenStore>>, id: string): Promise<string[]> {
  return ((await store.pathsOfImages([id])).get(id) ?? []).map((p) => p.path);
}
