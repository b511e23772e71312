/**
 * A fleet at work: every stage with 1, 2 and 4 workers on many images. LABELSMITH_FLEET_IMAGES is their number: 10,000 in a run
 * of all slow tests, few where this file runs by itself.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import { everyStage, type Ground, prepare } from '../contracts/stage/every-stage.ts';
import { startWorker, type TestWorker } from '../fleet/workers.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';

const IMAGES = Number(process.env.LABELSMITH_FLEET_IMAGES ?? 60);
/** Some fifty shards a stage, however many images there are. */
const shardSize = Math.max(5, Math.ceil(IMAGES / 50));
const found = postgresPrograms();

describe('a fleet', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  let ground: Ground;
  before(async () => {
    [server, ground] = await Promise.all([startPostgres(), prepare(Math.ceil(IMAGES / 3))]);
  });
  after(async () => {
    await server.stop();
    await rm(ground.dir, { recursive: true, force: true });
  });

  test(`all stages on ${IMAGES} images with 1, 2 and 4 workers: byte for byte those of one machine`, async (t) => {
    const here = await everyStage(ground, { name: 'here', shardSize }, localEngine());
    for (const count of [1, 2, 4]) {
      const location = `${server.url}?schema=workers${count}`;
      const workers: TestWorker[] = [];
      const openQueue = async () => {
        const queue = await bossQueue({ location });
        for (let n = 0; n < count; n++) workers.push(startWorker(location, `worker ${n}`, ground.cacheDir));
        return queue;
      };
      const engine = fleetEngine({ local: localEngine(), openQueue });
      const startedAt = performance.now();
      const blobsAt = join(ground.dir, `blobs${count}`);
      const there = await everyStage(ground, { name: `workers${count}`, location, blobsAt, shardSize }, engine);
      t.diagnostic(`${count} workers: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
      await engine.close();
      await Promise.all(workers.map((worker) => worker.stop()));
      for (const [what, content] of here) assert.equal(there.get(what), content, `${what} with ${count} workers`);
    }
  });
});
