import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { addImages, imageId, said, scratch, shard, startRun } from '../../../test/contracts/store/fixtures.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { importLabels } from './import.ts';

const NAMES = ['0000.jpg', '0001.jpg', '0002.jpg'];

async function withImages(t: TestContext, n: number): Promise<{ readonly dir: string; readonly store: Store }> {
  const dir = scratch(t);
  const store = await openStore(join(dir, '.labelsmith'));
  t.after(() => store.close());
  await addImages(store, n);
  return { dir, store };
}

async function allCats(dir: string): Promise<string> {
  const file = join(dir, 'labels.csv');
  await writeFile(file, `file,class\n${NAMES.map((name) => `${name},cat`).join('\n')}\n`);
  return file;
}

/** Something happens between the staging of the first page and the end. */
function whenStaged(store: Store, happens: () => Promise<unknown>): Store {
  let isFirst = true;
  return {
    ...store,
    async stage(staged, page) {
      await store.stage(staged, page);
      if (isFirst) await happens();
      isFirst = false;
    },
  };
}

it('works out again what a person says while the import is under way, and counts it once', async (t) => {
  const { dir, store } = await withImages(t, 3);
  const file = await allCats(dir);
  const meanwhile = whenStaged(store, () => store.putLabels([said(imageId(1), 'dog', { annotator: 'Ann' })]));
  const options = { as: 'human', replace: true } as const;
  const { corrections, labels, reckoning } = await importLabels(meanwhile, 'csv', file, options, await startRun(store));
  assert.deepEqual([labels, corrections?.labels.added, corrections?.labels.changed], [3, 2, 1]);
  const [told, ...others] = reckoning.problems;
  assert.deepEqual(
    [told.reason, told.examples.map(({ what }) => what)],
    ['person-contradicted', ['0001.jpg: it was "dog" (Ann)']],
  );
  assert.deepEqual(others, []);
  const words = (await store.labelsOf([imageId(1)])).get(imageId(1));
  assert.deepEqual(
    words?.map(({ className }) => className),
    ['dog', 'cat'],
    'the newer one holds, the older is kept',
  );
});

it('leaves out an image that was forgotten meanwhile', async (t) => {
  const { dir, store } = await withImages(t, 3);
  const file = await allCats(dir);
  const meanwhile = whenStaged(store, () => store.forgetImages([imageId(1)]));
  await importLabels(meanwhile, 'csv', file, { as: 'human' }, await startRun(store));
  assert.deepEqual(
    (await store.classes()).map(({ name, counts }) => [name, counts[0].count]),
    [['cat', 2]],
  );
  assert.deepEqual(await store.check(), []);
});

it('tells where a second person says otherwise than the first, and keeps both', async (t) => {
  const { dir, store } = await withImages(t, 3);
  const read = async (csv: string) => {
    await writeFile(join(dir, 'labels.csv'), csv);
    return importLabels(store, 'csv', join(dir, 'labels.csv'), { as: 'human' }, await startRun(store));
  };
  const first = await read('file,class,annotator\n0000.jpg,cat,Ann\n0001.jpg,dog,Ann\n0002.jpg,,Ann\n');
  assert.deepEqual(first.reckoning.problems, []);
  const { reckoning } = await read('file,class,annotator\n0000.jpg,dog,Bob\n0001.jpg,dog,Bob\n0002.jpg,cat,Bob\n');
  assert.deepEqual(
    reckoning.problems.map(({ reason, examples }) => [reason, examples.map(({ what }) => what)]),
    [['person-contradicted', ['0000.jpg: it was "cat" (Ann)']]],
  );
  const words = (await store.labelsOf([imageId(0)])).get(imageId(0));
  assert.deepEqual(
    words?.map(({ className, annotator }) => [className, annotator]),
    [
      ['cat', 'Ann'],
      ['dog', 'Bob'],
    ],
  );
});

