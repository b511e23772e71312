import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { image, imageId, path, startRun } from '../../../test/contracts/store/fixtures.ts';
import { describeShared } from '../../../test/fleet/shared-place.ts';
import { withWorkers } from '../../../test/fleet/workers.ts';
import { WORKER_COUNTS } from '../../../test/thorough.ts';
import { PRINT_SIDE } from '../../core/image.ts';
import { seededRandom } from '../../core/random.ts';
import { PRINT_BYTES } from '../../images/copies/print.ts';
import { computeGroups, type Groups } from '../../images/groups.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import type { Engine } from '../../jobs/stage.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { readGroupFacts, searchBy } from './alike-stages.ts';

const IMAGES = 600;

describeShared('what is alike, by many machines', (place) => {
  const spread = { minToSpread: 1, picturesAShard: 50 };
  const contentOf = (groups: Groups) => ({
    pairs: [...groups.pairs()],
    changes: [...groups.changes()],
    overfull: groups.overfullBuckets,
  });

  async function groupsOf(schema: string, engine: Engine, isSpread: boolean) {
    const location = `${place.url}?schema=${schema}`;
    const workspace = await openWorkspace(location, { create: true, blobsAt: join(place.dir, schema), engine });
    try {
      const runId = await ingested(workspace);
      const { table, digest } = await readGroupFacts(workspace.store);
      const job = { workspace, runId, seed: 0, threads: 1 };
      const search = isSpread ? searchBy(job, digest, spread) : undefined;
      return contentOf(await computeGroups(table, { search }));
    } finally {
      await workspace.close();
    }
  }

  async function byWorkers(count: number) {
    const schema = `alike${count}`;
    const location = `${place.url}?schema=${schema}`;
    const workers = { count, cacheDir: join(place.dir, 'cache') };
    const { outcome, shards } = await withWorkers(location, workers, (engine) => groupsOf(schema, engine, true));
    assert.ok(shards >= 64 + IMAGES / 50, `every shard was done by a worker: ${shards}`);
    return outcome;
  }

  test(`${WORKER_COUNTS.join(', ')} of them find what one finds, in the same order`, async () => {
    const here = await groupsOf('alike0', localEngine(), false);
    const kinds = Map.groupBy(here.pairs, ({ kind }) => kind);
    assert.ok((kinds.get('near-duplicate')?.length ?? 0) >= 100 && (kinds.get('copy')?.length ?? 0) >= 10);
    assert.ok(here.changes.length > 100);
    for (const count of WORKER_COUNTS) assert.deepEqual(await byWorkers(count), here, `${count} workers`);
  });

  test('a process that sees other images than the run began with does not look', async () => {
    const location = join(place.dir, 'here');
    const workspace = await openWorkspace(location, { create: true });
    try {
      await ingested(workspace);
      const { bandStage } = await import('./alike-stages.ts');
      const job = { workspace, settings: { facts: 'of another time' }, runId: 'r', seed: 0, threads: 1 };
      await assert.rejects(bandStage.open(job), { code: 'BUSY' });
    } finally {
      await workspace.close();
    }
  });
});

/** Of every five pictures one is nearly the one before it by its hash, and of every twenty one by its mirrored print. */
async function ingested({ store }: Workspace): Promise<string> {
  const random = seededRandom(7);
  const prints: Uint8Array[] = [];
  const hashes: bigint[] = [];
  for (let n = 0; n < IMAGES; n++) {
    const noise = Uint8Array.from({ length: PRINT_BYTES }, () => random() * 256);
    const mirrored = (from: Uint8Array) =>
      from.map((_, at) => from[at - (at % PRINT_SIDE) + PRINT_SIDE - 1 - (at % PRINT_SIDE)]);
    prints.push(n % 20 === 13 ? mirrored(prints[n - 1]) : n % 5 === 4 ? prints[n - 1].slice() : noise);
    const drawn = (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32));
    hashes.push(n % 5 === 4 ? hashes[n - 1] ^ (1n << BigInt(n % 64)) ^ (1n << BigInt((7 * n) % 64)) : drawn);
  }
  const runId = await startRun(store, 'add');
  const numbers = Array.from({ length: IMAGES }, (_, n) => n);
  const perceptual = (n: number) => hashes[n].toString(16).padStart(16, '0');
  await store.commitIngest({
    runId,
    images: numbers.map((n) =>
      image(n, { id: imageId(n), perceptualHash: perceptual(n), print: prints[n], width: 640, height: 480 }),
    ),
    // Nothing in the names says that they follow each other.
    paths: numbers.map((n) => path(n, { path: `/photos/${imageId(n)}-${'abcdefghij'[n % 10]}.jpg` })),
    quarantine: [],
  });
  return runId;
}
