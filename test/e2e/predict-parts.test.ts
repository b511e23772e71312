/**
 * `teach predict` by several processes, with the built command line: parts (`--shard i/n`) with no workspace, to a folder and to an
 * S3, and workers of a workspace in PostgreSQL. The rows are those that one process prints, whoever is killed.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type CliOptions, runCli, runJson, startCli } from '../cli.ts';
import { type CommandParts, openCommandParts } from '../command-parts.ts';
import { S3 } from '../fixtures/clouds.ts';
import { type CloudServer, withEnv } from '../fixtures/faulty-server.ts';
import { type CliWorker, startCliWorker } from '../fleet/cli-worker.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';

/** Six of each class, one twice, one in worse quality; and one of each that is cut off. */
const [READABLE, DAMAGED] = [24, 3];
const PREDICT = ['teach', 'predict', 'photos', '--model', 'class.onnx', '--threads', '1'];
const found = postgresPrograms();
let parts: CommandParts;
let cloud: CloudServer;
let expected: string;

const dir = () => parts.dir;
const options = (): CliOptions => ({ ...parts.options, env: { ...parts.options.env, ...cloud.env } });
const labelsIn = (place: string) => readFileSync(join(dir(), place, 'labels.csv'), 'utf8');
const predict = (...args: readonly string[]) => runCli([...PREDICT, ...args], options());

