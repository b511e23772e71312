/** The neighbour graph of a sample and the restarts of k-means by many machines, against the pool of one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startRun } from '../../../test/contracts/store/fixtures.ts';
import { describeShared } from '../../../test/fleet/shared-place.ts';
import { withWorkers } from '../../../test/fleet/workers.ts';
import { WORKER_COUNTS } from '../../../test/thorough.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { seededRandom } from '../../core/random.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import type { Engine } from '../../jobs/stage.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { kmeans } from '../../math/kmeans/kmeans.ts';
import { type Matrix, matrix, normalisedRows } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { KMEANS_RESTARTS, neighboursOf } from './hierarchy.ts';
import { dropKeptSamples, SAMPLES_FOLDER } from './kept-sample.ts';
import { withSpreadWork } from './sample-work.ts';

/** Three parts, the last of which ends within a block of the search. */
const ROWS = 2500;
const PARTS = 3;
const COLUMNS = 24;
const K = 7;
const SEED = 3;

function points(): Matrix {
  const random = seededRandom(8);
  return normalisedRows(
    matrix(
      Float32Array.from({ length: ROWS * COLUMNS }, () => random() - 0.5),
      ROWS,
      COLUMNS,
    ),
  );
}

describeShared('what costs most of the tree, by many machines', (place) => {
  const vectors = points();
  let pool: InferencePool;
  before(async () => {
    pool = await InferencePool.create({ threads: 1 });
  });
  after(async () => {
    await pool.close();
  });

  /** @param beside what somebody else does with what is among the blobs whenever something was put there */
  async function doneIn(
    location: string,
    engine: Engine,
    count: number,
    beside: typeof dropKeptSamples = async () => {},
  ) {
    const opened = await openWorkspace(location, { create: true, engine });
    const blobs: BlobStore = {
      ...opened.blobs,
      async put(key, bytes) {
        await opened.blobs.put(key, bytes);
        await beside(opened.blobs);
      },
    };
    const workspace = { ...opened, blobs };
    try {
      const runId = await startRun(workspace.store, 'discover');
      const job = { workspace, runId, seed: 0, threads: 1 };
      const outcome = await withSpreadWork(job, pool, { count, spreadFrom: ROWS }, async (work) => {
        return (
          work && { graph: await work.neighbours(vectors), labels: await work.kmeans(vectors, { k: K, seed: SEED }) }
        );
      });
      const left: string[] = [];
      for await (const { key } of workspace.blobs.list(SAMPLES_FOLDER)) left.push(key);
      assert.deepEqual(left, [], 'the vectors do not stay');
      return outcome;
    } finally {
      await workspace.close();
    }
  }

  async function byWorkers(workers: number, name = `work${workers}`, beside?: typeof dropKeptSamples) {
    const location = `${place.url}?schema=${name}`;
    await (await openWorkspace(location, { create: true, blobsAt: join(place.dir, name) })).close();
    const given = { count: workers, cacheDir: join(place.dir, 'cache') };
    const { outcome, shards } = await withWorkers(location, given, (engine) => doneIn(location, engine, ROWS, beside));
    assert.equal(shards, PARTS + KMEANS_RESTARTS);
    return outcome;
  }

  test(`${WORKER_COUNTS.join(', ')} of them, and the local engine: the bits of the pool; of few items the pool does it`, async () => {
    const { labels } = await kmeans(pool, vectors, { k: K, seed: SEED, restarts: KMEANS_RESTARTS });
    const here = { graph: await neighboursOf(pool, vectors), labels };
    assert.deepEqual(await doneIn(join(place.dir, 'here'), localEngine(), ROWS), here, 'local engine');
    for (const count of WORKER_COUNTS) assert.deepEqual(await byWorkers(count), here, `${count} workers`);
    assert.equal(await doneIn(join(place.dir, 'few'), localEngine(), ROWS - 1), undefined);

    // Another `discover`, or `forget`, deletes the vectors as soon as they are there.
    let deleted = 0;
    const beside: typeof dropKeptSamples = async (blobs) => {
      if (deleted++ === 0) await dropKeptSamples(blobs);
    };
    assert.deepEqual(await byWorkers(2, 'beside', beside), here, 'beside one that deletes');
    assert.ok(deleted > 1, 'they were put again');
  });
});
