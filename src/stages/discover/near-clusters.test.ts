/** Clusters that may be one class: vectors made so that it is known which are. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { openStore } from '../../store/open.ts';
import { arrowVectorStore } from '../../vectors/folder-vectors.ts';
import { fitMean, requireRecipe } from '../embed/recipe.ts';
import { nearClusters } from './near-clusters.ts';

const EACH = 5;

test('two halves of one thing are near one another, and other things are not', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-near-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const random = seededRandom(3);
  // Things 0, 1 and 2 in directions of their own; clusters 0 and 3 are both thing 0.
  const clusters = [0, 1, 2, 0].map((thing, cluster) =>
    Array.from({ length: EACH }, (_, i) => ({
      id: sha256Hex(`${cluster} ${i}`),
      path: `${cluster}-${i}.jpg`,
      vector: Array.from({ length: 16 }, (_, j) => (j === thing ? 1 : 0) + 0.15 * (random() - 0.5)),
    })),
  );
  const items = clusters.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
  await addEmbedded(store, dir, items);
  const recipe = await requireRecipe(store, 'images');
  const vectors = arrowVectorStore(dir);
  await fitMean(store, vectors, recipe, await store.vectorShards(recipe.space, 'images'));
  const model = {
    items: 'images',
    space: recipe.space,
    clusters: clusters.map((of, i) => ({ name: `${i}`, candidates: [], exemplars: of.map(({ id }) => id) })),
  } as const;
  const near = await nearClusters({ store, vectors }, model);
  assert.deepEqual(
    near.map(({ a, b }) => [a, b]),
    [[0, 3]],
  );
  assert.ok(Math.abs((near[0]?.likeness ?? 0) - 1) < 0.1, 'as like one another as within themselves');
  assert.deepEqual(await nearClusters({ store, vectors }, { ...model, space: 'another' }), []);
});
