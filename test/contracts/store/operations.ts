/** The log of what people did, undo and redo, revisions and changes, and the leases of runs. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store, StoredRegion } from '../../../src/store/store.ts';
import fc from '../../properties.ts';
import type { OpenStore } from './fixtures.ts';
import {
  addImages,
  all,
  drawn,
  fresh,
  imageId,
  list,
  path,
  regionOf,
  said,
  scratch,
  shard,
  sortedIds,
  startRun,
} from './fixtures.ts';

const DOG = { className: 'dog', box: [10, 10, 50, 50], score: 0.5 } as const;

/** All that people and machines said and drew, with the order of what was said. */
async function stateOf(store: Store, images: number): Promise<unknown> {
  const ids = sortedIds(images);
  const regions = [...(await store.regionsOf(ids)).values()].flat();
  const labels = await store.labelsOf([...ids, ...regions.map(({ id }) => id)]);
  return { regions, labels: [...labels].sort(([a], [b]) => (a < b ? -1 : 1)), dataset: await list(store.dataset({})) };
}

export function operationCases(open: OpenStore): void {
  test('every word and box of a person is in the log, with who it was, and can be undone and redone', async (t) => {
    const dir = scratch(t);
    const store = await open(dir, { actor: 'ann' });
    t.after(() => store.close());
    const runId = await addImages(store, 2);
    const id = imageId(0);
    await store.commitDetections(shard(runId, [[id, [DOG]]]));
    assert.deepEqual(await store.operations(), [], 'machines are not in it');
    const states = [await stateOf(store, 2)];
    const steps = [
      () => store.putLabels([said(regionOf(id, DOG), 'wolf', { task: 'objects' })]),
      () => store.putRegions([drawn(id, [60, 60, 70, 70], { details: { pose: 'Left' }, polygons: [[1, 2, 3]] })]),
      () => store.putLabels([said(id, 'cat'), said(id, 'dog', { origin: 'imported' })], { actor: 'bob' }),
      () => store.deleteRegionsAsHuman([regionOf(id, DOG)]),
    ];
    for (const step of steps) {
      await step();
      states.push(await stateOf(store, 2));
    }
    assert.deepEqual(
      (await store.operations()).map(({ name, actor, labels, regions, undone }) => [
        name,
        actor,
        labels,
        regions,
        undone,
      ]),
      [
        // The detector's label of the image goes with its only dog.
        ['delete', 'ann', 1, 1, false],
        ['label', 'bob', 2, 0, false],
        ['draw', 'ann', 0, 1, false],
        ['label', 'ann', 1, 1, false],
      ],
    );
    assert.equal((await store.operations({ actor: 'bob' })).length, 1);
    assert.equal((await store.operations({ limit: 1 }))[0]?.name, 'delete');
    for (let n = steps.length; n > 0; n--) {
      assert.equal((await store.undo())?.undone, true);
      assert.deepEqual(await stateOf(store, 2), states[n - 1], `undone ${n}`);
    }
    assert.equal(await store.undo(), null);
    for (let n = 1; n <= steps.length; n++) {
      assert.equal((await store.redo())?.undone, false);
      assert.deepEqual(await stateOf(store, 2), states[n], `redone ${n}`);
    }
    assert.equal(await store.redo(), null);
    assert.deepEqual(await store.check(), []);
  });

  test('several writes of one operation are undone as one; what was said since stays', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 3);
    const [a, b, c] = [imageId(0), imageId(1), imageId(2)];
    await store.putLabels([said(a, 'old')]);
    const operation = await store.beginOperation({ name: 'import', arguments: { file: 'x.csv' } });
    const region = drawn(b, [0, 0, 9, 9]);
    await store.putRegions([region], { operation });
    await store.putLabels([said(region.id, 'new', { task: 'objects' }), said(a, 'old', { confidence: 0.5 })], {
      operation,
    });
    await store.putLabels([said(c, 'new'), said(a, 'newest')], { operation });
    // Somebody changes two of them afterwards.
    await store.putLabels([said(c, 'new', { present: false })]);
    await store.putRegions([{ ...region, box: [1, 1, 9, 9] }]);
    const undone = await store.undo(operation);
    assert.deepEqual(
      [undone?.name, undone?.arguments, undone?.labels, undone?.regions],
      ['import', { file: 'x.csv' }, 4, 1],
    );
    const words = async (item: string) =>
      ((await store.labelsOf([item])).get(item) ?? []).map((l) => `${l.className} ${l.present} ${l.confidence}`);
    assert.deepEqual(await words(a), ['old true 1']);
    assert.deepEqual(await words(c), ['new false 1'], 'said since');
    assert.deepEqual(
      (await store.regionsOf([b])).get(b)?.map(({ box }) => box),
      [[1, 1, 9, 9]],
      'moved since',
    );
    assert.deepEqual(await words(region.id), []);
    await assert.rejects(store.undo(operation), { code: 'REFUSED' });
    await assert.rejects(store.undo(12345), { code: 'NOT_FOUND' });
    await store.redo(operation);
    assert.deepEqual(await words(a), ['old true 0.5', 'newest true 1']);
    assert.deepEqual(await words(c), ['new false 1']);
  });

  test('operations on the corpus are in the same log, undone from the newest on and redone', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 1);
    await store.putLabels([said(imageId(0), 'puppy')]);
    const rename = (from: string, to: string) =>
      store.changeCorpus({ name: 'rename', arguments: { from, to }, atMs: 7, actor: 'ann' }, (state) => {
        const entry = [...state.classes.values()].find(({ name }) => name === from);
        assert.ok(entry);
        const synonyms = new Map(state.synonyms).set(from, entry.id);
        synonyms.delete(to);
        return { state: { classes: new Map(state.classes).set(entry.id, { ...entry, name: to }), synonyms } };
      });
    const first = await rename('puppy', 'dog');
    const second = await rename('dog', 'hound');
    const added = await store.changeCorpus(
      { name: 'add', arguments: {}, atMs: 8, actor: '' },
      ({ classes, synonyms }) => {
        const entry = {
          id: -1,
          name: 'cat',
          rootId: -1,
          parentId: null,
          placed: false,
          description: null,
          synset: null,
        };
        return { state: { classes: new Map(classes).set(-1, entry), synonyms } };
      },
    );
    const log = await store.operations({ kind: 'corpus' });
    assert.deepEqual(
      log.map(({ id, name, actor }) => [id, name, actor]),
      [
        [added?.id, 'add', ''],
        [second?.id, 'rename', 'ann'],
        [first?.id, 'rename', 'ann'],
      ],
    );
    const names = async () => (await store.classes()).map(({ name }) => name);
    assert.deepEqual(await names(), ['cat', 'hound']);
    await assert.rejects(store.undo(first?.id), { code: 'REFUSED' });
    await store.undo(added?.id);
    await store.undo(second?.id);
    assert.deepEqual(await names(), ['dog']);
    await assert.rejects(store.redo(added?.id), { code: 'REFUSED' });
    assert.equal((await store.redo())?.id, second?.id);
    assert.equal((await store.redo())?.id, added?.id);
    assert.deepEqual(await names(), ['cat', 'hound']);
    assert.ok(
      [...(await store.corpus()).classes.keys()].every((id) => id > 0),
      'numbers are of the database',
    );
    assert.equal((await store.corpusHistory()).length, 3);
  });

  test('what was done in the place of an operation that was undone can be undone and redone itself', async (t) => {
    const store = await fresh(t, open);
    const named = (to: string) =>
      store.changeCorpus({ name: 'rename', arguments: { to }, atMs: 1 }, ({ classes, synonyms }) => {
        const [[id, entry]] = [...classes];
        return { state: { classes: new Map(classes).set(id, { ...entry, name: to }), synonyms } };
      });
    await store.ensureClasses(['dog']);
    const names = async () => (await store.classes()).map(({ name }) => name);
    await named('hound');
    await store.undo();
    const wolf = await named('wolf');
    assert.equal(await store.redo(), null, 'the class has another name now');
    await store.undo();
    assert.deepEqual(await names(), ['dog']);
    assert.equal((await store.redo())?.id, wolf?.id);
    assert.deepEqual(await names(), ['wolf']);
    assert.equal(await store.redo(), null);
  });

  test('whatever people do, undoing all of it gives back the first state, and redoing it the last', async () => {
    const person = fc.record({
      what: fc.constantFrom('label', 'deny', 'draw', 'move', 'delete', 'import'),
      image: fc.nat(2),
      pick: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(person, { minLength: 1, maxLength: 8 }), async (people) => {
        const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
        const store = await open(dir, { pageSize: 2 });
        try {
          const runId = await addImages(store, 3);
          await store.commitDetections(
            shard(
              runId,
              sortedIds(3).map((id) => [id, [DOG, { ...DOG, className: 'car' }]]),
            ),
          );
          const first = await stateOf(store, 3);
          for (const { what, image, pick } of people) await act(store, what, imageId(image), pick);
          const last = await stateOf(store, 3);
          while ((await store.undo()) !== null);
          assert.deepEqual(await stateOf(store, 3), first);
          while ((await store.redo()) !== null);
          assert.deepEqual(await stateOf(store, 3), last);
          assert.deepEqual(await store.check(), []);
        } finally {
          await store.close();
          rmSync(dir, { recursive: true, force: true });
        }
      }),
      { numRuns: 8 },
    );
  });

  test('revisions grow with what is known of an image; changes name the images since', async (t) => {
    const store = await fresh(t, open);
    const runId = await addImages(store, 7);
    const ids = sortedIds(7);
    const start = await store.changes(0);
    assert.equal((await all(start.images())).length, 7);
    const changed = async (since: number) => {
      const changes = await store.changes(since);
      return { ids: (await all(changes.images())).map(({ id }) => id), corpus: changes.corpus, next: changes.revision };
    };
    assert.deepEqual((await changed(start.revision)).ids, []);
    await store.commitDetections(
      shard(runId, [
        [ids[1], [DOG]],
        [ids[5], []],
      ]),
    );
    await store.putLabels([said(ids[3], 'cat')]);
    const labelled = await changed(start.revision);
    assert.deepEqual([labelled.ids, labelled.corpus], [[ids[1], ids[3], ids[5]], false]);
    const revisions = await store.revisionsOf([...ids, imageId(99)]);
    assert.equal(revisions.size, 7);
    assert.ok((revisions.get(ids[3]) ?? 0) > (revisions.get(ids[1]) ?? 0));
    const [file] = (await store.pathsOfImages([ids[6]])).get(ids[6]) ?? [];
    await store.markMissing([file?.path ?? ''], true);
    assert.deepEqual((await changed(labelled.next)).ids, [ids[6]], 'it is gone');
    await store.putSplits(runId, new Map([[ids[0], 'train']]));
    await store.clearMachineLabels('objects', 'detector');
    assert.deepEqual((await changed(labelled.next)).ids, [ids[0], ids[1], ids[6]]);
    await store.forgetImages([ids[0]]);
    assert.equal((await store.changes(labelled.next)).forgotten, true);
    await store.commitIngest({
      runId,
      images: [],
      paths: [path(0, { imageId: ids[6], path: file?.path })],
      quarantine: [],
    });
    assert.deepEqual((await changed((await store.changes(labelled.next)).revision - 1)).ids, [ids[6]], 'it is back');
  });

  test('a write that expects what is there no more is refused, and does nothing', async (t) => {
    const store = await fresh(t, open);
    await addImages(store, 2);
    const [a, b] = [imageId(0), imageId(1)];
    const expected = await store.revisionsOf([a, b]);
    await store.putLabels([said(a, 'cat')], { expected });
    const refused = { code: 'REFUSED', details: { images: [a] } };
    await assert.rejects(store.putLabels([said(b, 'dog'), said(a, 'dog')], { expected }), refused);
    await assert.rejects(store.putRegions([drawn(b, [0, 0, 1, 1])], { expected }), refused);
    assert.equal((await store.labelsOf([b])).size, 0);
    assert.equal((await store.regionsOf([b])).size, 0);
    assert.equal((await store.operations()).length, 1);
    await store.putLabels([said(a, 'dog')], { expected: await store.revisionsOf([a]) });
  });

  test('a run is under way until its lease ends, which its process renews', async (t) => {
    const dir = scratch(t);
    const store = await open(dir, { leaseMs: 300 });
    const other = await open(dir, { leaseMs: 300 });
    await startRun(store);
    await sleep(900);
    assert.equal((await other.runs())[0]?.status, 'running', 'renewed');
    await store.close();
    const deadline = performance.now() + 5000;
    while ((await other.runs())[0]?.status === 'running' && performance.now() < deadline) await sleep(50);
    assert.equal((await other.runs())[0]?.status, 'interrupted');
    await other.close();
    // Of a clock that was ahead by an hour.
    const late = await open(dir, { leaseMs: 3_600_000 });
    await startRun(late);
    await late.close();
    const now = await open(dir, { leaseMs: 300 });
    assert.equal((await now.runs())[0]?.status, 'interrupted');
    await now.close();
  });
}

