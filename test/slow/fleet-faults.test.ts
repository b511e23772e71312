/**
 * A fleet while everything around it breaks: workers killed, stopped, woken after their lease ended, or with wrong clocks;
 * PostgreSQL restarted, connections cut, object storage that answers 503 or not at all. Runs are made over and over until
 * there were LABELSMITH_FLEET_FAULTS faults (default 12), and after each its exports are those of one machine that nothing
 * happened to, byte for byte.
 */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/core/random.ts';
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
import { type Ground, prepare } from '../contracts/stage/every-stage.ts';
import { colourModels } from '../contracts/stage/models.ts';
import type { CloudServer } from '../fixtures/faulty-server.ts';
import { startS3 } from '../fixtures/s3-server.ts';
import { startWorker, type TestWorker } from '../fleet/workers.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';

const FAULTS = Number(process.env.LABELSMITH_FLEET_FAULTS ?? 12);
const WORKERS = 3;
const MINUTES_MS = 60_000;
/** A lease of the tests' workers is ten seconds, and the queue looks every five. */
const PAST_LEASE_MS = 18_000;
const found = postgresPrograms();

describe('a fleet', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  let storage: CloudServer;
  let ground: Ground;
  before(async () => {
    [server, storage, ground] = await Promise.all([startPostgres(), startS3(), prepare(40)]);
    Object.assign(process.env, storage.env);
  });
  after(async () => {
    await server.stop();
    await storage.close();
    await rm(ground.dir, { recursive: true, force: true });
  });

  test(`${FAULTS} faults over its runs: nothing lost, nothing doubled, the same bytes`, async (t) => {
    const expected = await undisturbed(ground);
    const faults = new Map<string, number>();
    const total = () => [...faults.values()].reduce((sum, count) => sum + count, 0);
    let runs = 0;
    let attempts = 0;
    for (; total() < FAULTS; runs++) {
      const place = { location: `${server.url}?schema=faults${runs}`, blobsAt: `s3://bucket/faults${runs}` };
      await (await openWorkspace(place.location, { create: true, blobsAt: place.blobsAt })).close();
      await (await bossQueue({ location: place.location })).close();
      const breaker = new Breaker({ server, storage, ground, location: place.location, faults, seed: runs });
      const breaking = breaker.run(FAULTS - total());
      try {
        for (const step of STEPS) attempts += await untilDone(() => onFleet(place.location, ground, step));
      } finally {
        await breaker.stop();
        await breaking;
      }
      assert.deepEqual(
        await heldBy(place.location, ground, runs),
        expected,
        `run ${runs}, ${JSON.stringify([...faults])}`,
      );
    }
    const counts = JSON.stringify(Object.fromEntries([...faults].sort()));
    t.diagnostic(
      `${total()} faults over ${runs} runs: ${counts}; commands run ${attempts} times for ${STEPS.length * runs} steps`,
    );
  });
});

interface Surroundings {
  readonly server: PostgresServer;
  readonly storage: CloudServer;
  readonly ground: Ground;
  readonly location: string;
  /** Counts by kind, over all runs. */
  readonly faults: Map<string, number>;
  readonly seed: number;
}

