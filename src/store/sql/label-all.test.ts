import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { addImages, drawn, imageId, said, scratch } from '../../../test/contracts/store/fixtures.ts';
import { openDriver, openStore } from '../open.ts';
import type { Store } from '../store.ts';
import { itemStore } from './items.ts';
import { operationStore } from './operations.ts';
import { Session } from './session.ts';
import type { ChangeKind } from './tables.ts';
import type { Work } from './work.ts';

/** So many that the first part, a 256th of all ids, has some of them, and undo takes parts too. */
const IMAGES = 2100;
const IDS = Array.from({ length: IMAGES }, (_, n) => imageId(n));
const WORD = { className: 'dog' };
const CATS = { task: 'class', className: 'cat' };

/** Does something after the first part. */
class Interrupted extends Session {
  between: (() => Promise<unknown>) | undefined;

  override async write<T>(kind: ChangeKind | null, work: (work: Work) => Promise<T>): Promise<T> {
    const result = await super.write(kind, work);
    const { between } = this;
    this.between = undefined;
    await between?.();
    return result;
  }
}

const killed = () => Promise.reject(new Error('killed'));

/** All images are cats, as a model says. */
async function opened(t: TestContext): Promise<{ store: Store; session: Interrupted }> {
  const dir = scratch(t);
  const store = await openStore(dir);
  const runId = await addImages(store, IMAGES);
  await store.putLabels(IDS.map((id) => said(id, 'cat', { origin: 'model', confidence: 0.5, runId })));
  const driver = await openDriver(dir, {});
  t.after(async () => {
    await driver.close();
    await store.close();
  });
  return { store, session: new Interrupted(driver, { pageSize: 500, actor: 'ann' }) };
}

test('a word that was stopped after a part is an operation of that part, and asked again it labels the others', async (t) => {
  const { store, session } = await opened(t);
  const before = await store.labelsOf(IDS);
  session.between = killed;
  await assert.rejects(itemStore(session).setLabels(CATS, WORD), { message: 'killed' });
  const labelled = await store.countItems({ task: 'class', ...WORD });
  assert.ok(labelled > 0 && labelled < IMAGES / 100, String(labelled));
  const [operation, ...others] = await store.operations();
  assert.deepEqual([operation?.labels, operation?.undone, others.length], [labelled, false, 0]);

  assert.equal(await itemStore(session).setLabels(CATS, WORD), IMAGES - labelled);
  assert.equal(await store.countItems({ task: 'class', ...WORD }), IMAGES);
  await store.undo();
  await store.undo();
  assert.deepEqual(await store.labelsOf(IDS), before);
  assert.deepEqual(await store.check(), []);
});

test('a word that is undone while it is written ends there, and says so', async (t) => {
  const { store, session } = await opened(t);
  const before = await store.labelsOf(IDS);
  let undone = 0;
  session.between = async () => {
    undone = (await store.undo())?.labels ?? 0;
  };
  await assert.rejects(itemStore(session).setLabels(CATS, WORD), ({ code, message, details }) => {
    assert.equal(code, 'REFUSED');
    assert.match(message, new RegExp(`undone while it was written, when ${undone} were labelled`));
    assert.equal(details.labelled, undone);
    return true;
  });
  assert.ok(undone > 0);
  assert.deepEqual(await store.labelsOf(IDS), before);
});

test('an undo that was stopped after a part is not done yet, and goes on when it is asked again; so does redo', async (t) => {
  const { store, session } = await opened(t);
  const before = await store.labelsOf(IDS);
  await store.setLabels(CATS, WORD);
  const after = await store.labelsOf(IDS);
  for (const [way, from, to] of [
    ['undo', after, before],
    ['redo', before, after],
  ] as const) {
    session.between = killed;
    await assert.rejects(operationStore(session)[way](), { message: 'killed' });
    const half = await store.labelsOf(IDS);
    assert.notDeepEqual(half, from);
    assert.notDeepEqual(half, to);
    assert.equal((await store.operations())[0]?.undone, way === 'redo');
    await store[way]();
    assert.deepEqual(await store.labelsOf(IDS), to);
  }
  assert.deepEqual(await store.check(), []);
});

test('an undo of very many boxes that was stopped after a part goes on when it is asked again; so does redo', async (t) => {
  const { store, session } = await opened(t);
  await store.putRegions([drawn(IDS[0], [1, 1, 9, 9])]);
  const boxes = IDS.map((id) => drawn(id, [10, 10, 50, 50]));
  const ids = [...IDS, ...boxes.map(({ id }) => id)];
  const stateOf = async () => [await store.regionsOf(IDS), await store.labelsOf(ids)];
  const before = await stateOf();
  const operation = await store.beginOperation({ name: 'import', arguments: { file: 'boxes.json' } });
  await store.putRegions(boxes, { operation });
  const words = boxes.map(({ id }) => said(id, 'wolf', { task: 'objects', origin: 'imported' }));
  await store.putLabels(words, { operation });
  const after = await stateOf();
  for (const [way, from, to] of [
    ['undo', after, before],
    ['redo', before, after],
    ['undo', after, before],
  ] as const) {
    session.between = killed;
    await assert.rejects(operationStore(session)[way](), { message: 'killed' });
    const half = await stateOf();
    assert.notDeepEqual(half, from);
    assert.notDeepEqual(half, to);
    await store[way]();
    assert.deepEqual(await stateOf(), to);
  }
  assert.deepEqual(await store.check(), []);
});

test('an undo in parts ends where somebody else has done the rest of it', async (t) => {
  const { store, session } = await opened(t);
  const before = await store.labelsOf(IDS);
  await store.setLabels(CATS, WORD);
  session.between = () => store.undo();
  await assert.rejects(operationStore(session).undo(), { code: 'REFUSED', message: /is undone already/ });
  assert.deepEqual(await store.labelsOf(IDS), before);
});
