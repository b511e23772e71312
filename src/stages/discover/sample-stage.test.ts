/** Passes over all vectors by many machines: mean, sample and assignment, against one machine with SQLite. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { describeShared } from '../../../test/fleet/shared-place.ts';
import { withWorkers } from '../../../test/fleet/workers.ts';
import { WORKER_COUNTS } from '../../../test/thorough.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import type { Engine } from '../../jobs/stage.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { requireRecipe, savedMean } from '../embed/recipe.ts';
import { savedModel } from './cluster-model.ts';
import { discoverIn } from './discover.ts';

const ITEMS = 300;
const COLUMNS = 8;
/** Fewer than there are, so that which are drawn shows. */
const MAX_SAMPLE = 100;

/** Near the axis of one of four kinds. Of every ten, five are near copies of the one before. */
async function embedded({ store, dir, vectors }: Workspace): Promise<void> {
  const random = seededRandom(3);
  const ids = Array.from({ length: ITEMS }, (_, n) => sha256Hex(`item ${n}`));
  const items = ids.map((id, n) => ({
    id,
    path: `/photos/kind-${n % 4}/${n}.jpg`,
    vector: Array.from({ length: COLUMNS }, (_, j) => Number(j === n % 4) + 0.3 * random()),
  }));
  await addEmbedded(store, dir, items, vectors);
  const pairs = ids.flatMap((a, n) => (n % 10 < 5 ? [[a, ids[n + 1]].sort()] : []));
  await store.putSimilarPairs(pairs.map(([a, b]) => ({ a, b, kind: 'near-duplicate', distance: 1 })));
}

/** All that `discover` left, and what it said. */
async function discovered(workspace: Workspace, spreadFrom: number) {
  const { store } = workspace;
  await embedded(workspace);
  const options = { seed: 5, threads: 1, k: 4, maxSample: MAX_SAMPLE, spreadFrom };
  const noFiles = () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files'));
  const { counts, clusters } = await discoverIn(workspace, options, noFiles);
  const { space } = await requireRecipe(store, 'images');
  const ids = Array.from({ length: ITEMS }, (_, n) => sha256Hex(`item ${n}`));
  const labels = await store.labelsOf(ids, 'class');
  const files: string[] = [];
  for (const one of await store.vectorSpaces('images'))
    for (const { file } of await store.vectorShards(one, 'images')) files.push(file.replace(/^.*\//, ''));
  const given = ids.map((id) => labels.get(id)?.map(({ className, confidence }) => [className, confidence]));
  const mean = await savedMean(store, space);
  return { counts, clusters, mean, model: await savedModel(store, 'class'), given, files: files.sort() };
}

describeShared('discover by many machines', (place) => {
  async function discoveredIn(location: string, engine: Engine, spreadFrom: number) {
    const workspace = await openWorkspace(location, { create: true, blobsAt: undefined, engine });
    return discovered(workspace, spreadFrom).finally(() => workspace.close());
  }

  async function byWorkers(count: number) {
    const location = `${place.url}?schema=sample${count}`;
    await (await openWorkspace(location, { create: true, blobsAt: join(place.dir, `blobs${count}`) })).close();
    const workers = { count, cacheDir: join(place.dir, 'cache') };
    const { outcome, shards } = await withWorkers(location, workers, (engine) => discoveredIn(location, engine, 1));
    assert.equal(shards, 1 + 1 + 1 + ITEMS / 20, 'mean, sample, its neighbours and files');
    return outcome;
  }

  test(`${WORKER_COUNTS.join(', ')} of them: the bits of one machine with SQLite`, async () => {
    const here = await discoveredIn(join(place.dir, 'here'), localEngine(), Number.POSITIVE_INFINITY);
    assert.equal(here.model?.sample.length, MAX_SAMPLE);
    assert.equal(here.counts.assigned, ITEMS);
    for (const count of WORKER_COUNTS) assert.deepEqual(await byWorkers(count), here, `${count} workers`);
  });
});
