/**
 * What a second worker brings: `detect` and `embed` of the same photographs by one `labelsmith worker` that has one core of this
 * machine, and by two that have one each. The record is in PostgreSQL, vectors are in object storage, photographs in a folder;
 * the servers and the command take what they need of the same cores.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { startS3 } from '../../test/fixtures/s3-server.ts';
import { dataSet, uniquePhotos } from '../photos.ts';
import { rounded } from '../process.ts';
import { type Loads, type Stage, timed } from './overhead.ts';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const STAGES = ['detect', 'embed'] as const;
/** More shards than one worker takes at once, so that each has loaded its models before the clock runs. */
const WARM_UP = { images: 64, shardSize: 8 };

export async function twoWorkers(postgres: string, loads: Loads) {
  if (availableParallelism() < 2) return null;
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-two-workers-'));
  const storage = await startS3();
  Object.assign(process.env, storage.env);
  const location = `${postgres}?schema=two`;
  const workers: ChildProcess[] = [];
  const engine = fleetEngine({ local: localEngine(), openQueue: () => bossQueue({ location }) });
  try {
    const photos = join(dir, 'photos');
    await uniquePhotos(
      dataSet('coco-train128/images'),
      Math.max(...STAGES.map((stage) => loads[stage].images)),
      photos,
    );
    const workspace = await openWorkspace(location, { create: true, blobsAt: 's3://bucket/two', engine });
    try {
      const run = { seed: 0, threads: 1, shardSize: 200, sync: false };
      // By the engine of one machine: workers come later.
      await addTo({ ...workspace, engine: localEngine() }, await openSources(workspace, [photos]), run);
      const seconds: Record<Stage, number[]> = { detect: [], embed: [] };
      for (const core of [0, 1]) {
        workers.push(await startOn(core, location));
        for (const stage of STAGES) {
          await timed(workspace, stage, WARM_UP);
          seconds[stage].push((await timed(workspace, stage, loads[stage])) / 1000);
          process.stderr.write(`${stage}, seconds by workers: ${JSON.stringify(seconds[stage])}\n`);
        }
      }
      const stages = STAGES.map((stage) => {
        const [one, two] = seconds[stage];
        return { stage, ...loads[stage], one: rounded(one, 1), two: rounded(two, 1), times: rounded(one / two, 2) };
      });
      return { stages, load: rounded(loadavg()[0], 1) };
    } finally {
      await workspace.close();
    }
  } finally {
    for (const worker of workers) await ended(worker);
    await engine.close();
    await storage.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** A worker that may use one core, with all its processes and threads. */
async function startOn(core: number, location: string): Promise<ChildProcess> {
  const args = ['-c', String(core), process.execPath, CLI, 'worker', '--workspace', location, '--threads', '1'];
  const child = spawn('taskset', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('waits for shards')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}: ${said}`)));
  });
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
