/** What is claimed of piles of which nothing can be known: random vectors, each as far from every other. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { matrix } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { centreAndNormalise, meanOf } from '../embed/recipe.ts';
import { chanceOfOneThing, ENOUGH_ITEMS, isMixed, itemConfidence, lookOf, shortageOf } from './cluster-confidence.ts';
import { clustersOfCut, hierarchyOf } from './hierarchy.ts';
import { suggestedK } from './levels.ts';

const pool = await InferencePool.create({ threads: 1 });
after(() => pool.close());

const COLUMNS = 256;

async function clustersOfUnlike(items: number) {
  const random = seededRandom(items);
  const unlike = Float32Array.from({ length: items * COLUMNS }, () => random() - 0.5);
  const vectors = matrix(unlike, items, COLUMNS);
  const fromMean = centreAndNormalise(vectors, { blocks: [{ columns: COLUMNS, weight: 1 }] }, meanOf(vectors));
  const hierarchy = await hierarchyOf(pool, vectors, { method: 'graph', seed: 0, fromMean });
  return clustersOfCut(hierarchy, suggestedK(hierarchy)).filter((cluster) => cluster !== undefined);
}

for (const items of [3, 4, 6, 8]) {
  test(`${items} items that are all different: no cluster is called one thing, and no item is said to belong`, async () => {
    const clusters = await clustersOfUnlike(items);
    assert.ok(clusters.length > 0);
    for (const cluster of clusters) {
      assert.ok(isMixed(chanceOfOneThing(cluster)), `chance ${chanceOfOneThing(cluster)} of ${cluster.size}`);
      assert.ok(itemConfidence(1, cluster) < 0.7, `confidence ${itemConfidence(1, cluster)} of ${cluster.size}`);
    }
  });
}

test('so many items as are enough fall short of nothing, a third of them by ln 3', () => {
  assert.equal(shortageOf(ENOUGH_ITEMS), 0);
  assert.equal(shortageOf(1000), 0);
  assert.ok(Math.abs(shortageOf(ENOUGH_ITEMS / 3) - Math.log(3)) < 1e-12);
});

test('a low chance is called mixed, of few items unsure', () => {
  assert.deepEqual(
    [lookOf(0.2, 500), lookOf(0.2, 10), lookOf(0.8, 10), lookOf(null, 500)],
    ['mixed', 'unsure', '', ''],
  );
});
