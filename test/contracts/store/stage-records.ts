/** What stages leave in the store: items held out of training, references, artifacts of tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredReference } from '../../../src/store/store.ts';
import type { OpenStore } from './fixtures.ts';
import { addImages, drawn, fresh, imageId, said } from './fixtures.ts';

export function stageRecordCases(open: OpenStore): void {
  test('items held out stay so, whoever draws them again, until nobody labelled them and they are let go', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 6);
    const region = drawn(imageId(5), [0, 0, 10, 10]);
    await store.putRegions([region]);
    const draw = { task: 'class', atMs: 5, seed: 7 };
    await store.holdOut({ ...draw, items: [imageId(0), imageId(1), imageId(1)] });
    await store.holdOut({ ...draw, items: [imageId(1), imageId(2), region.id] });
    await store.holdOut({ ...draw, items: [] });
    await store.holdOut({ ...draw, task: 'objects', items: [imageId(3)] });
    const held = new Set([imageId(0), imageId(1), imageId(2), region.id]);
    assert.deepEqual(await store.heldOutItems('class'), held);
    assert.deepEqual(await store.heldOutItems('objects'), new Set([imageId(3)]));
    assert.deepEqual(await store.auditedItems('class'), held);
    assert.deepEqual(await store.audits(), [], 'nothing of a machine is asked about');

    await store.startAudit({
      task: 'class',
      atMs: 6,
      seed: 0,
      design: '{}',
      items: [
        { itemId: imageId(4), imageId: imageId(4), className: 'dog', origin: 'model', confidence: 0.5, stratum: 0 },
        { itemId: imageId(0), imageId: imageId(0), className: 'dog', origin: 'model', confidence: 0.5, stratum: 0 },
      ],
    });
    assert.deepEqual(await store.auditedItems('class'), new Set([...held, imageId(4)]));
    assert.deepEqual(await store.heldOutItems('class'), held);

    await store.putLabels([
      said(imageId(1), 'dog'),
      said(imageId(2), 'dog', { origin: 'model', confidence: 0.5, runId }),
      said(region.id, 'dog', { origin: 'imported', present: false }),
      // Of another task.
      said(imageId(0), 'dog', { task: 'objects' }),
    ]);
    assert.equal(await store.releaseUnlabelled('class'), 2);
    assert.equal(await store.releaseUnlabelled('class'), 0);
    assert.deepEqual(await store.heldOutItems('class'), new Set([imageId(1), region.id]));
    assert.deepEqual(await store.auditedItems('class'), new Set([imageId(0), imageId(1), imageId(4), region.id]));
    await store.holdOut({ ...draw, items: [imageId(0)] });
    assert.ok((await store.heldOutItems('class')).has(imageId(0)));
  });

  test('what is not there cannot be held out', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1);
    const draw = { task: 'class', atMs: 5, seed: 7 };
    const region = drawn(imageId(0), [0, 0, 10, 10]);
    await assert.rejects(store.holdOut({ ...draw, items: [imageId(0), region.id] }), { code: 'NOT_FOUND' });
    await assert.rejects(store.holdOut({ ...draw, items: [imageId(0), imageId(1)] }), { code: 'NOT_FOUND' });
    await assert.rejects(store.holdOut({ ...draw, task: 'none', items: [imageId(0)] }), { code: 'NOT_FOUND' });
    assert.deepEqual(await store.heldOutItems('class'), new Set());
  });

  test('references join those of the same task and space, or take their place', async (t) => {
    const store = await fresh(t, open);
    const reference = (n: number, className: string): StoredReference => ({
      id: imageId(n),
      className,
      vector: Float32Array.from([n, 1 / 3, -0]),
    });
    const inOrder = (list: readonly StoredReference[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(await store.references('class', 'space'), []);
    assert.deepEqual(await store.references('none', 'space'), []);
    await store.putReferences('class', 'space', [reference(0, 'cat'), reference(1, 'dog')]);
    await store.putReferences('class', 'space', [reference(2, 'dog'), reference(1, 'wolf')]);
    await store.putReferences('class', 'other', [reference(3, 'cat')]);
    await store.putReferences('objects', 'space', [reference(4, 'cat')]);
    assert.deepEqual(
      await store.references('class', 'space'),
      inOrder([reference(0, 'cat'), reference(1, 'wolf'), reference(2, 'dog')]),
    );
    await store.putReferences('class', 'space', [reference(5, 'cat')], { replace: true });
    assert.deepEqual(await store.references('class', 'space'), [reference(5, 'cat')]);
    assert.deepEqual(await store.references('class', 'other'), [reference(3, 'cat')]);
    assert.deepEqual(await store.references('objects', 'space'), [reference(4, 'cat')]);
  });

  test('an artifact of a task takes the place of the one before', async (t) => {
    const store = await fresh(t, open);
    assert.equal(await store.artifact('map', 'class'), undefined);
    assert.equal(await store.artifact('map', 'none'), undefined);
    await store.putArtifact('map', 'class', { version: 1, data: '1' });
    await store.putArtifact('map', 'class', { version: 2, data: '{"a":"ü"}' });
    await store.putArtifact('map', 'objects', { version: 1, data: '3' });
    await store.putArtifact('clusters', 'class', { version: 1, data: '4' });
    assert.deepEqual(await store.artifact('map', 'class'), { version: 2, data: '{"a":"ü"}' });
    assert.deepEqual(await store.artifact('map', 'objects'), { version: 1, data: '3' });
    await assert.rejects(store.putArtifact('map', 'none', { version: 1, data: '1' }), { code: 'NOT_FOUND' });
  });
}
