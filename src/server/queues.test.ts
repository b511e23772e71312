/** Queues that need no model, on a record of a few images. What a model says of them is seen in the browser tests. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scratch } from '../../test/cli.ts';
import { addEmbedded } from '../../test/fixtures/embedded.ts';
import { sha256Hex } from '../core/ids.ts';
import { openWorkspace } from '../jobs/workspace.ts';
import { queueOf } from './queues.ts';

const ids = ['a', 'b', 'c', 'd'].map((name) => sha256Hex(name)).sort();
const [a = '', b = '', c = '', d = ''] = ids;
const people = { task: 'class', present: true, origin: 'human', confidence: 1, runId: null } as const;

async function workspaceOf(t: TestContext) {
  const workspace = await openWorkspace(join(await scratch(t), '.labelsmith'), { create: true });
  t.after(() => workspace.close());
  const items = ids.map((id, n) => ({ id, path: `/photos/${n}.jpg`, vector: [1, n] }));
  await addEmbedded(workspace.store, workspace.dir, items);
  return workspace;
}

test('near-duplicates of different classes are asked about, each with the class of the other', async (t) => {
  const workspace = await workspaceOf(t);
  const { store } = workspace;
  await store.putSimilarPairs([
    { a, b, kind: 'near-duplicate', distance: 1 },
    { a: c, b: d, kind: 'near-duplicate', distance: 1 },
  ]);
  const said = (itemId: string, className: string) => ({ ...people, itemId, className });
  await store.putLabels([said(a, 'cat'), said(b, 'dog'), said(c, 'cat'), said(d, 'cat')]);
  const found = await queueOf(workspace, 'class', 'duplicates');
  assert.deepEqual(
    found.map(({ itemId, guess }) => [itemId, guess]),
    [
      [a, 'dog'],
      [b, 'cat'],
    ],
  );
  await store.putLabels([said(b, 'cat')]);
  assert.deepEqual(await queueOf(workspace, 'class', 'duplicates'), []);
});

test('items that are held out are asked about without a guess, until a person has said what they are', async (t) => {
  const workspace = await workspaceOf(t);
  await workspace.store.holdOut({ task: 'class', atMs: 0, seed: 0, items: [b, c] });
  const asked = async () => (await queueOf(workspace, 'class', 'audit')).map(({ itemId, guess }) => [itemId, guess]);
  assert.deepEqual(await asked(), [
    [b, null],
    [c, null],
  ]);
  await workspace.store.putLabels([{ ...people, itemId: b, className: 'cat' }]);
  assert.deepEqual(await asked(), [[c, null]]);
});

test('what a model is needed for says so; a task that is not there has nothing to ask', async (t) => {
  const workspace = await workspaceOf(t);
  for (const name of ['errors', 'pairs', 'below'] as const) {
    await assert.rejects(queueOf(workspace, 'class', name), { code: 'NOT_FOUND' });
  }
  assert.deepEqual(await queueOf(workspace, 'no such task', 'below'), []);
});
