/** A word about everything that matches: one operation, written, undone and redone as one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE_OF_THESE } from '../../../src/core/labels.ts';
import type { OpenStore } from './fixtures.ts';
import { addImages, all, fresh, imageId, said, sortedIds } from './fixtures.ts';

export function wordAboutAllCases(open: OpenStore): void {
  test('a word about everything that matches is one operation, and undone as one', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 1200);
    const ids = Array.from({ length: 1200 }, (_, n) => imageId(n));
    await store.putLabels(
      ids.map((id, n) => said(id, n % 3 === 0 ? 'dog' : 'cat', { origin: 'model', confidence: (n % 10) / 10, runId })),
    );
    await store.putLabels([said(imageId(0), 'cat')]);
    const before = await store.labelsOf(ids);
    const dogs = { task: 'class', className: 'dog', maxConfidence: 0.55 };
    const count = await store.countItems(dogs);
    assert.equal(count, ids.filter((_, n) => n !== 0 && n % 3 === 0 && n % 10 <= 5).length);

    assert.equal(await store.setLabels(dogs, { className: 'wolf' }, { actor: 'Ann' }), count);
    assert.equal(await store.countItems(dogs), 0, 'people win');
    assert.equal(await store.countItems({ task: 'class', className: 'wolf', origins: ['human'] }), count);
    const [operation, ...older] = await store.operations();
    assert.equal(older.length, 1);
    assert.deepEqual(
      [operation.name, operation.actor, operation.labels, operation.arguments],
      ['label', 'Ann', count, { filter: dogs, className: 'wolf', present: true }],
    );
    await store.undo(operation.id);
    assert.deepEqual(await store.labelsOf(ids), before);
    await store.redo(operation.id);
    assert.equal(await store.countItems({ task: 'class', className: 'wolf' }), count);

    assert.equal(await store.setLabels({ task: 'class', className: 'wolf', path: 'nowhere' }, { className: 'cat' }), 0);
    assert.equal((await store.operations()).length, 2, 'nothing was done');
    const wolves = { task: 'class', className: 'wolf' };
    assert.equal(await store.setLabels(wolves, { className: 'wolf', present: false }), count);
    assert.equal(await store.countItems(wolves), 0);
    await assert.rejects(store.setLabels({ task: 'class' }, { className: NONE_OF_THESE, present: false }), {
      code: 'USAGE',
    });
    assert.deepEqual(await store.check(), []);
  });

  test('a word about very many images gives each a revision; undone, what was said since stays', async (t) => {
    const store = await fresh(t, open);
    const images = 2100;
    const runId = await addImages(store, images);
    const ids = sortedIds(images);
    const named = ids.filter((_, n) => n % 50 !== 0);
    await store.putLabels(named.map((id) => said(id, 'cat', { origin: 'model', confidence: 0.5, runId })));
    await store.putLabels([said(ids[1], 'dog')]);
    const expected = await store.revisionsOf([ids[0], ids[1]]);
    const { revision: since } = await store.changes(0);
    const word = { className: 'dog' };
    assert.equal(await store.setLabels({ task: 'class', state: 'labelled' }, word), named.length);
    const changed = await store.changes(since);
    const found = await all(changed.images());
    assert.deepEqual(
      found.map(({ id }) => id),
      named,
    );
    assert.deepEqual(new Map(found.map(({ id, revision }) => [id, revision])), await store.revisionsOf(named));
    const refused = { code: 'REFUSED', details: { images: [ids[1]] } };
    await assert.rejects(store.putLabels([said(ids[0], 'owl'), said(ids[1], 'owl')], { expected }), refused);

    const [operation] = await store.operations();
    await store.putLabels([said(ids[2], 'dog', { present: false }), said(ids[3], 'owl')]);
    const human = async () => {
      const labels = [...(await store.labelsOf(ids)).values()].flat().filter(({ origin }) => origin === 'human');
      const wordsOf = (id: string) =>
        labels.flatMap(({ itemId, className, present }) =>
          itemId === id ? `${present ? '' : 'not '}${className}` : [],
        );
      return { count: labels.length, words: [1, 2, 3, 4].map((n) => wordsOf(ids[n]).sort().join()) };
    };
    assert.deepEqual(await human(), { count: named.length + 1, words: ['dog', 'not dog', 'dog,owl', 'dog'] });
    const { revision: before } = await store.changes(0);
    await store.undo(operation.id);
    assert.deepEqual(await human(), { count: 3, words: ['dog', 'not dog', 'owl', ''] });
    assert.equal((await all((await store.changes(before)).images())).length, named.length);
    await assert.rejects(store.undo(operation.id), { code: 'REFUSED' });
    await store.redo(operation.id);
    assert.deepEqual(await human(), { count: named.length + 1, words: ['dog', 'not dog', 'dog,owl', 'dog'] });
    assert.deepEqual(await store.check(), []);
  });
}
