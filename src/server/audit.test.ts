/** What an audit drew, answered in the app. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawn } from '../../test/contracts/store/fixtures.ts';
import { reviewApi } from '../../test/fixtures/review-api.ts';
import { drawAudit } from '../stages/audit/audit.ts';

test('what an audit drew is asked about, says so, and is answered once', async (t) => {
  const { store, ids, api } = await reviewApi(t, 3);
  await store.ensureClasses(['gem', 'stone']);
  const by = { task: 'gems', present: true, origin: 'model', confidence: 0.8, runId: null } as const;
  await store.ensureTask({ name: 'gems', rule: 'single', items: 'images' });
  await store.putLabels(ids.map((itemId) => ({ ...by, itemId, className: 'gem' })));
  const audit = await drawAudit(store, { task: 'gems', origin: null, size: 10, seed: 0, atMs: 1 });
  const queue = async () => {
    return JSON.parse(await (await api.request('/api/queue?task=gems&of=claims')).text()).items;
  };
  const asked = await queue();
  assert.equal(asked.length, 3);
  const claim = { auditId: audit.id, className: 'gem' };
  const [{ itemId }, other] = asked;
  assert.deepEqual(asked[0], {
    itemId,
    guess: 'gem',
    claim,
    why: 'drawn to check whether it is gem, as the model says',
  });
  const seen = await api.request(`/api/images/${itemId}`);
  assert.deepEqual(JSON.parse(await seen.text()).heldOut, ['gems']);
  const post = (json: unknown) =>
    api.request('/api/audit/answer', {
      method: 'POST',
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
    });

  const yes = { ...claim, task: 'gems', imageId: itemId, right: true, trueClass: null };
  for (let twice = 0; twice < 2; twice++) assert.equal((await post(yes)).status, 200);
  const no = { ...yes, imageId: other.itemId, right: false, trueClass: 'stone' };
  assert.equal((await post(no)).status, 200);
  const answers = (await store.auditItems(audit.id)).flatMap(({ answer }) => answer ?? []);
  assert.equal(answers.length, 2);
  assert.equal((await store.audits('gems'))[0]?.answered, 2);
  assert.equal((await queue()).length, 1);
  const labels = await store.labelsOf([itemId, other.itemId], 'gems');
  const said = (id: string) =>
    labels.get(id)?.flatMap(({ origin, className, present }) => (origin === 'human' ? `${className} ${present}` : []));
  assert.deepEqual([said(itemId), said(other.itemId)], [['gem true'], ['gem false', 'stone true']]);

  // Back to what was said before, and to nothing, and forth again.
  const answersNow = async () => {
    const all = await store.auditItems(audit.id);
    return [itemId, other.itemId].map((id) => all.find((one) => one.itemId === id)?.answer);
  };
  const [right, wrong] = [
    { right: true, trueClass: null },
    { right: false, trueClass: 'stone' },
  ];
  const undo = () => api.request('/api/undo', { method: 'POST' });
  const redo = () => api.request('/api/redo', { method: 'POST' });
  await undo();
  assert.deepEqual(await answersNow(), [right, null]);
  assert.equal((await queue()).length, 2);
  await undo();
  assert.deepEqual(await answersNow(), [right, null], 'it was said twice');
  await undo();
  assert.deepEqual(await answersNow(), [null, null]);
  assert.deepEqual((await store.labelsOf([itemId], 'gems')).get(itemId)?.length, 1, 'what the model said');
  for (let times = 0; times < 3; times++) await redo();
  assert.deepEqual(await answersNow(), [right, wrong]);

  assert.equal((await post({ ...yes, auditId: 99 })).status, 404);
  assert.equal((await post({ ...yes, className: 'stone' })).status, 404, 'it was not asked');
  assert.equal((await store.audits('gems'))[0]?.answered, 2);
});

test('boxes that may be of several classes are asked about one class after the other', async (t) => {
  const { store, ids, api } = await reviewApi(t, 3);
  await store.ensureClasses(['cat', 'dog']);
  await store.ensureTask({ name: 'pets', rule: 'multi', items: 'regions' });
  const [imageId = ''] = ids;
  const region = drawn(imageId, [1, 1, 9, 9], { touched: false });
  await store.putRegions([region]);
  const by = { task: 'pets', present: true, origin: 'model', confidence: 0.8, runId: null } as const;
  await store.putLabels(['cat', 'dog'].map((className) => ({ ...by, itemId: region.id, className })));
  const audit = await drawAudit(store, { task: 'pets', origin: null, size: 10, seed: 0, atMs: 1 });
  const queue = async () => JSON.parse(await (await api.request('/api/queue?task=pets&of=claims')).text()).items;
  const asked: { itemId: string; imageId: string; guess: string }[] = await queue();
  assert.deepEqual(
    asked.map(({ guess, ...of }) => [of.itemId, of.imageId, guess]),
    [
      [region.id, imageId, 'cat'],
      [region.id, imageId, 'dog'],
    ],
  );
  const answer = { task: 'pets', auditId: audit.id, imageId, itemId: region.id, className: 'dog' };
  const posted = await api.request('/api/audit/answer', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...answer, right: false, trueClass: null }),
  });
  assert.equal(posted.status, 200);
  assert.deepEqual(
    (await queue()).map(({ guess }: { guess: string }) => guess),
    ['cat'],
  );
  const held = (await store.labelsOf([region.id], 'pets')).get(region.id) ?? [];
  assert.deepEqual(
    held.flatMap(({ origin, className, present }) => (origin === 'human' ? [[className, present]] : [])),
    [['dog', false]],
  );
});
