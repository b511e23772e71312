/**
 * A million images that are none (records and vectors made here) through ingest, the plan and the commits of `detect`, and
 * `discover` as it is, tree and assignment, on PostgreSQL in one run: rates by fifths, memory, sizes of tables and indexes.
 *
 * `LABELSMITH_BENCH_FLEET_IMAGES` is their number (default 1,000,000). With `LABELSMITH_BENCH_FLEET_DETECT=0` nothing is detected
 * in them, which takes most of the time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabelsmithError } from '../src/errors.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { discoverIn } from '../src/stages/discover/discover.ts';
import { imageId } from '../test/contracts/store/fixtures.ts';
import { startPostgres } from '../test/postgres/server.ts';
import { commits } from './fleet/commits.ts';
import { type Spent, stopwatch } from './fleet/processor-time.ts';
import { writeMadeUpVectors } from './made-up-vectors.ts';
import { rounded } from './process.ts';

const IMAGES = Number(process.env.LABELSMITH_BENCH_FLEET_IMAGES ?? 1_000_000);
const DETECTS = process.env.LABELSMITH_BENCH_FLEET_DETECT !== '0';
const FIFTHS = 5;
const A_FILE = 10_000;
const COLUMNS = 576;
const KINDS = 200;

export async function run(): Promise<unknown> {
  const server = await startPostgres(['shared_buffers=128MB']);
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-fleet-million-'));
  const startedAt = performance.now();
  const address = `${server.url}?schema=million`;
  try {
    const workspace = await openWorkspace(address, { create: true, blobsAt: dir });
    try {
      const lap = stopwatch(server.pid);
      const record = await commits(address, IMAGES, { assign: false, detect: DETECTS, lap });
      process.stderr.write(`${JSON.stringify(record)}\n`);
      lap();
      const ids = Array.from({ length: IMAGES }, (_, n) => imageId(n));
      await writeMadeUpVectors(workspace, ids, { columns: COLUMNS, kinds: KINDS, spread: 0.5, imagesAFile: A_FILE });
      const vectors = lap();
      process.stderr.write(`vectors: ${JSON.stringify(vectors)}\n`);
      const discovered = await discover(workspace, lap);
      return {
        images: IMAGES,
        seconds: Math.round((performance.now() - startedAt) / 1000),
        load: rounded(loadavg()[0], 1),
        record,
        vectors,
        discovered,
        peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
      };
    } finally {
      await workspace.close();
    }
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function discover(workspace: Workspace, lap: () => Spent) {
  const at: number[] = [];
  let done = 0;
  const total = Math.ceil(IMAGES / A_FILE);
  // What was spent until a step first told of its progress is that of the step before.
  const spent: (Spent & { readonly step: string })[] = [];
  let step = 'begin';
  const ended = (next: string) => {
    const last = { step, ...lap() };
    spent.push(last);
    process.stderr.write(`discover: ${JSON.stringify(last)}\n`);
    step = next;
  };
  const options = {
    seed: 0,
    threads: availableParallelism(),
    k: KINDS,
    onProgress: ({ stage, shardsCommitted }: { stage: string; shardsCommitted: number }) => {
      if (stage !== step) ended(stage);
      if (stage !== 'discover' || shardsCommitted === done) return;
      done = shardsCommitted;
      at.push(performance.now());
    },
  };
  const noFiles = () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files'));
  const { counts } = await discoverIn(workspace, options, noFiles);
  ended('end');
  const edges = Array.from({ length: FIFTHS + 1 }, (_, n) => Math.min(at.length - 1, Math.floor((n * total) / FIFTHS)));
  const rates = edges
    .slice(1)
    .map((edge, n) => Math.round(((edge - edges[n]) * A_FILE * 1000) / (at[edge] - at[edges[n]])));
  return { counts, spent, assignedPerSecond: rates };
}
