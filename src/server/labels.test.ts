/** Labels that take several requests and are one operation. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { imageId } from '../../test/contracts/store/fixtures.ts';
import { reviewApi } from '../../test/fixtures/review-api.ts';

const COUNT = 5;

async function opened(t: TestContext) {
  const { store, api, ids } = await reviewApi(t, COUNT);
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
    const held = await store.labelsOf(ids, 'class');
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
