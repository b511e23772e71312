/** Records of images made by code through ingest, detect's plan and commits and discover's assignment in PostgreSQL, as the record grows. */
import { loadavg } from 'node:os';
import pg from 'pg';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { image, imageId, path, said, shard, startRun } from '../../test/contracts/store/fixtures.ts';
import { rounded } from '../process.ts';
import type { Spent } from './processor-time.ts';

const SHARD = 1000;
const STRETCHES = 5;
const CLUSTERS = 100;
/** What came of a shard of 1,000 images of detect: some 800 bytes an image. */
const RESULT_BYTES = 800_000;

export interface CommitOptions {
  /** Labels of clusters are made up and written, too (default); else `discover` does it. */
  readonly assign?: boolean;
  /** Regions and their labels are made up and written (default); else the record has images alone. */
  readonly detect?: boolean;
  /** Told what was spent since it was last asked; for {@link stopwatch}. */
  readonly lap?: () => Spent;
}

export async function commits(
  address: string,
  images: number,
  { assign: doesAssign = true, detect: doesDetect = true, lap }: CommitOptions = {},
) {
  const store = await openStore(address);
  const spent: Record<string, Spent> = {};
  const ended = (step: string) => {
    if (lap) spent[step] = lap();
  };
  try {
    const runId = await startRun(store, 'detect');
    ended('begin');
    const ingest = await stretches('add', images, (from) => ingested(store, runId, from));
    ended('add');
    const startedAt = performance.now();
    let found = 0;
    for await (const page of store.detectionWork('model', 'key')) found += page.length;
    const planPerSecond = (found * 1000) / (performance.now() - startedAt);
    ended('plan');
    const inOrder = planned(images);
    const detect = doesDetect
      ? await stretches('detect', images, (from) => detected(store, runId, inOrder.slice(from, from + SHARD)))
      : [];
    if (doesDetect) ended('detect');
    await store.ensureTask({ name: 'class', rule: 'single', items: 'images' });
    const assign = doesAssign
      ? await stretches('discover', images, (from) => assigned(store, runId, inOrder.slice(from, from + SHARD)))
      : [];
    const last = detect[detect.length - 1];
    const megabytes = await sizes(address);
    const recorded = Object.entries(megabytes).filter(([table]) => table !== 'shard_result');
    return {
      images,
      ingestPerSecond: ingest.map((rate) => Math.round(rate)),
      planPerSecond: Math.round(planPerSecond),
      detectPerSecond: detect.map((rate) => Math.round(rate)),
      assignPerSecond: assign.map((rate) => Math.round(rate)),
      // 1: as quick as at the beginning; a step that is slower than linear falls with the number of images.
      lastOfFirst: {
        ingest: lastOfFirst(ingest),
        ...(doesDetect && { detect: lastOfFirst(detect) }),
        ...(doesAssign && { assign: lastOfFirst(assign) }),
      },
      ...(lap && { spent }),
      load: rounded(loadavg()[0], 1),
      resultMs: rounded(await resultMs(store, runId), 1),
      // Not a number where nothing was detected.
      commitMs: rounded((SHARD * 1000) / last, 1),
      memoryMb: Math.round(process.memoryUsage().rss / 2 ** 20),
      megabytes,
      // What came of a shard is dropped when it is committed.
      recordBytesAnImage: Math.round((recorded.reduce((sum, [, mb]) => sum + mb, 0) * 2 ** 20) / images),
    };
  } finally {
    await store.close();
  }
}

/** Images a second in each fifth. */
async function stretches(name: string, images: number, work: (from: number) => Promise<void>): Promise<number[]> {
  const rates: number[] = [];
  const each = Math.floor(images / STRETCHES / SHARD) * SHARD;
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    const startedAt = performance.now();
    for (let from = stretch * each; from < (stretch + 1) * each; from += SHARD) await work(from);
    rates.push((each * 1000) / (performance.now() - startedAt));
    process.stderr.write(`${name} ${(stretch + 1) * each} of ${images}: ${Math.round(rates[stretch])} a second\n`);
  }
  return rates;
}

const numbersFrom = (from: number) => Array.from({ length: SHARD }, (_, i) => from + i);

/**
 * The numbers of images in order of their ids, as the plan of `detect` gives them: rows of one shard lie beside each other. In
 * order of paths each row would go to another page, which no stage does but `add`.
 */
function planned(images: number): readonly number[] {
  const ids = Array.from({ length: images }, (_, n) => imageId(n));
  return [...ids.keys()].sort((a, b) => (ids[a] < ids[b] ? -1 : 1));
}

async function ingested(store: Store, runId: string, from: number): Promise<void> {
  const numbers = numbersFrom(from);
  await store.commitIngest({
    runId,
    images: numbers.map((n) => image(n)),
    paths: numbers.map((n) => path(n, { path: `/photos/${String(n).padStart(8, '0')}.jpg` })),
    quarantine: [],
  });
}

async function detected(store: Store, runId: string, numbers: readonly number[]): Promise<void> {
  const found = ['person', 'dog', 'car'].flatMap((className, i) => [
    { className, box: [i, 0, 50 + i, 40] as const },
    { className, box: [60 + i, 0, 90 + i, 40] as const },
  ]);
  const work = numbers.map((n) => [imageId(n), found] as const);
  await store.commitDetections(shard(runId, work, { modelKey: 'model', acceptKey: 'key' }));
}

/** As `discover` writes the cluster of each image. */
async function assigned(store: Store, runId: string, numbers: readonly number[]): Promise<void> {
  const labels = numbers.map((n) =>
    said(imageId(n), `cluster ${n % CLUSTERS}`, { origin: 'cluster', confidence: 0.5, runId }),
  );
  await store.putLabels(labels, { replace: true });
}

const lastOfFirst = (rates: readonly number[]) => rounded(rates[rates.length - 1] / rates[0], 2);

async function resultMs(store: Store, runId: string): Promise<number> {
  const data = new Uint8Array(RESULT_BYTES).fill(7);
  const rounds = 20;
  const startedAt = performance.now();
  for (let n = 0; n < rounds; n++) {
    await store.putShardResult({ runId, shard: String(n), items: SHARD, data, worker: 'bench' });
  }
  return (performance.now() - startedAt) / rounds;
}

/** Tables with their indexes, the largest first. */
async function sizes(address: string): Promise<Record<string, number>> {
  const url = new URL(address);
  const schema = url.searchParams.get('schema') ?? '';
  url.searchParams.delete('schema');
  const client = new pg.Client(url.href);
  await client.connect();
  const { rows } = await client.query<{ relname: string; bytes: string }>(
    `select relname, pg_total_relation_size(c.oid) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relkind = 'r' order by 2 desc limit 8`,
    [schema],
  );
  await client.end();
  return Object.fromEntries(rows.map(({ relname, bytes }) => [relname, rounded(Number(bytes) / 2 ** 20, 1)]));
}
