/** Expected values follow from "Whose label holds" in docs/discover.md. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { imageId, said, startRun } from '../../../test/contracts/store/fixtures.ts';
import { storeWithClusters } from '../../../test/fixtures/store-with-clusters.ts';
import { TaskOwners } from '../../corpus/task-owner.ts';
import type { ClassRecord, NewLabel } from '../../store/store.ts';
import { exportWorkspace } from '../export/export.ts';
import { type ImportOptions, importLabels } from './import.ts';
import { ClusterClasses, MoveCounts } from './left-clusters.ts';

const IMAGES = 10;

/** Two clusters of five images each, and their export, which `correct` changes and takes in again. */
async function clustered(t: TestContext) {
  const clusters = Array.from({ length: IMAGES }, (_, n) => (n < 5 ? 'unnamed-1' : 'unnamed-2'));
  const { dir, store } = await storeWithClusters(t, clusters);
  const fail = () => assert.fail('no pixel is needed');
  const effects = { store, workspaceDir: join(dir, '.labelsmith'), read: fail, crop: fail };
  const file = join(dir, 'labels.csv');
  await exportWorkspace(effects, 'csv', file, { seed: 0, margin: 0, replace: false });
  const exported = await readFile(file, 'utf8');
  return {
    store,
    async correct(images: readonly number[], className: string, options: Partial<ImportOptions> = {}) {
      const lines = exported.split('\n').map((line) => {
        const isMeant = images.some((n) => line.startsWith(`${String(n).padStart(4, '0')}.jpg,`));
        return isMeant ? line.replace(/unnamed-\d/, className) : line;
      });
      await writeFile(file, lines.join('\n'));
      const asked = { as: 'human', replace: true, ...options } as const;
      return importLabels(store, 'csv', file, asked, await startRun(store));
    },
    async say(images: readonly number[], className: string) {
      await store.putLabels(images.map((n): NewLabel => said(imageId(n), className)));
    },
    owner: async () => new TaskOwners(await store.classes()).ownerOf('class'),
  };
}

test('a class that a correction made out of clusters silences none, until that is undone', async (t) => {
  const { store, correct, owner, say } = await clustered(t);
  const { corrections, silenced } = await correct([0, 1, 2], 'boat');
  assert.deepEqual([corrections?.comparedWith, corrections?.changed], ['export', 3]);
  assert.deepEqual(silenced, []);
  assert.equal(await owner(), null);
  const [{ arguments: told }] = await store.operations({ limit: 1 });
  assert.deepEqual(told, { format: 'csv', as: 'human', outOfClusters: { class: ['boat'] } });
  assert.deepEqual((await correct([0, 1, 2, 5], 'boat')).silenced, [], 'the same once more, and another');
  // Undone, the images are the clusters' again; what people say of the class by themselves is a class of their own then.
  await store.undo();
  await store.undo();
  assert.equal(await owner(), null);
  await say([3], 'boat');
  assert.equal(await owner(), 'people');
});

test('labels in classes of their own own the task also where they come from a file, or beside corrections of clusters', async (t) => {
  const { correct, owner, say, store } = await clustered(t);
  const { corrections } = await correct([0, 1, 2, 3, 4, 5], 'boat', { replace: false });
  assert.deepEqual([corrections, await owner()], [null, 'people'], 'a file that is compared with no export');
  await store.undo();
  await correct([0, 1, 2], 'boat');
  await say([5, 6, 7], 'car');
  assert.equal(await owner(), null, 'as many of classes of their own as out of clusters');
  await say([8], 'car');
  assert.equal(await owner(), 'people');
});

test('a class that people gave more items before than clusters lost to it stays their own', async (t) => {
  const { correct, owner, say, store } = await clustered(t);
  await say([5, 6, 7], 'boat');
  await correct([0, 1], 'boat');
  assert.equal(await owner(), 'people');
  const [{ arguments: told }] = await store.operations({ limit: 1 });
  assert.deepEqual(told, { format: 'csv', as: 'human' });
});

test('which items left a cluster: what the export showed of them decides, or what holds of them now', () => {
  const of = (name: string, more: Partial<ClassRecord>): ClassRecord => {
    return { name, synonyms: [], parent: null, description: null, synset: null, counts: [], ...more };
  };
  const classes = new ClusterClasses([
    of('chip', { synonyms: ['unnamed-1'], clusteredIn: ['class'] }),
    of('diode', { clusteredIn: ['parts'] }),
  ]);
  const image = imageId(0);
  const region = `${'a'.repeat(64)}`;
  const box = { box: [0, 0, 1, 1], shapes: '' } as const;
  const shownAs = (className: string) => ({
    labels: [{ task: 'class', className }],
    regions: [{ id: region, classes: [className], task: 'parts', ...box }],
  });
  const isOut = (label: Partial<NewLabel>, shown: string | null, held: readonly ReturnType<typeof said>[] = []) =>
    classes
      .moves({
        imageId: image,
        labels: [{ ...said(image, 'boat'), ...label }],
        shown: shown === null ? { labels: [], regions: [] } : shownAs(shown),
        heldOf: () => held.map((one) => ({ ...one, sequence: 1 })),
      })
      .map(([task, className, out]) => `${task} ${className} ${out}`);
  assert.deepEqual(isOut({}, 'chip'), ['class boat true']);
  assert.deepEqual(isOut({}, 'unnamed-1'), ['class boat true'], 'under the name that it had');
  assert.deepEqual(isOut({}, 'diode'), ['class boat false'], 'clusters of another task');
  assert.deepEqual(isOut({ itemId: region, task: 'parts' }, 'diode'), ['parts boat true']);
  assert.deepEqual(isOut({}, 'gone-4', [said(image, 'gone-4', { origin: 'cluster' })]), ['class boat true']);
  assert.deepEqual(isOut({}, null, [said(image, 'chip', { origin: 'cluster' })]), ['class boat false'], 'not shown');
  assert.deepEqual(isOut({ className: 'chip' }, 'chip'), [], 'confirmed');
  assert.deepEqual(isOut({ present: false }, 'chip'), [], 'not this');
  assert.deepEqual(isOut({ origin: 'model' }, 'chip'), []);
});

test('what is taken off again is in no count', () => {
  const counts = new MoveCounts();
  counts.add(
    [
      ['class', 'boat', true],
      ['class', 'ant', false],
    ],
    1,
  );
  counts.add([['class', 'boat', true]], -1);
  assert.deepEqual(
    counts.all().map(({ className, out, others }) => [className, out, others]),
    [
      ['ant', 0, 1],
      ['boat', 0, 0],
    ],
  );
  assert.deepEqual(new ClusterClasses([]).outOf(counts), {});
});