async function ends(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await predict(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

before(async () => {
  cloud = await S3.start();
  parts = await openCommandParts(['taught']);
  const rows = ['red', 'green', 'blue'].flatMap((name) => [0, 3, 4].map((n) => `photos/${name}/${n}.jpg,${name}`));
  writeFileSync(join(dir(), 'labels.csv'), ['file,class', ...rows, ''].join('\n'));
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human', '-w', 'taught'], options());
  const rounds = ['teach', 'rounds', '--threads', '1', '-w', 'taught'];
  const { model } = await runJson<{ model: string }>(rounds, options());
  cpSync(model, join(dir(), 'class.onnx'));
  expected = await ends();
  assert.equal(expected.split('\n').length, READABLE + 2, 'a head, a row for each, the end');
});
after(async () => {
  await parts.close();
  await cloud.close();
});

test('one process writes what it prints, and says what could not be read; once more, it is there', async () => {
  const document = await runJson<Record<string, unknown>>([...PREDICT, '--out', 'one', '--shard-size', '5'], options());
  assert.equal(labelsIn('one'), expected);
  const { labels } = JSON.parse(readFileSync(join(dir(), 'one', 'index.json'), 'utf8'));
  assert.deepEqual(
    labels.failed.map(({ file }: { file: string }) => file),
    ['blue-cut.jpg', 'green-cut.jpg', 'red-cut.jpg'],
  );
  assert.deepEqual([document.images, document.files], [READABLE, READABLE + DAMAGED]);
  assert.ok(!existsSync(join(dir(), 'one', 'parts')));
  assert.match(await ends('--out', 'one', '--shard-size', '5'), /are there already/);
  const strict = await predict('--out', 'one', '--shard-size', '5', '--strict');
  assert.equal(strict.code, 1, 'files that could not be read');
});

for (const place of ['folder', 's3://bucket/parts'] as const) {
  test(`three parts at once, to ${place}`, async () => {
    const said = await Promise.all(
      [0, 1, 2].map((i) => ends('--out', place, '--shard-size', '2', '--shard', `${i}/3`)),
    );
    assert.ok(said.some((text) => /Labels of 24 images are in/.test(text)));
    assert.equal(place === 'folder' ? labelsIn(place) : await labelsAt('parts'), expected);
    // Whoever comes late finds it.
    assert.match(await ends('--out', place, '--shard-size', '2', '--shard', '1/3'), /are there already/);
  });
}

test('a part that is killed goes on; one that never comes back is done without --shard', async () => {
  const args = ['--out', 'killed', '--shard-size', '1'];
  const done = () => globSync('*.part', { cwd: join(dir(), 'killed', 'parts') }).length;
  const dies = startCli([...PREDICT, ...args, '--shard', '0/2'], options());
  while (done() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  dies.kill('SIGKILL');
  if (dies.exitCode === null && dies.signalCode === null) await once(dies, 'close');
  const before = done();
  assert.ok(before < 14, 'it had more to do');
  const half = await ends(...args, '--shard', '0/2');
  assert.match(half, new RegExp(`^Part 0/2 of teach predict did ${14 - before} shards`, 'm'));
  assert.match(half, /14 of 27 shards are done: the part that ends last writes them down/);
  assert.match(await ends(...args), /Labels of 24 images are in/);
  assert.equal(labelsIn('killed'), expected);
});

test('a damaged part is told and made anew', async () => {
  const args = ['--out', 'damaged', '--shard-size', '3'];
  await ends(...args, '--shard', '0/2');
  const [first = ''] = globSync('*.part', { cwd: join(dir(), 'damaged', 'parts') });
  const path = join(dir(), 'damaged', 'parts', first);
  const bytes = readFileSync(path);
  bytes[bytes.length - 3]++;
  writeFileSync(path, bytes);
  const { code, stderr } = await predict(...args, '--shard', '1/2');
  assert.equal(code, 1);
  assert.match(stderr, /A part of the predictions .* is gone or damaged.*\n.*[Rr]un the same command again/);
  await ends(...args);
  assert.equal(labelsIn('damaged'), expected);
});

test('what cannot be is refused, with what to do', async () => {
  const usage = await predict('--shard', '0/2');
  assert.equal(usage.code, 2);
  assert.match(usage.stderr, /need a place that all of them write to.*\n.*--out/);
  const both = await predict('--shard', '0/2', '--out', 'both', '--fleet');
  assert.equal(both.code, 2);
  assert.match(both.stderr, /two ways to spread the same work/);
  const elsewhere = await predict('--out', 'sftp://host/folder');
  assert.match(elsewhere.stderr, /not written to sftp.*\n.*s3:\/\//);

  await ends('--out', 'options', '--shard-size', '2', '--shard', '0/2');
  const threshold = await predict('--out', 'options', '--shard-size', '2', '--shard', '1/2', '--threshold', '0.9');
  assert.equal(threshold.code, 1);
  assert.match(
    threshold.stderr,
    /are of --threshold 0, and these of 0\.9\..*\n.*the same files, classifier and options/,
  );
  const sizes = await predict('--out', 'options', '--shard-size', '3', '--shard', '1/2');
  assert.match(sizes.stderr, /are of --shard-size 2, and these of 3/);

  cpSync(join(dir(), 'photos', 'red'), join(dir(), 'some'), { recursive: true });
  const some = ['teach', 'predict', 'some', '--model', 'class.onnx', '--out', 'some-labels'];
  await runJson(some, options());
  rmSync(join(dir(), 'some', '4.jpg'));
  const changed = await runCli(some, options());
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /are whole, of other files than there are now/);

  writeFileSync(join(dir(), 'some', 'labels.csv'), 'mine');
  const mine = await predict('--out', 'some');
  assert.match(mine.stderr, /has a labels\.csv in it that is of no predictions/);
  assert.equal(labelsIn('some'), 'mine');
  const others = await predict('--out', join('photos', '..', 'taught'));
  assert.match(others.stderr, /has "[\w.-]+" in it that is of no predictions.*\n.*another place with --out/);
  for (const among of ['photos', join('photos', 'new'), '.']) {
    const refused = await predict('--out', among);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /the output .* (is|is inside|contains) what is predicted/);
  }
  assert.ok(!existsSync(join(dir(), 'photos', 'new')));
  mkdirSync(join(dir(), 'foreign', 'parts'), { recursive: true });
  writeFileSync(join(dir(), 'foreign', 'parts', 'x'), 'mine');
  const foreign = await predict('--out', 'foreign');
  assert.match(foreign.stderr, /has "parts" in it that is of no predictions/);
  assert.equal(readFileSync(join(dir(), 'foreign', 'parts', 'x'), 'utf8'), 'mine');
});

test('file:///FOLDER is that folder; parts of others beside one’s own are left alone', async () => {
  const folder = join(dir(), 'by address');
  await ends('--out', pathToFileURL(folder).href, '--shard-size', '5', '--shard', '0/2');
  writeFileSync(join(folder, 'parts', 'x'), 'mine');
  const [part = ''] = globSync('*.part', { cwd: join(folder, 'parts') });
  cpSync(join(folder, 'parts', part), join(folder, 'parts', part.replace(/^\w+/, '0123456789abcdef')));
  assert.match(await ends('--out', folder, '--shard-size', '5'), /Labels of 24 images are in .*by address/);
  assert.equal(labelsIn('by address'), expected);
  assert.equal(readFileSync(join(folder, 'parts', 'x'), 'utf8'), 'mine');
  const wrong = await predict('--out', 'file://elsewhere/folder');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--out takes a path, or an address; one of a place on this machine is file:/);
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

  test('two of them, one killed on the way: the same rows, printed and written', async () => {
    const at = ['--workspace', `${server.url}?schema=predict`];
    await runJson(['workspace', 'copy', 'taught', at[1] ?? '', '--blobs', 's3://bucket/blobs'], options());
    for (let n = 0; n < 2; n++) workers.push(startCliWorker([...at, '--threads', '1'], options()));
    assert.equal(await ends(...at, '--fleet', '--shard-size', '4'), expected);

    const writing = predict(...at, '--fleet', '--shard-size', '1', '--out', 's3://bucket/fleet');
    const puts = () =>
      cloud.log.filter(({ method, url }) => method === 'PUT' && url.startsWith('/bucket/fleet/parts/'));
    while (puts().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    workers[0]?.child.kill('SIGKILL');
    const { code, stderr } = await writing;
    assert.equal(code, 0, stderr);
    assert.equal(await labelsAt('fleet'), expected);
  });
});

/** The labels at a prefix of the bucket, where nothing else is but the index. */
async function labelsAt(prefix: string): Promise<string> {
  let labels = '';
  await withEnv(cloud.env, async () => {
    const address = { scheme: 's3', bucket: 'bucket', prefix };
    const store = await S3.store(address, { partBytes: 2 ** 23, silenceMs: 60_000 });
    const keys: string[] = [];
    for await (const { key } of store.list('')) keys.push(key);
    assert.deepEqual(keys.sort(), ['index.json', 'labels.csv']);
    labels = (await buffer(await store.get('labels.csv'))).toString('utf8');
  });
  return labels;
}
