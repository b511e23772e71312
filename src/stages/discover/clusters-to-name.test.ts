/** Clusters for people to name, before all of their classes are there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addImages, imageId, said, scratch } from '../../../test/contracts/store/fixtures.ts';
import { change } from '../../corpus/corpus.ts';
import { openStore } from '../../store/open.ts';
import { saveModel } from './cluster-model.ts';
import { clustersToName } from './clusters-to-name.ts';

test('of a clustering that was stopped, clusters are there as far as their classes are', async (t) => {
  const store = await openStore(scratch(t));
  t.after(() => store.close());
  const runId = await addImages(store, 3);
  await saveModel(store, {
    ...({ task: 'class', items: 'images', space: 'made', meanKey: 'made', method: 'graph', seed: 0 } as const),
    ...({ asked: 'auto', k: 2, sample: [0, 1, 2].map((n) => imageId(n).slice(0, 16)) } as const),
    cut: { clusters: Int32Array.of(1, 1, 0), nodes: Int32Array.of(-1, -1), known: Int32Array.of(-1, -1, -1) },
    clusters: ['unnamed-1', 'unnamed-2'].map((name) => ({ name, candidates: [], exemplars: [imageId(0)] })),
    hierarchy: {
      leafOf: new Int32Array(3),
      tree: { points: 0, left: new Int32Array(0), right: new Int32Array(0), costs: new Float64Array(0) },
    },
  });
  assert.deepEqual(await clustersToName(store, 'class'), []);
  const by = { origin: 'cluster', confidence: 0.5, runId } as const;
  await store.putLabels([said(imageId(0), 'unnamed-2', by), said(imageId(1), 'unnamed-2', by)]);
  const found = async () =>
    (await clustersToName(store, 'class')).map(({ name, items, held, unnamed }) => [name, items, held, unnamed]);
  assert.deepEqual(await found(), [['unnamed-2', 2, false, true]]);
  await change(store, { kind: 'rename', from: 'unnamed-2', to: 'gem' });
  assert.deepEqual(await found(), [['gem', 2, true, false]]);
});