it('takes a second person’s box of what the first one drew for a second voice, and no second box', async (t) => {
  const { dir, store } = await withImages(t, 1);
  const read = async (rows: readonly string[], task?: string) => {
    const csv = ['file,x1,y1,x2,y2,class,annotator', ...rows.map((row) => `0000.jpg,${row}`)].join('\n');
    await writeFile(join(dir, 'boxes.csv'), csv);
    const options = { as: 'human', strict: task === undefined, ...(task === undefined ? {} : { task }) } as const;
    const { reckoning } = await importLabels(store, 'csv', join(dir, 'boxes.csv'), options, await startRun(store));
    // Nothing of the file is mended by it, and so --strict takes it in.
    assert.ok(reckoning.problems.every(({ outcome }) => outcome === 'told'));
    return reckoning.problems.map(({ reason, examples }) => [reason, ...examples.map(({ what }) => what)]);
  };
  const regions = async () => {
    const found = (await store.regionsOf([imageId(0)])).get(imageId(0)) ?? [];
    const labels = await store.labelsOf(found.map(({ id }) => id));
    const say = (id: (typeof found)[number]['id']) =>
      (labels.get(id) ?? []).map(({ className, annotator }) => `${className} ${annotator}`);
    return found.map(({ id, box }) => [...box, ...say(id)].join(' ')).sort();
  };
  const ann = ['0,0,40,40,cat,Ann', '50,0,90,40,dog,Ann'];
  assert.deepEqual(await read(ann), []);
  // IoU with Ann's: 36/44, 38/42, 0.
  const bob = ['4,0,44,40,cat,Bob', '52,0,92,40,fox,Bob', '0,60,20,80,cat,Bob'];
  const told = [
    ['people-disagree', '0000.jpg: "fox" (Bob) where "dog" (Ann) was'],
    ['voice-joined', '0000.jpg: "cat" (Bob)'],
  ];
  assert.deepEqual((await read(bob)).sort(), told);
  const after = ['0 0 40 40 cat Ann cat Bob', '0 60 20 80 cat Bob', '50 0 90 40 dog Ann', '52 0 92 40 fox Bob'];
  assert.deepEqual(await regions(), after);
  // Both files again: nothing more comes of them.
  await read(ann);
  await read(bob);
  assert.deepEqual(await regions(), after);
  // In a task of its own a box is a box of its own, of whatever class.
  assert.deepEqual(await read(['1,0,41,40,cat,Cem', '51,0,91,40,wolf,Cem'], 'parts'), []);
  assert.deepEqual(await regions(), ['1 0 41 40 cat Cem', '51 0 91 40 wolf Cem', ...after].sort());
  assert.deepEqual(
    (await store.tasks()).filter(({ name }) => name === 'parts'),
    [{ name: 'parts', rule: 'multi', items: 'regions' }],
  );
});

it('keeps a box of a detector that the person left beside one that was moved over it', async (t) => {
  const { dir, store } = await withImages(t, 1);
  const detected = [
    { box: [10, 10, 40, 60], className: 'person', score: 0.9 },
    { box: [26, 10, 56, 60], className: 'person', score: 0.8 },
  ] as const;
  await store.commitDetections(shard(await startRun(store, 'detect'), [[imageId(0), detected]]));
  const boxes = async () =>
    ((await store.regionsOf([imageId(0)])).get(imageId(0)) ?? []).map(({ box, touched }) => [touched, ...box]);
  const options = { as: 'human', replace: true, confirmAll: false, task: 'objects' } as const;
  const read = async (...rows: readonly string[]) => {
    const csv = ['file,class,x1,y1,x2,y2', ...rows.map((row) => `0000.jpg,person,${row}`)].join('\n');
    await writeFile(join(dir, 'boxes.csv'), csv);
    return importLabels(store, 'csv', join(dir, 'boxes.csv'), options, await startRun(store));
  };
  const { corrections } = await read('10,10,40,60', '16,10,46,60');
  assert.deepEqual([corrections?.objects.changed, corrections?.objects.unchanged], [1, 1]);
  const both = [
    [false, 10, 10, 40, 60],
    [true, 16, 10, 46, 60],
  ];
  assert.deepEqual((await boxes()).sort(), both);
  await read('10,10,40,60', '16,10,46,60');
  assert.deepEqual((await boxes()).sort(), both, 'the same file again');
  await read('16,10,46,60');
  assert.deepEqual(
    (await store.regionsOf([imageId(0)])).get(imageId(0))?.flatMap(({ box, deleted }) => (deleted ? [] : [box])),
    [[16, 10, 46, 60]],
  );
});
