/** Histograms of scores by many machines, against one pass over all candidates. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { addImages, MODEL, shard } from '../../../test/contracts/store/fixtures.ts';
import { describeShared } from '../../../test/fleet/shared-place.ts';
import { withWorkers } from '../../../test/fleet/workers.ts';
import { WORKER_COUNTS } from '../../../test/thorough.ts';
import { seededRandom } from '../../core/random.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import type { Engine } from '../../jobs/stage.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { doubtsIn, doubtsTogether } from './doubt-stage.ts';

const IMAGES = 200;
const PARTS = 64;
const CLASSES = ['dog', 'cat', 'puppy'];
/** Two classes of the model are one here. */
const QUERY = {
  modelKey: MODEL,
  classNames: CLASSES,
  mapping: { puppy: 'dog' },
  odds: { slope: 3, intercept: 3 - Math.log(4), share: 0.2 },
};

describeShared('scores of candidates, by many machines', (place) => {
  async function doubtsAt(location: string, engine: Engine) {
    const workspace = await openWorkspace(location, { create: true, blobsAt: undefined, engine });
    try {
      await detected(workspace);
      const run = { seed: 0, threads: 1 };
      const together = await doubtsTogether(workspace, QUERY, { ...run, spreadFrom: IMAGES });
      assert.equal((await workspace.store.runs()).filter(({ stage }) => stage === 'doubt').length, 1);
      const alone = await doubtsTogether(workspace, QUERY, { ...run, spreadFrom: IMAGES + 1 });
      assert.deepEqual(alone, await doubtsIn(workspace.store, QUERY));
      return { together, alone };
    } finally {
      await workspace.close();
    }
  }

  async function byWorkers(count: number) {
    const location = `${place.url}?schema=doubt${count}`;
    await (await openWorkspace(location, { create: true, blobsAt: join(place.dir, `blobs${count}`) })).close();
    const workers = { count, cacheDir: join(place.dir, 'cache') };
    const { outcome, shards } = await withWorkers(location, workers, (engine) => doubtsAt(location, engine));
    // A slow one is given to others too.
    assert.ok(shards >= PARTS, `${shards}`);
    return outcome;
  }

  test(`${WORKER_COUNTS.join(', ')} of them: the numbers of one machine with SQLite`, async () => {
    const { together, alone } = await doubtsAt(join(place.dir, 'here', '.labelsmith'), localEngine());
    assert.deepEqual(together, alone);
    assert.deepEqual(
      alone.map(({ name }) => name),
      ['cat', 'dog'],
    );
    for (const count of WORKER_COUNTS)
      assert.deepEqual(await byWorkers(count), { together, alone }, `${count} workers`);
  });
});

async function detected({ store }: Workspace): Promise<void> {
  const random = seededRandom(5);
  const runId = await addImages(store, IMAGES);
  const images: string[] = [];
  for await (const page of store.images()) images.push(...page.map(({ id }) => id));
  const candidates = () => {
    const count = Math.floor(6 * random());
    return {
      count,
      boxes: Float32Array.from({ length: 4 * count }, () => 100 * random()),
      scores: Float32Array.from({ length: count }, () => 0.05 + 0.95 * random()),
      classes: Int32Array.from({ length: count }, () => Math.floor(CLASSES.length * random())),
    };
  };
  await store.commitDetections({
    ...shard(runId, []),
    images: images.map((imageId) => ({ imageId, candidates: candidates(), regions: [], imageLabels: [] })),
  });
}
