/** An export while somebody works on: it has the names of one moment, and no label of a class that is newer. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { addImages, imageId, said, scratch } from '../../../test/contracts/store/fixtures.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { exportWorkspace } from './export.ts';

const COUNT = 3;

async function withDogs(t: TestContext): Promise<{ readonly dir: string; readonly store: Store }> {
  const dir = scratch(t);
  const store = await openStore(join(dir, '.labelsmith'));
  t.after(() => store.close());
  await addImages(store, COUNT);
  await store.putLabels(Array.from({ length: COUNT }, (_, n) => said(imageId(n), 'dog')));
  return { dir, store };
}

/** Something happens before each pass over the labels: the first collects the classes, the last writes. */
function beforeEachPass(store: Store, happens: (pass: number) => Promise<unknown>): Store {
  let passes = 0;
  return {
    ...store,
    async datasetView() {
      const view = await store.datasetView();
      return {
        ...view,
        async *read(query) {
          await happens(++passes);
          yield* view.read(query);
        },
      };
    },
  };
}

async function classesIn(store: Store, dir: string, name: string): Promise<string[]> {
  const out = join(dir, name);
  const effects = {
    store,
    workspaceDir: join(dir, '.labelsmith'),
    read: () => Promise.reject(new Error('no picture is read for a table')),
    crop: () => Promise.reject(new Error('nothing is cropped')),
  };
  await exportWorkspace(effects, 'csv', out, { seed: 0, margin: 0, replace: false });
  const [header, ...rows] = (await readFile(out, 'utf8')).trimEnd().split('\n');
  const column = header.replace('\uFEFF', '').split(',').indexOf('class');
  return rows.map((row) => row.trim().split(',')[column]);
}

it('a class that is renamed at every pass has one name in it', async (t) => {
  const { dir, store } = await withDogs(t);
  const rename = (pass: number) =>
    store.changeCorpus({ name: 'rename', arguments: {}, atMs: pass }, (state) => {
      const [entry] = state.classes.values();
      const classes = new Map(state.classes).set(entry.id, { ...entry, name: `hound ${pass}` });
      return { state: { ...state, classes } };
    });
  let passes = 0;
  const restless = beforeEachPass(store, (pass) => {
    passes = pass;
    return rename(pass);
  });
  assert.deepEqual(await classesIn(restless, dir, 'during.csv'), ['dog', 'dog', 'dog']);
  assert.ok(passes >= 2, 'it was renamed before the pass that writes');
  assert.deepEqual(await classesIn(store, dir, 'after.csv'), Array(COUNT).fill(`hound ${passes}`));
});

it('a class whose first label comes meanwhile is in the next export', async (t) => {
  const { dir, store } = await withDogs(t);
  const busy = beforeEachPass(store, () => store.putLabels([said(imageId(0), 'wolf', { task: 'class' })]));
  const during = await classesIn(busy, dir, 'during.csv');
  assert.ok(!during.includes('wolf'), during.join());
  assert.ok((await classesIn(store, dir, 'after.csv')).includes('wolf'));
});
