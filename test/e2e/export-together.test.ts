/**
 * One export by several processes, with the built command line: parts (`--shard i/n`) of a workspace in a folder, and workers of one
 * in PostgreSQL, to an S3. The bytes are those that one process writes into a folder, whoever is killed.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type CliOptions, runCli, runJson, startCli } from '../cli.ts';
import { S3 } from '../fixtures/clouds.ts';
import { type CloudServer, withEnv } from '../fixtures/faulty-server.ts';
import { jpegScene } from '../fixtures/images.ts';
import { type CliWorker, startCliWorker } from '../fleet/cli-worker.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';
import { inSlowRuns } from '../thorough.ts';

const IMAGES = 14;
const FORMATS = ['jsonl', 'csv', 'parquet'] as const;
const found = postgresPrograms();
const dir = mkdtempSync(join(tmpdir(), 'labelsmith-test-'));
let cloud: CloudServer;

before(async () => {
  cloud = await S3.start();
  mkdirSync(join(dir, 'photos'));
  const rows: string[] = [];
  for (let i = 0; i < IMAGES; i++) {
    writeFileSync(join(dir, 'photos', `${i}.jpg`), await jpegScene(64, 48, i + 1));
    const label = { class: ['cat', 'dog', 'vase'][i % 3], confidence: 0.9, origin: 'detector', task: 'objects' };
    // One of them has nothing on it, and is in no export.
    const regions = i === 5 ? [] : [{ box: [i, 10, i + 20, 40], labels: [label] }];
    rows.push(JSON.stringify({ file: `${i}.jpg`, regions }));
  }
  writeFileSync(join(dir, 'machine.jsonl'), rows.join('\n'));
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: dir });
  for (const format of FORMATS) await runJson(['export', format, `here-${format}`, '--shard-size', '3'], { cwd: dir });
  await runJson(['export', 'jsonl', 'here-one', '--shard-size', '1'], { cwd: dir });
});
after(async () => {
  await cloud.close();
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
});

const options = (): CliOptions => ({ cwd: dir, env: cloud.env });

/** Below a prefix of the bucket are the files of a folder, and nothing else. */
async function assertSame(prefix: string, folder: string): Promise<void> {
  await withEnv(cloud.env, async () => {
    const store = await S3.store(
      { scheme: 's3', bucket: 'bucket', prefix: '' },
      { partBytes: 2 ** 23, silenceMs: 60_000 },
    );
    const keys: string[] = [];
    for await (const { key } of store.list('')) {
      if (key.startsWith(`${prefix}/`)) keys.push(key.slice(prefix.length + 1));
    }
    const files = readdirSync(join(dir, folder)).filter((name) => !name.startsWith('.'));
    assert.deepEqual(keys.sort(), files.sort());
    for (const file of files) {
      const there = await buffer(await store.get(`${prefix}/${file}`));
      assert.equal(there.toString('latin1'), readFileSync(join(dir, folder, file), 'latin1'), `${prefix}/${file}`);
    }
  });
}

function shardsPut(prefix: string): number {
  const puts = cloud.log.filter(({ method, url }) => method === 'PUT' && url.startsWith(`/bucket/${prefix}/part-`));
  return new Set(puts.map(({ url }) => url.split('?')[0])).size;
}

