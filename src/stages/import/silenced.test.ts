import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { addImages, imageId, said, scratch, startRun } from '../../../test/contracts/store/fixtures.ts';
import { openStore } from '../../store/open.ts';
import { importLabels } from './import.ts';

const IMAGES = 6;

/** Expected values follow from "Whose label holds" in docs/discover.md. */
test('an import tells once that labels of clusters do not count any more, and not where it corrects them', async (t) => {
  const dir = scratch(t);
  const store = await openStore(join(dir, '.labelsmith'));
  t.after(() => store.close());
  await addImages(store, IMAGES);
  const runId = await startRun(store, 'discover');
  await store.putArtifact('clusters', 'class', { version: 1, data: '{}' });
  for (let n = 0; n < IMAGES; n++) {
    const name = n < 4 ? 'ferry' : 'unnamed-1';
    await store.putLabels([said(imageId(n), name, { origin: 'cluster', confidence: 0.5, runId })]);
  }
  const file = join(dir, 'labels.csv');
  const read = async (rows: string, options = {}) => {
    await writeFile(file, `file,class\n${rows}`);
    return (await importLabels(store, 'csv', file, { as: 'human', ...options }, await startRun(store))).silenced;
  };
  assert.deepEqual(await read('0000.jpg,ferry\n0001.jpg,boat\n'), [], 'as many of clusters as of others');
  assert.deepEqual(await read('0002.jpg,boat\n', { task: 'other' }), [], 'no cluster labels that task');
  // Two of boat and one of ferry. Images 3, 4 and 5 have labels of clusters that no person outranks.
  const told = await read('0002.jpg,boat\n');
  assert.deepEqual(told, [{ task: 'class', owner: 'people', classes: 2, labels: 3 }]);
  assert.deepEqual(await read('0003.jpg,boat\n'), [], 'it was so before');
});
