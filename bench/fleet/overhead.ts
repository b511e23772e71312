/**
 * What a fleet of one worker costs: `detect` and `embed` of the same photographs by the engine of one machine and by a worker on
 * PostgreSQL and object storage, one thread each, in turn; and how much of it the queue takes.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ACCEPT_RULES } from '../../src/corpus/accept.ts';
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import type { ShardQueue } from '../../src/jobs/fleet/queue.ts';
import { runWorker } from '../../src/jobs/fleet/worker.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import { openWorkspace, type Workspace } from '../../src/jobs/workspace.ts';
import { DEFAULT_EMBEDDER } from '../../src/models/choose-embedder.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { detectIn } from '../../src/stages/detect/detect.ts';
import { DEFAULT_DETECTOR } from '../../src/stages/detect/detect-with.ts';
import { embedIn } from '../../src/stages/embed/embed.ts';
import { requireRecipe } from '../../src/stages/embed/recipe.ts';
import { startShardProcess } from '../../src/stages/worker/shard-process.ts';
import { startS3 } from '../../test/fixtures/s3-server.ts';
import { dataSet, uniquePhotos } from '../photos.ts';
import { median, rounded } from '../process.ts';

const RUN = { seed: 0, threads: 1 };
const WARM_UP = 16;

export type Stage = 'detect' | 'embed';

/** Images of a run, and of a shard of it. */
export interface Load {
  readonly images: number;
  readonly shardSize: number;
}
export type Loads = Readonly<Record<Stage, Load>>;

/** @param postgres its address */
export async function overhead(postgres: string, loads: Loads, rounds: number) {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-overhead-'));
  const storage = await startS3();
  Object.assign(process.env, storage.env);
  const stop = new AbortController();
  const queueTime = new QueueTime();
  try {
    const photos = join(dir, 'photos');
    await uniquePhotos(
      dataSet('coco-train128/images'),
      Math.max(...Object.values(loads).map(({ images }) => images)),
      photos,
    );
    const location = `${postgres}?schema=overhead`;
    const local = localEngine();
    const engine = fleetEngine({ local, openQueue: async () => queueTime.of(await bossQueue({ location })) });
    const here = await openWorkspace(join(dir, 'here'), { create: true, engine: local });
    const there = await openWorkspace(location, { create: true, blobsAt: 's3://bucket/overhead', engine });
    const workerQueue = queueTime.of(await bossQueue({ location }));
    const working = runWorker({
      queue: workerQueue,
      signal: stop.signal,
      startProcess: () => startShardProcess({ location, threads: 1, device: 'cpu', worker: 'bench' }),
    });
    for (const workspace of [here, there]) {
      await addTo(workspace, await openSources(workspace, [photos]), { ...RUN, shardSize: 200, sync: false });
      const images = await workspace.store.countImages();
      if (images === 0) throw new Error(`${workspace.name} took in nothing`);
    }
    const stages: Awaited<ReturnType<typeof compared>>[] = [];
    for (const stage of ['detect', 'embed'] as const) {
      // Files are in the memory of the machine, and models are prepared.
      for (const workspace of [here, there]) await timed(workspace, stage, { images: WARM_UP, shardSize: WARM_UP });
      stages.push(await compared(stage, { ...loads[stage], rounds }, here, there, queueTime));
    }
    const vectorBytesAnImage = await vectorBytes(here);
    stop.abort();
    await working;
    await workerQueue.close();
    await Promise.all([here.close(), there.close()]);
    await engine.close();
    return { stages, vectorBytesAnImage };
  } finally {
    await storage.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Of the files of vectors, by what the record has of them. */
async function vectorBytes({ dir, store }: Workspace): Promise<number> {
  const recipe = await requireRecipe(store, 'images');
  const shards = await store.vectorShards(recipe.space, 'images');
  let bytes = 0;
  for (const { file } of shards) bytes += (await stat(join(dir, file))).size;
  return Math.round(bytes / shards.reduce((sum, { count }) => sum + count, 0));
}

async function compared(
  stage: Stage,
  { rounds, ...load }: Load & { readonly rounds: number },
  here: Workspace,
  there: Workspace,
  queueTime: QueueTime,
) {
  const { images, shardSize } = load;
  const ratios: number[] = [];
  const rates: { local: number; fleet: number }[] = [];
  let fleetMs = 0;
  queueTime.reset();
  for (let round = 0; round < rounds; round++) {
    const localMs = await timed(here, stage, load);
    const ms = await timed(there, stage, load);
    fleetMs += ms;
    ratios.push(localMs / ms);
    const rate = { local: rounded((images * 1000) / localMs, 1), fleet: rounded((images * 1000) / ms, 1) };
    process.stderr.write(`${stage}, images a second: ${JSON.stringify(rate)}\n`);
    rates.push(rate);
  }
  const shards = (rounds * images) / shardSize;
  const queueMsAShard = queueTime.spentMs / shards;
  const perThousandMs = (fleetMs / (rounds * images)) * 1000;
  return {
    stage,
    images,
    shardSize,
    rates,
    ratio: rounded(median(ratios), 3),
    queueMsAShard: rounded(queueMsAShard, 1),
    queueShareAtShardsOf1000: rounded(queueMsAShard / (perThousandMs + queueMsAShard), 4),
    load: rounded(loadavg()[0], 1),
  };
}

/** Of the stage, its model's opening included: by the command, and by the worker after it. */
export async function timed(workspace: Workspace, stage: Stage, { images: limit, shardSize }: Load): Promise<number> {
  const { models } = workspace;
  const run = { ...RUN, limit, shardSize, force: true };
  const startedAt = performance.now();
  if (stage === 'detect') {
    const detector = await models.openDetector(DEFAULT_DETECTOR, RUN);
    await detectIn(workspace, detector, { ...run, rules: DEFAULT_ACCEPT_RULES, task: 'objects' });
    await detector.close();
  } else {
    const embedder = await models.openEmbedder(DEFAULT_EMBEDDER, RUN);
    await embedIn(workspace, embedder, run).finally(() => embedder.close());
  }
  return performance.now() - startedAt;
}

/** Time that calls of the queue took which brought or ended something; looking at an empty one costs nobody anything. */
class QueueTime {
  spentMs = 0;

  reset(): void {
    this.spentMs = 0;
  }

  of(queue: ShardQueue): ShardQueue {
    const measured = async <T>(call: () => Promise<T>, counts: (result: T) => boolean = () => true): Promise<T> => {
      const startedAt = performance.now();
      const result = await call();
      if (counts(result)) this.spentMs += performance.now() - startedAt;
      return result;
    };
    return {
      send: (jobs, options) => measured(() => queue.send(jobs, options)),
      async take(count, options) {
        const taken = await measured(
          () => queue.take(count, options),
          (jobs) => jobs.length > 0,
        );
        return taken.map((one) => ({
          ...one,
          done: () => measured(() => one.done()),
          fail: (reason) => measured(() => one.fail(reason)),
        }));
      },
      stateOf: (id) => measured(() => queue.stateOf(id)),
      cancel: (ids) => measured(() => queue.cancel(ids)),
      waitingForOthers: () => queue.waitingForOthers(),
      close: () => queue.close(),
    };
  }
}