/** Has workers at work, and does one bad thing after the other to them and to what they work with. */
class Breaker {
  readonly #around: Surroundings;
  readonly #random: () => number;
  readonly #workers: TestWorker[] = [];
  readonly #waking = new Set<Promise<void>>();
  #started = 0;
  #isOver = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#random = seededRandom(around.seed);
    for (let n = 0; n < WORKERS; n++) this.#workers.push(this.#start());
  }

  async run(most: number): Promise<void> {
    for (let n = 0; n < most && !this.#isOver; n++) {
      await sleep(100 + this.#random() * 700);
      if (this.#isOver) return;
      const [kind, fault] = this.#kinds()[Math.floor(this.#random() * this.#kinds().length)];
      const { faults } = this.#around;
      faults.set(kind, (faults.get(kind) ?? 0) + 1);
      await fault();
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#around.storage.fault = () => undefined;
    await Promise.all(this.#waking);
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #start(skewMs = 0): TestWorker {
    const { location, ground } = this.#around;
    return startWorker(location, `worker ${this.#started++}`, ground.cacheDir, { skewMs, quiet: true });
  }

  #kinds(): readonly (readonly [kind: string, fault: () => Promise<void>])[] {
    const { server, storage } = this.#around;
    const place = Math.floor(this.#random() * WORKERS);
    const worker = this.#workers[place];
    const instead = (skewMs: number) => {
      worker.child.kill('SIGKILL');
      this.#workers[place] = this.#start(skewMs);
    };
    const stopped = async (ms: number) => {
      signalGroup(worker, 'SIGSTOP');
      await sleep(ms);
      signalGroup(worker, 'SIGCONT');
    };
    return [
      ['worker killed', async () => instead(0)],
      ['worker killed', async () => instead(0)],
      ['worker with a clock ahead', async () => instead(7 * MINUTES_MS)],
      ['worker with a clock behind', async () => instead(-7 * MINUTES_MS)],
      ['worker stopped', () => stopped(800)],
      [
        'worker that wakes after its lease',
        async () => {
          const waking = stopped(PAST_LEASE_MS).finally(() => this.#waking.delete(waking));
          this.#waking.add(waking);
        },
      ],
      ['PostgreSQL restarted', () => server.restart()],
      ['connections cut', () => cutConnections(server.url)],
      [
        'object storage answers 503',
        async () => {
          storage.fault = () => ({ kind: 'status', status: 503, code: 'SlowDown' });
          await sleep(700);
          storage.fault = () => undefined;
        },
      ],
      [
        'object storage cuts connections',
        async () => {
          storage.fault = () => ({ kind: 'cut', applied: this.#random() < 0.5 });
          await sleep(400);
          storage.fault = () => undefined;
        },
      ],
    ];
  }
}

/** The worker and the process that does its shards. */
function signalGroup({ child }: TestWorker, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(-(child.pid ?? 0), signal);
  } catch {
    // It was killed meanwhile.
  }
}

async function cutConnections(url: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(url);
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where pid <> pg_backend_pid() and backend_type = 'client backend'`);
  } finally {
    await client.end().catch(() => {});
  }
}

const RUN = { seed: 0, threads: 1, shardSize: 4 };

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

async function undisturbed(ground: Ground): Promise<Outcome> {
  const location = join(ground.dir, 'undisturbed');
  const here = await openWorkspace(location, { create: true, models: colourModels(ground.cacheDir) });
  for (const step of STEPS) await step(here, ground);
  await here.close();
  return heldBy(location, ground, 'undisturbed');
}

async function onFleet(location: string, ground: Ground, step: Step): Promise<void> {
  const openQueue = () => bossQueue({ location, heartbeatSeconds: 10 });
  const engine = fleetEngine({ local: localEngine(), openQueue });
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
      if (!isPassing || runs > 100) throw error;
      await sleep(200);
    }
  }
}

interface Outcome {
  readonly exported: string;
  readonly vectors: number;
  readonly summary: unknown;
  readonly given: unknown;
}

/** What a workspace holds: its export, how many vectors, and its counts. */
async function heldBy(location: string, ground: Ground, name: number | string): Promise<Outcome> {
  const workspace = await openWorkspace(location, { create: false, models: colourModels(ground.cacheDir) });
  try {
    const { store, dir: workspaceDir } = workspace;
    const file = join(ground.dir, `out-${name}.jsonl`);
    const effects = { store, workspaceDir, read: originalBytes(workspace), crop: () => assert.fail('no crops') };
    const asked = { seed: 0, margin: 0, replace: false, background: 'all', task: 'objects' } as const;
    await exportWorkspace(effects, 'jsonl', file, asked);
    let vectors = 0;
    for (const space of await store.vectorSpaces('images')) {
      for (const { count } of await store.vectorShards(space, 'images')) vectors += count;
    }
    const { schemaVersion: _, ...summary } = await store.summary();
    return { exported: await readFile(file, 'utf8'), vectors, summary, given: await store.deadShards() };
  } finally {
    await workspace.close();
  }
}
