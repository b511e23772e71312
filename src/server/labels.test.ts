/** Labels that take several requests and are one operation. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { addImages, imageId } from '../../test/contracts/store/fixtures.ts';
import { openWorkspace } from '../jobs/workspace.ts';
import { createApi } from './app.ts';
import { contextOf } from './context.ts';
import { failure } from './failures.ts';
import { createJobs } from './jobs.ts';

const COUNT = 5;

async function opened(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-labels-'));
  const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  t.after(async () => {
    await workspace.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const { store } = workspace;
  await addImages(store, COUNT);
  const jobs = createJobs({ dir, seed: 0, threads: 1 });
  const api = createApi(contextOf(workspace, { jobs, local: true, threads: 1 }));
  api.onError((error, c) => failure(error, c, () => {}));
  const post = async (path: string, json: unknown) =>
    api.request(`/api${path}`, {
      method: 'POST',
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
    });
  const label = (from: number, to: number, operation?: number | 'begin') => {
    const items = Array.from({ length: to - from }, (_, i) => ({
      itemId: imageId(from + i),
      imageId: imageId(from + i),
    }));
    return post('/labels', { task: 'class', className: 'gem', items, operation });
  };
  const labelled = async () => {
    const held = await store.labelsOf(
      Array.from({ length: COUNT }, (_, n) => imageId(n)),
      'class',
    );
    return [...held.values()].filter((labels) => labels.length > 0).length;
  };
  return { store, label, labelled, post };
}

const WRITTEN = z.object({ operation: z.number() });
const operationOf = async (response: Response) => WRITTEN.parse(JSON.parse(await response.text())).operation;

test('what takes several requests is one operation, which one undo takes back', async (t) => {
  const { store, label, labelled, post } = await opened(t);
  const operation = await operationOf(await label(0, 2, 'begin'));
  assert.equal(await operationOf(await label(2, 4, operation)), operation);
  const [newest, ...others] = await store.operations();
  assert.equal(others.length, 0);
  assert.partialDeepStrictEqual(newest, { id: operation, name: 'label', labels: 4, arguments: { class: 'gem' } });
  assert.equal(await labelled(), 4);
  await post('/undo', {});
  assert.equal(await labelled(), 0);
});

test('it does not go on once it was undone, nor as an operation of another kind or one that is not there', async (t) => {
  const { store, label, labelled, post } = await opened(t);
  const operation = await operationOf(await label(0, 1, 'begin'));
  await post('/undo', {});
  const drawn = await store.beginOperation({ name: 'draw', arguments: {} });
  for (const other of [operation, drawn, drawn + 1]) assert.equal((await label(1, 2, other)).status, 409, `${other}`);
  assert.equal(await labelled(), 0);
});

test('a first request that is refused leaves nothing in the history', async (t) => {
  const { store, post } = await opened(t);
  const items = [{ itemId: imageId(0), imageId: imageId(0), revision: 12345 }];
  const refused = await post('/labels', { task: 'class', className: 'gem', items, operation: 'begin' });
  assert.equal(refused.status, 409);
  assert.deepEqual(await store.operations(), []);
});
