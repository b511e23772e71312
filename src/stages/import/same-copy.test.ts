/** A copy of an export that is taken in more than once. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { imageId, said } from '../../../test/contracts/store/fixtures.ts';
import { storeWithClusters } from '../../../test/fixtures/store-with-clusters.ts';
import { currentLabels } from '../../core/labels.ts';
import { exportWorkspace } from '../export/export.ts';
import { importIn } from './import-in.ts';

/** Two clusters, and their export in labels.csv. */
async function exported(t: TestContext) {
  const { dir, store } = await storeWithClusters(t, ['unnamed-1', 'unnamed-1', 'unnamed-1', 'unnamed-2']);
  const fail = () => assert.fail('no pixel is needed');
  const effects = { store, workspaceDir: join(dir, '.labelsmith'), read: fail, crop: fail };
  const file = join(dir, 'labels.csv');
  await exportWorkspace(effects, 'csv', file, { seed: 0, margin: 0, replace: false });
  const before = await readFile(file, 'utf8');
  /** Takes the file in with image 0 in this class. */
  const take = async (className: string, path = file) => {
    await writeFile(path, before.replace(/^(0000\.jpg),unnamed-1/m, `$1,${className}`));
    const asked = { as: 'human', replace: true, seed: 0, threads: 1 } as const;
    const { corrections, reckoning, newClasses } = await importIn({ store }, 'csv', path, asked);
    return { changed: corrections?.changed, told: reckoning.problems.map(({ reason }) => reason), newClasses };
  };
  const classNow = async () =>
    currentLabels((await store.labelsOf([imageId(0)], 'class')).get(imageId(0)) ?? [], 'single').map(
      ({ className, origin }) => `${className} ${origin}`,
    );
  return { dir, store, file, take, classNow };
}

test('what is moved back in a copy that was taken in before is moved back here', async (t) => {
  const { take, classNow } = await exported(t);
  assert.deepEqual(await take('boat'), { changed: 1, told: [], newClasses: [{ name: 'boat', near: null }] });
  assert.deepEqual(await classNow(), ['boat human']);
  assert.deepEqual(await take('unnamed-1'), { changed: 1, told: [], newClasses: [] });
  assert.deepEqual(await classNow(), ['unnamed-1 human']);
  assert.deepEqual(await take('unnamed-1'), { changed: 0, told: [], newClasses: [] }, 'once is enough');
  assert.equal((await take('boat')).changed, 1);
  assert.deepEqual(await classNow(), ['boat human']);
});

test('a change that another copy made, or somebody at the app, stays where the file has what was exported', async (t) => {
  const { dir, store, file, take, classNow } = await exported(t);
  const other = join(dir, 'copy.csv');
  await cp(file, other);
  await take('boat', other);
  assert.deepEqual(await take('unnamed-1'), { changed: 0, told: ['changed-since-export'], newClasses: [] });
  assert.deepEqual(await classNow(), ['boat human']);
  await take('boat');
  await store.putLabels([said(imageId(0), 'ship')]);
  assert.deepEqual((await take('unnamed-1')).told, ['changed-since-export']);
  assert.deepEqual(await classNow(), ['ship human']);
});

test('classes of an export that are gone since, and that nobody was moved into, are not new', async (t) => {
  const { store, take } = await exported(t);
  await store.clearMachineLabels('class', 'cluster');
  assert.deepEqual(await store.dropUnusedClasses(['unnamed-1', 'unnamed-2']), ['unnamed-1', 'unnamed-2']);
  assert.deepEqual((await take('boat')).newClasses, [{ name: 'boat', near: null }]);
  assert.deepEqual(
    (await store.classes()).map(({ name }) => name),
    ['boat'],
  );
});
