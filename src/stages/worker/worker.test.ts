import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { everyStage, type Ground, prepare } from '../../../test/contracts/stage/every-stage.ts';
import { startWorker, type TestWorker } from '../../../test/fleet/workers.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../../test/postgres/server.ts';
import { WORKER_COUNTS } from '../../../test/thorough.ts';
import { bossQueue } from '../../jobs/fleet/boss-queue.ts';
import { fleetEngine } from '../../jobs/fleet/fleet-engine.ts';
import { localEngine } from '../../jobs/local-engine.ts';

const found = postgresPrograms();

describe('workers', { skip: 'missing' in found ? found.missing : false, concurrency: true }, () => {
  let server: PostgresServer;
  let ground: Ground;
  let here: ReadonlyMap<string, string>;
  before(async () => {
    [server, ground] = await Promise.all([startPostgres(), prepare()]);
    here = await everyStage(ground, { name: 'here' }, localEngine());
  });
  after(async () => {
    await server.stop();
    await rm(ground.dir, { recursive: true, force: true });
  });

  async function withWorkers(count: number): Promise<ReadonlyMap<string, string>> {
    const name = `workers${count}`;
    const location = `${server.url}?schema=${name}`;
    const workers: TestWorker[] = [];
    // Workers come when there is a workspace; the first queue that is opened makes the schema of the queue.
    const engine = fleetEngine({
      local: localEngine(),
      pollMs: 20,
      openQueue: async () => {
        const queue = await bossQueue({ location });
        for (let n = 0; n < count; n++) workers.push(startWorker(location, `worker ${n}`, ground.cacheDir));
        return queue;
      },
    });
    try {
      return await everyStage(ground, { name, location, blobsAt: join(ground.dir, `${name}-blobs`) }, engine);
    } finally {
      await engine.close();
      const summaries = await Promise.all(workers.map((worker) => worker.stop()));
      assert.ok(
        summaries.every((one) => (one?.shards ?? 0) > 0),
        JSON.stringify(summaries),
      );
    }
  }

  for (const count of WORKER_COUNTS) {
    test(`${count} of them do every stage, and what comes of it is that of one machine, byte for byte`, async () => {
      const there = await withWorkers(count);
      for (const [what, content] of here) assert.equal(there.get(what), content, what);
    });
  }
});
