/**
 * What a second worker brings: `detect` and `embed` of the same photographs by one `labelsmith worker` that has one core of this
 * machine, and by two that have one each. The record is in PostgreSQL, vectors are in object storage, photographs in a folder;
 * the servers and the command take what they need of the same cores. Beside it what the machine itself gives (`apart`): two
 * commands that know nothing of each other, at once, against one.
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
import { type Load, type Loads, type Stage, timed } from './overhead.ts';

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
      for (const worker of workers.splice(0)) await ended(worker);
      const places = [join(dir, 'first'), join(dir, 'second')];
      for (const place of places) await finished(command(0, place, 'add', photos));
      const stages = [];
      for (const stage of STAGES) {
        const [one, two] = seconds[stage];
        const apart = await gainApart(stage, loads[stage], places);
        const times = { times: rounded(one / two, 2), apart: rounded(apart, 2) };
        stages.push({ stage, ...loads[stage], one: rounded(one, 1), two: rounded(two, 1), ...times });
      }
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

/**
 * How many times as many images a second two commands do, each with a core and a workspace of its own, as one. Starting and the first
 * images are no part of it.
 */
async function gainApart(stage: Stage, { images }: Load, places: readonly string[]): Promise<number> {
  const secondsOf = async (limit: number, count: number) => {
    const startedAt = performance.now();
    const args = [stage, '--force', '--limit', String(limit)];
    await Promise.all(places.slice(0, count).map((place, core) => finished(command(core, place, ...args))));
    return (performance.now() - startedAt) / 1000;
  };
  const rateOf = async (count: number) => {
    const limit = images / count;
    const starting = await secondsOf(WARM_UP.images, count);
    return (count * (limit - WARM_UP.images)) / ((await secondsOf(limit, count)) - starting);
  };
  const alone = await rateOf(1);
  const both = await rateOf(2);
  process.stderr.write(`${stage}, images a second of commands apart: ${JSON.stringify([alone, both])}\n`);
  return both / alone;
}

function command(core: number, workspace: string, ...args: readonly string[]): ChildProcess {
  const limits = ['--workspace', workspace, '--threads', '1', '--quiet'];
  const all = ['-c', String(core), process.execPath, CLI, ...args, ...limits];
  return spawn('taskset', all, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function finished(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${child.spawnargs.slice(4).join(' ')} ended with ${code}`);
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
