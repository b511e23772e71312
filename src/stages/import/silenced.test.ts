import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRun } from '../../../test/contracts/store/fixtures.ts';
import { storeWithClusters } from '../../../test/fixtures/store-with-clusters.ts';
import { importLabels } from './import.ts';

/** Expected values follow from "Whose label holds" in docs/discover.md. */
test('an import tells once that labels of clusters do not count any more, and not where it corrects them', async (t) => {
  const clusters = ['ferry', 'ferry', 'ferry', 'ferry', 'unnamed-1', 'unnamed-1'];
  const { dir, store } = await storeWithClusters(t, clusters);
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
