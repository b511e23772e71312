/** Processes of `--shard i/n` against one machine: `src/jobs/parts/parts-engine.ts`. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ground, prepare } from '../../../test/contracts/stage/every-stage.ts';
import { colourModels } from '../../../test/contracts/stage/models.ts';
import { startS3 } from '../../../test/fixtures/s3-server.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../../test/postgres/server.ts';
import { exportWorkspace } from '../../stages/export/export.ts';
import { originalBytes } from '../image-reader.ts';
import { openWorkspace } from '../workspace.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/fleet/part.program.ts', import.meta.url));
const STAGES = ['add', 'detect', 'embed'] as const;
const found = postgresPrograms();

interface Place {
  readonly location: string;
  /** Empty for a workspace in a folder. */
  readonly blobs: string;
}

describe('parts', () => {
  let ground: Ground;
  let expected: string;
  before(async () => {
    ground = await prepare(6);
    const place = { location: join(ground.dir, 'whole'), blobs: '' };
    for (const stage of STAGES) {
      assert.equal(await ended(begin(stage, place)), 'written');
      if (stage === 'add') await cp(place.location, join(ground.dir, 'added'), { recursive: true });
    }
    expected = await contentOf(place);
  });
  after(() => rm(ground.dir, { recursive: true, force: true }));

  /** @param part without one, what is missing is done */
  function begin(
    stage: string,
    { location, blobs }: Place,
    part?: readonly [index: number, count: number],
    shardSize = 4,
  ) {
    const args = [PROGRAM, stage, join(ground.dir, 'photos'), ground.cacheDir, location, blobs];
    const more = part === undefined ? [] : part.map(String);
    const env = { ...process.env, LABELSMITH_TEST_SHARD_SIZE: String(shardSize) };
    return spawn(process.execPath, [...args, ...more], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  }

  async function contentOf({ location, blobs }: Place): Promise<string> {
    const models = colourModels(ground.cacheDir);
    const workspace = await openWorkspace(location, { create: false, models, ...(blobs && { blobsAt: blobs }) });
    try {
      const { store, dir: workspaceDir } = workspace;
      const file = join(ground.dir, `${Math.random()}.jsonl`);
      const effects = { store, workspaceDir, read: originalBytes(workspace), crop: () => assert.fail('no crops') };
      const how = { seed: 0, margin: 0, replace: false, background: 'all', task: 'objects' } as const;
      await exportWorkspace(effects, 'jsonl', file, how);
      const files: string[] = [];
      for (const space of await store.vectorSpaces('images')) {
        for (const shard of await store.vectorShards(space, 'images')) files.push(shard.file);
      }
      const { schemaVersion: _, ...summary } = await store.summary();
      for await (const { key } of workspace.blobs.list('parts/')) assert.fail(`${key} is left`);
      return `${await readFile(file, 'utf8')}\n${files.sort().join('\n')}\n${JSON.stringify(summary)}`;
    } finally {
      await workspace.close();
    }
  }

  /** A workspace to which the photographs were added. */
  async function added(name: string): Promise<Place> {
    const location = join(ground.dir, name);
    await cp(join(ground.dir, 'added'), location, { recursive: true });
    return { location, blobs: '' };
  }

  async function together(stage: string, place: Place, count: number): Promise<unknown[]> {
    const parts = Array.from({ length: count }, (_, i) => begin(stage, place, [i, count]));
    return Promise.all(parts.map(ended));
  }

  test('processes at once do a part each, and one of them writes down what one machine writes', async () => {
    const place = { location: join(ground.dir, 'three'), blobs: '' };
    for (const stage of STAGES) {
      const outcomes = await together(stage, place, 3);
      // Whoever begins when all is written down has nothing to do, and says so in the same way.
      assert.ok(outcomes.includes('written'), JSON.stringify(outcomes));
    }
    assert.equal(await contentOf(place), expected);
  });

  test('one after the other, as an array on few machines: the last one writes', async () => {
    const place = await added('one-by-one');
    // Whichever part it is: all photographs are known.
    assert.equal(await ended(begin('add', place, [1, 2])), 'written');
    const first = await ended(begin('detect', place, [0, 2]));
    assert.deepEqual(first, {
      stage: 'detect',
      index: 0,
      count: 2,
      shards: 3,
      items: 12,
      allShards: 6,
      otherShards: 0,
      isOver: false,
      doneShards: 3,
    });
    assert.equal(await ended(begin('detect', place, [1, 2])), 'written');
    assert.equal(await ended(begin('embed', place)), 'written');
    assert.equal(await contentOf(place), expected);
  });

  test('a part that does not come back is done by the command without a part', async () => {
    const place = await added('lost-part');
    for (const stage of ['detect', 'embed']) {
      await ended(begin(stage, place, [1, 3]));
      assert.equal(await ended(begin(stage, place)), 'written');
    }
    assert.equal(await contentOf(place), expected);
  });

  test('what parts did with another shard size is told where it is not used', async () => {
    const place = await added('other-size');
    const { shards } = (await ended(begin('embed', place, [0, 3], 7))) as { shards: number };
    assert.ok(shards > 0);
    assert.equal(await ended(begin('embed', place)), `written, ${shards} unused`);
  });

  test('killed at any moment and begun again, parts end with the same bytes', async () => {
    const place = await added('killed');
    for (const stage of ['detect', 'embed']) {
      for (let round = 0; ; round++) {
        const parts = [0, 1].map((i) => begin(stage, place, [i, 2]));
        // Later in each round: in the shards first, then while one of them writes down.
        const timer = setTimeout(() => parts[round % 2]?.kill('SIGKILL'), 300 + 150 * round);
        const outcomes = await Promise.all(parts.map(ended));
        clearTimeout(timer);
        if (outcomes.includes('written')) break;
        assert.ok(round < 40, JSON.stringify(outcomes));
      }
    }
    assert.equal(await contentOf(place), expected);
  });

  describe('in PostgreSQL', { skip: 'missing' in found ? found.missing : false }, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());

    test('two processes that share a record and blobs: the bytes of one machine', async () => {
      const place = { location: `${server.url}?schema=parts`, blobs: join(ground.dir, 'shared-blobs') };
      for (const stage of STAGES) {
        const outcomes = await together(stage, place, 2);
        assert.ok(outcomes.includes('written'), JSON.stringify(outcomes));
      }
      assert.equal(await contentOf(place), expected);
      assert.ok(readdirSync(place.blobs).length > 0);
    });

    test('the same with blobs in object storage that answers 503 now and then', async () => {
      const storage = await startS3();
      Object.assign(process.env, storage.env);
      try {
        let requests = 0;
        storage.fault = () => (++requests % 7 === 0 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined);
        const place = { location: `${server.url}?schema=s3parts`, blobs: 's3://bucket/parts-of-s3' };
        for (const stage of STAGES) {
          const outcomes = await together(stage, place, 2);
          assert.ok(outcomes.includes('written'), JSON.stringify(outcomes));
        }
        assert.equal(await contentOf(place), expected);
        assert.ok(requests > 20, `${requests} requests came`);
      } finally {
        await storage.close();
      }
    });
  });
});

/** What it printed; undefined where it was killed. */
async function ended(child: ChildProcess): Promise<unknown> {
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code, signal] = await once(child, 'close');
  if (signal === 'SIGKILL') return undefined;
  assert.equal(code, 0, said);
  return JSON.parse(said);
}
