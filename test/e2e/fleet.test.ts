/**
 * A fleet as its user sees it, with the built command line: a command is given to the workers and its starter is killed, the worker
 * that runs it is killed too, and another process follows it to the end; workers are told to wait, to go on and to end.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBoss } from '../../src/jobs/fleet/boss.ts';
import type { FleetStatus } from '../../src/jobs/status.ts';
import { runCli, runJson, startCli } from '../cli.ts';
import { type Ground, prepare } from '../contracts/stage/every-stage.ts';
import { importEmbedder } from '../contracts/stage/models.ts';
import { startS3 } from '../fixtures/s3-server.ts';
import { type CliWorker, startCliWorker } from '../fleet/cli-worker.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';

const found = postgresPrograms();
const PHOTOS = 40;

describe('a fleet', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  let ground: Ground;
  const workers: CliWorker[] = [];
  before(async () => {
    [server, ground] = await Promise.all([startPostgres(), prepare(PHOTOS)]);
  });
  after(async () => {
    for (const { child } of workers) child.kill('SIGKILL');
    await server.stop();
    await rm(ground.dir, { recursive: true, force: true });
  });

  const options = () => ({ cwd: ground.dir, env: { LABELSMITH_CACHE: ground.cacheDir, LABELSMITH_OFFLINE: '1' } });
  const placeOf = (name: string) => ['--workspace', `${server.url}?schema=${name}`];
  function start(name: string, ...args: readonly string[]): CliWorker {
    const worker = startCliWorker([...placeOf(name), '--threads', '1', ...args], options());
    workers.push(worker);
    return worker;
  }

  test('a command goes on without its starter and without its first worker, and is followed from elsewhere', async () => {
    const at = placeOf('detached');
    await runJson(['add', 'photos', '--shard-size', '3'], options());
    await runJson(['embed', '--model', 'means', '--shard-size', '3'], options());

    const starter = startCli(
      ['add', 'photos', '--shard-size', '3', ...at, '--blobs', join(ground.dir, 'blobs'), '--follow'],
      options(),
    );
    const said = textOf(starter.stderr);
    await until(() => said().includes('waits for a worker'));
    starter.kill('SIGKILL');
    await once(starter, 'close');

    const first = start('detached');
    await until(() => first.said().includes('command begun'), first.said);
    // It goes with its child, which does shards, and with the command, half-way.
    await until(() => first.said().includes('add 5:'), first.said);
    first.child.kill('SIGKILL');
    const [second, third] = [start('detached'), start('detached', '--only-shards')];
    const followed = await runJson<Followed>(['status', '--follow', '--price', '36000', ...at], options());
    assert.equal(followed.isOver, true);
    assert.equal(followed.command.state.kind, 'ended');
    assert.equal(followed.command.state.end.exitCode, 0);
    assert.ok(followed.cost.soFar > 0, 'ten a second, and a machine at least');
    assert.match(second.said(), /command begun: labelsmith add/);
    assert.doesNotMatch(third.said(), /command begun/);

    const given = await runCli(['embed', '--model', 'means', '--shard-size', '3', ...at, '--detach'], options());
    assert.equal(given.code, 0, given.stderr);
    const text = await runCli(['status', '--follow', ...at], options());
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^Embedded \d+ images\.\n\nlabelsmith embed --model=means --shard-size=3: done\.$/m);
    for (const worker of [second, third]) worker.child.kill('SIGTERM');
    assert.deepEqual(await Promise.all([second.ended, third.ended]), [130, 130]);

    assert.equal(await exported(at, 'there.jsonl'), await exported([], 'here.jsonl'));
  });

  test('workers are told to wait, to go on, and to end; a command that cannot be done says why', async () => {
    const at = placeOf('orders');
    await runJson(['add', 'refs', ...at, '--blobs', join(ground.dir, 'blobs2')], options());
    const occupied = createServer().listen(0, '127.0.0.1');
    await once(occupied, 'listening');
    const { port } = occupied.address() as AddressInfo;
    const without = start('orders', '--metrics-port', String(port));
    assert.equal(await without.ended, 1, without.said());
    assert.match(without.said(), /Port \d+ for metrics cannot be had/);
    occupied.close();
    const part = await runCli(['detect', '--detach', '--shard', '0/2', ...at], options());
    assert.deepEqual([part.code, part.stderr.includes('is not given to workers')], [2, true], part.stderr);
    const one = start('orders');
    await until(() => one.said().includes('waits for shards'), one.said);
    await putForOthers(`${server.url}?schema=orders`);
    await until(() => one.said().includes('another version'), one.said);
    assert.match(
      one.said(),
      /^note: 2 shards wait for workers of another version \(0\.0\.9\); this one leaves them\.$/m,
    );
    await runJson(['worker', 'pause', ...at], options());
    await runJson(['add', 'photos', '--shard-size', '10', ...at, '--detach'], options());
    await sleep(3000);
    assert.doesNotMatch(one.said(), /command begun/);
    const view = await runCli(['status', '--follow', ...at], { ...options(), killAfterMs: 4000 });
    assert.match(view.stderr, /waits for a worker that runs it, paused/);
    const stopped = startCli(['embed', '--model', 'means', '--fleet', ...at], options());
    const heard = textOf(stopped.stderr);
    await until(() => /^embed +0\/\d+/m.test(heard()), heard);
    stopped.kill('SIGINT');
    const [code] = await once(stopped, 'close');
    assert.equal(code, 130, heard());
    assert.match(heard(), /^Interrupted: of embed 0 of \d+ are done, and kept\. Run the same command again/m);
    const unknown = await runCli(['worker', 'limit', '--model-limit', 'mean=3', ...at], options());
    assert.equal(unknown.code, 2, unknown.stdout);
    assert.match(unknown.stderr, /no model "mean" that shards could be of.*\n.*Like it are means/);
    await runJson(['worker', 'limit', '--model-limit', 'means=3', ...at], options());
    const { stdout } = await runCli(['status', ...at], options());
    assert.match(
      stdout,
      /^given to the workers last: labelsmith add --shard-size=10 -- .*photos \(how far: status --follow\)$/m,
    );
    assert.match(stdout, /^workers are paused: labelsmith worker resume$/m);
    assert.match(stdout, /^shards of a model at once, at most: means 3 \(labelsmith worker limit\)$/m);
    const { fleet } = await runJson<{ fleet: FleetStatus }>(['status', ...at], options());
    const { command: given, ...told } = fleet;
    assert.deepEqual(told, { paused: true, limits: { means: 3 } });
    assert.deepEqual(given?.slice(0, 3), ['add', '--shard-size=10', '--']);
    await runJson(['worker', 'resume', ...at], options());
    await runJson(['status', '--follow', ...at], options());
    assert.match(one.said(), /command ended with 0/);

    const wrong = await runJson<Followed>(['embed', '--model', 'nobodys', ...at, '--follow'], {
      ...options(),
      expected: 2,
    });
    assert.equal(wrong.command.state.kind, 'ended');
    assert.match(JSON.stringify(wrong.command.state.end.document), /nobodys/);
    assert.match(one.said(), /command ended with 2: .*\n.*nobodys/);
    const tooLate = await runCli(['worker', 'cancel', ...at], options());
    assert.equal(tooLate.code, 1, tooLate.stderr);
    assert.match(tooLate.stdout, /^It was over before\. labelsmith embed --model=nobodys: .*nobodys/m);

    await runJson(['worker', 'drain', ...at], options());
    assert.equal(await one.ended, 0);
    // One that begins later is not meant.
    const two = start('orders', '--drain', '1s');
    assert.equal(await two.ended, 0);
  });

  test('an export is given away, and its shards are in object storage as one machine writes them', async (t) => {
    const cloud = await startS3();
    t.after(() => cloud.close());
    const at = placeOf('sent');
    const withCloud = { ...options(), env: { ...options().env, ...cloud.env } };
    await runJson(['add', 'photos', ...at, '--blobs', join(ground.dir, 'blobs3')], options());
    const args = ['--unlabelled', '--shard-size', '7'];
    await runJson(['export', 'jsonl', 'sent-here', ...args, ...at], options());
    const worker = startCliWorker([...at, '--threads', '1'], withCloud);
    workers.push(worker);
    await runJson(['export', 'jsonl', 's3://bucket/sent', ...args, ...at, '--detach'], options());
    const { command } = await runJson<Followed>(['status', '--follow', ...at], options());
    assert.equal(command.state.end.exitCode, 0, worker.said());
    const puts = new Map(cloud.log.filter(({ method }) => method === 'PUT').map((put) => [put.url.split('?')[0], put]));
    const names = (await readdir(join(ground.dir, 'sent-here'))).filter((name) => !name.startsWith('.')).sort();
    assert.deepEqual(
      [...puts.keys()].sort(),
      names.map((name) => `/bucket/sent/${name}`),
    );
    for (const name of names) {
      const content = await readFile(join(ground.dir, 'sent-here', name));
      const md5 = createHash('md5').update(content).digest('base64');
      assert.equal(puts.get(`/bucket/sent/${name}`)?.headers['content-md5'], md5, name);
    }
  });

  test('a worker whose model is another one ends with the names of both and what to do; one that has the same does the shards', async () => {
    const at = placeOf('models');
    await runJson(['add', 'refs', ...at, '--blobs', join(ground.dir, 'blobs4')], options());
    const otherCache = join(ground.dir, 'other-cache');
    await importEmbedder(ground.dir, otherCache, 0.5);
    const env = { ...options().env, LABELSMITH_CACHE: otherCache };
    const other = startCliWorker([...at, '--threads', '1'], { ...options(), env });
    workers.push(other);
    await until(() => other.said().includes('waits for shards'), other.said);
    const embed = ['embed', '--model', 'means', '--fleet', '--shard-size', '2', ...at];
    const embedding = runJson<{ embedded: number }>(embed, options());
    assert.equal(await other.ended, 1, other.said());
    const says =
      /the embed of this run is of (means@\w+), and this machine has (means@\w+): pull or import the same model/;
    const [, ofRun, here] = says.exec(other.said()) ?? assert.fail(other.said());
    assert.notEqual(ofRun, here);
    start('models');
    assert.equal((await embedding).embedded, 9, 'three pictures of each class');
  });

  test('what is not for workers is refused with what to do', async () => {
    const at = placeOf('orders');
    const status = await runCli(['status', '--follow'], options());
    assert.equal(status.code, 2);
    assert.match(status.stderr, /Only a workspace in PostgreSQL/);
    const other = await runCli(['export', 'csv', 'x.csv', ...at, '--detach'], options());
    assert.equal(other.code, 2);
    assert.match(other.stderr, /Workers export to object storage/);
    const review = await runCli(['review', ...at, '--detach'], options());
    assert.match(review.stderr, /review is not given to workers/);
    const list = await runCli(['add', '-', ...at, '--detach'], options());
    assert.match(list.stderr, /A list on stdin/);
    const typed = await runCli(['detect', '--threshold', 'high', ...at, '--detach'], options());
    assert.equal(typed.code, 2);
    assert.match(typed.stderr, /--threshold takes/);
  });

  async function exported(at: readonly string[], name: string): Promise<string> {
    await runJson(['export', 'jsonl', name, '--unlabelled', ...at], options());
    return readFile(join(ground.dir, name), 'utf8');
  }
});

interface Followed {
  readonly isOver: boolean;
  readonly command: {
    readonly state: { readonly kind: string; readonly end: { readonly exitCode: number; readonly document: unknown } };
  };
  readonly cost: { readonly soFar: number };
}

/** Two shards of a version that is not here. */
async function putForOthers(location: string): Promise<void> {
  const boss = await startBoss(location);
  await boss.createQueue('shards_0.0.9');
  await boss.insert('shards_0.0.9', [{ data: {} }, { data: {} }]);
  await boss.stop({ graceful: false });
}

function textOf(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return () => text;
}

const PATIENCE_MS = 120_000;

async function until(condition: () => boolean, said: () => string = () => ''): Promise<void> {
  const startedAt = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startedAt < PATIENCE_MS, `not in two minutes: ${said()}`);
    await sleep(50);
  }
}
