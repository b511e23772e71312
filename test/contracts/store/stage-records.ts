/** What stages leave in the store: items held out of training, references, artifacts of tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXPORTS_KEPT } from '../../../src/store/export-store.ts';
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

  test('what an export showed can be asked for once it is finished, whatever later ones show', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 4);
    const ids = [0, 1, 2, 3].map(imageId).sort();
    const series = { series: 'coco', format: 'coco', task: 'objects', atMs: 1 };
    const exportOf = async (shown: Readonly<Record<number, string>>, digest: string, of = series) => {
      const exportId = await store.beginExport(of);
      const states = (part: readonly number[]) =>
        new Map(part.flatMap((i) => (shown[i] === undefined ? [] : [[ids[i], shown[i]] as const])));
      await store.putExportStates({ exportId, after: null, upTo: ids[1] }, states([0, 1]));
      await store.putExportStates({ exportId, after: ids[1], upTo: null }, states([2, 3]));
      await store.finishExport(exportId, digest);
      return exportId;
    };
    const shownBy = async (exportId: number) => {
      const states = await store.exportStates(exportId, ids);
      return ids.map((id) => states.get(id) ?? '-').join('');
    };
    const first = await exportOf({ 0: 'a', 1: 'b', 3: 'd' }, 'one');
    const second = await exportOf({ 0: 'a', 2: 'c', 3: 'e' }, 'two');
    const other = await exportOf({ 0: 'x' }, 'three', { ...series, series: 'folders', format: 'folders' });
    const third = await exportOf({ 0: 'a', 1: 'b', 3: 'd' }, 'one');
    assert.deepEqual(await Promise.all([first, second, other, third].map(shownBy)), ['ab-d', 'a-ce', 'x---', 'ab-d']);
    assert.deepEqual(
      (await store.finishedExports('coco')).map(({ id, digest }) => [id, digest]),
      [
        [third, 'one'],
        [second, 'two'],
        [first, 'one'],
      ],
    );

    // One that is killed has shown nothing; one that another of its series overtakes is not kept.
    const killed = await store.beginExport(series);
    await store.putExportStates({ exportId: killed, after: null, upTo: null }, new Map([[ids[0], 'k']]));
    const overtaken = await store.beginExport(series);
    const fourth = await exportOf({ 0: 'f' }, 'four');
    await store.putExportStates({ exportId: overtaken, after: null, upTo: null }, new Map([[ids[0], 'o']]));
    await store.finishExport(overtaken, 'late');
    assert.deepEqual(await Promise.all([first, second, other, third, fourth].map(shownBy)), [
      'ab-d',
      'a-ce',
      'x---',
      'ab-d',
      'f---',
    ]);
    assert.equal((await store.finishedExports('coco')).length, 4);

    // The oldest are forgotten, and those that are left still show what they showed.
    const later: number[] = [];
    for (let i = 0; i < EXPORTS_KEPT - 1; i++) later.push(await exportOf({ 0: 'f', 1: String(i % 3) }, `later ${i}`));
    assert.equal((await store.finishedExports('coco')).length, EXPORTS_KEPT);
    assert.equal(await shownBy(fourth), 'f---');
    assert.equal(await shownBy(later[4]), 'f1--');
    await store.forgetImages([ids[0]]);
    assert.equal(await shownBy(later[4]), '-1--');
  });
}
