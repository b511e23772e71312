/**
 * A fleet at work: every stage with 1, 2 and 4 workers on many images, and a run while workers are killed and stopped, and
 * PostgreSQL goes and comes back. LABELSMITH_FLEET_IMAGES is the number of images: 10,000 in a run of all slow tests, few where
 * this file runs by itself.
 */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_ACCEPT_RULES } from '../../src/corpus/accept.ts';
import { LabelsmithError } from '../../src/errors.ts';
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import { originalBytes } from '../../src/jobs/image-reader.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import { openWorkspace, type Workspace } from '../../src/jobs/workspace.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { detectIn } from '../../src/stages/detect/detect.ts';
import { embedIn } from '../../src/stages/embed/embed.ts';
import { exportWorkspace } from '../../src/stages/export/export.ts';
import { everyStage, type Ground, prepare } from '../contracts/stage/every-stage.ts';
import { colourModels } from '../contracts/stage/models.ts';
import { startWorker, type TestWorker } from '../fleet/workers.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';

const IMAGES = Number(process.env.LABELSMITH_FLEET_IMAGES ?? 60);
const FAULTS = Number(process.env.LABELSMITH_FLEET_FAULTS ?? 6);
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
    const here = await everyStage(ground, { name: 'here' }, localEngine());
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
      const there = await everyStage(ground, { name: `workers${count}`, location, blobsAt }, engine);
      t.diagnostic(`${count} workers: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
      await engine.close();
      await Promise.all(workers.map((worker) => worker.stop()));
      for (const [what, content] of here) assert.equal(there.get(what), content, `${what} with ${count} workers`);
    }
  });

  test(`${FAULTS} faults over a run: nothing lost, nothing doubled, the same bytes`, async (t) => {
    const here = await openWorkspace(join(ground.dir, 'undisturbed'), {
      create: true,
      models: colourModels(ground.cacheDir),
    });
    for (const step of STEPS) await step(here, ground);
    const expected = await exported(here, join(ground.dir, 'undisturbed.jsonl'));
    const { summary: counted } = { summary: await here.store.summary() };
    await here.close();

    const location = `${server.url}?schema=faults`;
    const blobsAt = join(ground.dir, 'faults-blobs');
    const start = (n: number) => startWorker(location, `worker ${n}`, ground.cacheDir);
    await (await openWorkspace(location, { create: true, blobsAt })).close();
    await (await bossQueue({ location })).close();
    const workers = [0, 1, 2].map(start);
    const faults: Record<string, number> = {};
    let isDone = false;
    const breaking = (async () => {
      for (let n = 0; n < FAULTS && !isDone; n++) {
        await sleep(300 + (n % 5) * 400);
        const place = n % workers.length;
        const kind = n % 6 === 5 ? 'PostgreSQL restarted' : n % 3 === 2 ? 'SIGSTOP' : 'SIGKILL';
        faults[kind] = (faults[kind] ?? 0) + 1;
        if (kind === 'PostgreSQL restarted') await server.restart();
        else if (kind === 'SIGSTOP') {
          workers[place]?.child.kill('SIGSTOP');
          await sleep(500);
          workers[place]?.child.kill('SIGCONT');
        } else {
          workers[place]?.child.kill('SIGKILL');
          workers[place] = start(n);
        }
      }
    })();
    let runs = 0;
    for (const step of STEPS) runs += await untilDone(() => onFleet(location, ground, step));
    isDone = true;
    await breaking;
    await Promise.all(workers.map((worker) => worker.stop()));
    const there = await openWorkspace(location, { create: false, models: colourModels(ground.cacheDir) });
    assert.equal(await exported(there, join(ground.dir, 'faults.jsonl')), expected);
    const { schemaVersion: _, ...summary } = await there.store.summary();
    const { schemaVersion: __, ...undisturbed } = counted;
    assert.deepEqual(summary, undisturbed);
    assert.deepEqual(await there.store.deadShards(), []);
    await there.close();
    t.diagnostic(`${JSON.stringify(faults)}; commands run ${runs} times for ${STEPS.length} steps`);
  });
});

const RUN = { seed: 0, threads: 1, shardSize: 20 };

type Step = (workspace: Workspace, ground: Ground) => Promise<void>;

const STEPS: readonly Step[] = [
  async (workspace, { dir }) => {
    const [photos] = await openSources(workspace, [join(dir, 'photos')]);
    await addTo(workspace, [photos], { ...RUN, sync: true });
  },
  async (workspace) => {
    const detector = await workspace.models.openDetector('colours', RUN);
    await detectIn(workspace, detector, { ...RUN, rules: DEFAULT_ACCEPT_RULES, force: false, task: 'objects' });
  },
  async (workspace) => {
    const embedder = await workspace.models.openEmbedder('means', RUN);
    await embedIn(workspace, embedder, RUN).finally(() => embedder.close());
  },
];

async function onFleet(location: string, ground: Ground, step: Step): Promise<void> {
  const engine = fleetEngine({ local: localEngine(), openQueue: () => bossQueue({ location, heartbeatSeconds: 10 }) });
  try {
    const workspace = await openWorkspace(location, { create: false, engine, models: colourModels(ground.cacheDir) });
    await step(workspace, ground).finally(() => workspace.close());
  } finally {
    await engine.close().catch(() => {});
  }
}

/** As somebody who runs a command again when the network failed it. @returns how often it ran */
async function untilDone(work: () => Promise<void>): Promise<number> {
  for (let runs = 1; ; runs++) {
    try {
      await work();
      return runs;
    } catch (error) {
      const isPassing = !(error instanceof LabelsmithError) || ['NETWORK', 'BUSY'].includes(error.code);
      if (!isPassing || runs > 50) throw error;
      await sleep(200);
    }
  }
}

async function exported(workspace: Workspace, file: string): Promise<string> {
  const { store, dir: workspaceDir } = workspace;
  const effects = { store, workspaceDir, read: originalBytes(workspace), crop: () => assert.fail('no crops') };
  await exportWorkspace(effects, 'jsonl', file, {
    seed: 0,
    margin: 0,
    replace: false,
    background: 'all',
    task: 'objects',
  });
  return readFile(file, 'utf8');
}