async function act(store: Store, what: string, image: string, pick: number): Promise<void> {
  const regions: StoredRegion[] = (await store.regionsOf([image])).get(image)?.filter((r) => !r.deleted) ?? [];
  const region = regions[pick % Math.max(1, regions.length)];
  const objects = { task: 'objects' };
  switch (what) {
    case 'label':
      return store.putLabels([
        said(image, `k${pick % 3}`),
        ...(region ? [said(region.id, `k${pick % 2}`, objects)] : []),
      ]);
    case 'deny':
      return region && store.putLabels([said(region.id, 'dog', { ...objects, present: false })]);
    case 'draw':
      return store.putRegions([drawn(image, [pick, 0, pick + 5, 5], { details: { trackId: `${pick}` } })]);
    case 'move':
      return region && store.putRegions([{ ...region, box: [pick, 1, pick + 9, 9], touched: true }]);
    case 'delete':
      return region && store.deleteRegionsAsHuman([region.id]);
    default: {
      const operation = await store.beginOperation({ name: what, arguments: {} });
      const brought = drawn(image, [0, pick, 9, pick + 9], { touched: false, polygons: [[pick, 1, 2, 3, 4, 5]] });
      await store.putRegions([brought], { operation });
      const imported = { ...objects, origin: 'imported', annotator: `p${pick % 2}` } as const;
      await store.putLabels([said(brought.id, 'dog', imported), said(brought.id, 'cat', imported)], { operation });
    }
  }
}
