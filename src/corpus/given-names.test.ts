import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addImages, imageId, said, scratch, startRun } from '../../test/contracts/store/fixtures.ts';
import { openStore } from '../store/open.ts';
import { change } from './corpus.ts';

test('the name that a class has is confirmed once, and not where a person gave it', async (t) => {
  const store = await openStore(scratch(t));
  t.after(() => store.close());
  await addImages(store, 4);
  const runId = await startRun(store, 'discover');
  for (const [n, name] of ['ferry', 'unnamed-1', 'unnamed-2', 'unnamed-3'].entries()) {
    await store.putLabels([said(imageId(n), name, { runId, origin: 'cluster', confidence: 0.5 })]);
  }
  const sheet = (mapping: Record<string, string>) =>
    change(store, { kind: 'map', mapping: new Map(Object.entries(mapping)) });
  assert.ok(await sheet({ ferry: 'ferry', 'unnamed-1': 'big  cat' }));
  // As a sheet reads once its clusters are followed under the names that they have by now.
  assert.equal(await sheet({ ferry: 'ferry', 'big cat': 'big cat' }), null);
  assert.equal(await change(store, { kind: 'rename', from: 'big cat', to: 'big cat' }), null);
  assert.ok(await change(store, { kind: 'merge', names: ['unnamed-2', 'unnamed-3'], into: 'lotus' }));
  assert.equal(await change(store, { kind: 'merge', names: ['lotus'], into: 'lotus' }), null);
  assert.equal(await change(store, { kind: 'rename', from: 'lotus', to: 'lotus' }), null);
  assert.equal((await store.corpusHistory()).length, 2);
  const confirmed = async () => (await store.classes()).filter((one) => one.confirmed).map(({ name }) => name);
  assert.deepEqual(await confirmed(), ['ferry'], 'big cat and lotus have an earlier name');

  await store.undoCorpusChange();
  await store.undoCorpusChange();
  assert.deepEqual(await confirmed(), []);
  assert.ok(await sheet({ ferry: 'ferry' }), 'what was undone gave no name');
});