async function until(isSo: () => boolean, said: () => string = () => ''): Promise<void> {
  for (let n = 0; !isSo(); n++) {
    assert.ok(n < 3000, said());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const resultsLeft = () => globSync('**/*.shard', { cwd: join(dir, '.labelsmith', 'cache', 'blobs') });

for (const format of FORMATS) {
  test(`${format}: three parts at once write what one process writes`, async () => {
    const args = ['export', format, `s3://bucket/parts-${format}`, '--shard-size', '3'];
    const parts = await Promise.all([0, 1, 2].map((i) => runCli([...args, '--shard', `${i}/3`], options())));
    for (const { code, stderr } of parts) assert.equal(code, 0, stderr);
    await assertSame(`parts-${format}`, `here-${format}`);
  });
}

test('a part that is killed is done again; one that never comes back is done by the command without --shard', {
  skip: inSlowRuns,
}, async () => {
  const args = ['export', 'jsonl', 's3://bucket/killed', '--shard-size', '1'];
  const dies = startCli([...args, '--shard', '0/2'], options());
  await until(() => shardsPut('killed') >= 2 || dies.exitCode !== null);
  dies.kill('SIGKILL');
  if (dies.exitCode === null && dies.signalCode === null) await once(dies, 'close');
  for (const shard of ['1/2', '0/2']) {
    const { code, stderr } = await runCli([...args, '--shard', shard], options());
    assert.equal(code, 0, stderr);
  }
  await assertSame('killed', 'here-one');

  const rest = ['export', 'jsonl', 's3://bucket/rest', '--shard-size', '1'];
  const part = await runCli([...rest, '--shard', '1/2'], options());
  assert.match(part.stdout, /^Part 1\/2 of export did 6 shards with 6 items\.$/m);
  const { shards } = await runJson<{ shards: unknown }>(rest, options());
  // Those of the other part count among those that this export wrote.
  assert.deepEqual(shards, { size: 1, written: IMAGES - 1, kept: 0 });
  await assertSame('rest', 'here-one');
  assert.deepEqual(resultsLeft(), []);
  assert.ok(!readdirSync(dir).some((name) => name.includes('outgoing')));
});

test('what is not written in parts says which exports are', async () => {
  const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['coco', 's3://bucket/coco'], /to coco is written by one machine.*--shard.*\n.*csv, jsonl, parquet.*--shard-size/],
    [['jsonl', 's3://bucket/file.jsonl'], /without --shard-size is one file/],
    [['jsonl', 'folder', '--shard-size', '3'], /to a folder of this machine is written here/],
    [['jsonl', 's3://bucket/parts-jsonl', '--shard-size', '3', '--replace'], /replaced already/],
  ];
  for (const [args, says] of cases) {
    const { code, stderr } = await runCli(['export', ...args, '--shard', '0/2'], options());
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  }
});

describe('workers', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  const workers: CliWorker[] = [];
  before(async () => {
    server = await startPostgres();
  });
  after(async () => {
    for (const { child } of workers) child.kill('SIGKILL');
    await server.stop();
  });

  test('two of them, one killed on the way, write what one process writes, and no other export is written over', async () => {
    const at = ['--workspace', `${server.url}?schema=together`];
    await runJson(['workspace', 'copy', '.labelsmith', at[1] ?? '', '--blobs', 's3://bucket/blobs'], options());
    for (let n = 0; n < 2; n++) workers.push(startCliWorker([...at, '--threads', '1'], options()));
    const [first, second] = workers;
    const said = () => `${first?.said()}\n${second?.said()}`;
    await until(() => workers.every((worker) => worker.said().includes('waits for shards')), said);
    const args = ['export', 'jsonl', 's3://bucket/fleet', '--shard-size', '1', ...at, '--fleet'];
    const exporting = runCli(args, options());
    await until(() => shardsPut('fleet') >= 2, said);
    first?.child.kill('SIGKILL');
    const { code, stderr } = await exporting;
    assert.equal(code, 0, stderr + said());
    await assertSame('fleet', 'here-one');

    const other = await runCli([...args, '--min-confidence', '0.95', '--empty', '--background', 'all'], options());
    assert.equal(other.code, 1, 'another export is not written over');
    assert.match(other.stderr, /fleet has another export in it/);
    const alone = await runCli(['export', 'coco', 's3://bucket/coco', ...at, '--fleet'], options());
    assert.equal(alone.code, 0, alone.stderr);
    assert.match(alone.stderr, /No work for others: an export to coco is written by one machine/);
  });
});
