/**
 * Exports in shards through the built command line: what they say is what the export in one file says, they go on after a
 * kill with the same bytes, and their folder is one data set for an import.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { runCli, runJson, startCli } from '../cli.ts';
import { S3 } from '../fixtures/clouds.ts';
import { type CloudServer, withEnv } from '../fixtures/faulty-server.ts';
import { jpegScene } from '../fixtures/images.ts';

const IMAGES = 23;
const SIZE = 5;
const SHARDS = 5;

interface Index {
  readonly complete: boolean;
  readonly format: string;
  readonly images: number;
  readonly regions: number;
  readonly labels: number;
  readonly shards: readonly {
    readonly file: string;
    readonly images: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly first: string;
    readonly last: string;
  }[];
}

interface Exported {
  readonly images: number;
  readonly shards: { readonly size: number; readonly written: number; readonly kept: number };
}

interface Imported {
  readonly matched: number;
  readonly format: string;
  readonly corrections: { readonly changed: number; readonly removed: number; readonly comparedWith: string } | null;
  readonly reckoning: { readonly problems: readonly { readonly reason: string; readonly count: number }[] };
}

const root = mkdtempSync(join(tmpdir(), 'labelsmith-test-'));
const base = join(root, 'base');
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));

before(async () => {
  mkdirSync(join(base, 'photos'), { recursive: true });
  const rows: string[] = [];
  for (let i = 0; i < IMAGES; i++) {
    writeFileSync(join(base, 'photos', `${i}.jpg`), await jpegScene(64, 48, i + 1));
    const label = { class: ['cat', 'dog', 'vase'][i % 3], confidence: 0.9, origin: 'detector', task: 'objects' };
    const regions = [{ box: [i, 10, i + 20, 40], labels: [label] }];
    rows.push(JSON.stringify({ file: `${i}.jpg`, regions }));
  }
  writeFileSync(join(base, 'machine.jsonl'), rows.join('\n'));
  await runJson(['add', 'photos'], { cwd: base });
  await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: base });
});

/** A copy of the workspace that a test may change. */
function copy(name: string): { readonly cwd: string } {
  const cwd = join(root, name);
  cpSync(base, cwd, { recursive: true, preserveTimestamps: true });
  return { cwd };
}

function indexIn(folder: string): Index {
  return JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
}

/** What is in a folder: name → SHA-256, the marker aside. */
function digests(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return Object.fromEntries(names.sort().map((name) => [name, sha256(readFileSync(join(folder, name)))]));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 of what the bucket has under a key. */
async function digestIn(cloud: CloudServer, key: string): Promise<string> {
  let digest = '';
  await withEnv(cloud.env, async () => {
    const address = { scheme: 's3', bucket: 'bucket', prefix: '' };
    const store = await S3.store(address, { partBytes: 2 ** 23, silenceMs: 60_000 });
    digest = sha256(await buffer(await store.get(key)));
  });
  return digest;
}

/** Kills as soon as it is so; a process that ended by itself before is left to the caller to notice. */
async function killedWhen(child: ChildProcess, isSo: () => boolean): Promise<void> {
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  while (!ended && !isSo()) await new Promise(setImmediate);
  child.kill('SIGKILL');
  if (!ended) await new Promise((done) => child.once('exit', done));
}

for (const format of ['jsonl', 'csv', 'parquet']) {
  test(`${format}: shards say what the one file says, and come back as one data set`, async () => {
    const cli = copy(format);
    const out = join(cli.cwd, 'out');
    const exported = await runJson<Exported>(['export', format, 'out', '--shard-size', String(SIZE)], cli);
    assert.deepEqual(exported.shards, { size: SIZE, written: SHARDS, kept: 0 });
    const index = indexIn(out);
    assert.deepEqual([index.complete, index.format, index.images], [true, format, IMAGES]);
    assert.deepEqual(
      index.shards.map((shard) => shard.images),
      [5, 5, 5, 5, 3],
    );
    for (const { file, bytes, sha256: digest, first, last } of index.shards) {
      const content = readFileSync(join(out, file));
      assert.deepEqual([content.length, sha256(content)], [bytes, digest]);
      assert.ok(first < last);
    }
    await runJson(['export', format, `whole.${format}`], cli);
    const whole = readFileSync(join(cli.cwd, `whole.${format}`), 'utf8');
    const texts = index.shards.map(({ file }) => readFileSync(join(out, file), 'utf8'));
    if (format === 'jsonl') assert.equal(texts.join(''), whole);
    if (format === 'csv') {
      const [header] = whole.split('\n', 1);
      for (const text of texts) assert.equal(text.split('\n', 1)[0], header);
      assert.equal(
        header +
          texts
            .map((text) => text.slice(header.length))
            .join('')
            .replaceAll('\n\n', '\n'),
        whole,
      );
    }

    const again = join(root, `${format}-again`);
    mkdirSync(again);
    cpSync(join(base, 'photos'), join(again, 'photos'), { recursive: true });
    await runJson(['add', 'photos'], { cwd: again });
    const imported = await runJson<Imported>(['import', 'auto', out], { cwd: again });
    assert.deepEqual([imported.format, imported.matched], [format, IMAGES]);
    assert.deepEqual(imported.reckoning.problems, []);
    await runJson(['export', 'csv', 'back.csv', '--origin', 'detector,imported'], { cwd: again });
    await runJson(['export', 'csv', 'before.csv', '--origin', 'detector,imported'], cli);
    const rows = (path: string) => readFileSync(path, 'utf8');
    assert.equal(rows(join(again, 'back.csv')), rows(join(cli.cwd, 'before.csv')));
  });
}

test('other formats are refused with the names of those that can', async () => {
  const { code, stderr } = await runCli(['export', 'coco', 'out', '--shard-size', '5'], { cwd: base });
  assert.equal(code, 2);
  assert.match(stderr, /coco is not written in shards[\s\S]*csv, jsonl, parquet, and webdataset/);
});

test('killed and run again: the same bytes, and what was there is not written again', async () => {
  const cli = copy('killed');
  const args = ['export', 'jsonl', 'out', '--shard-size', '1'];
  await runJson(['export', 'jsonl', 'undisturbed', '--shard-size', '1'], cli);
  const unfinished = () => readdirSync(cli.cwd).find((name) => name.endsWith('.parts'));
  const shards = () => readdirSync(join(cli.cwd, unfinished() ?? '.')).filter((name) => name.startsWith('part-'));
  // A machine that looks too late finds it done: then it is tried again.
  for (let tries = 0; tries < 5; tries++) {
    rmSync(join(cli.cwd, 'out'), { recursive: true, force: true });
    await killedWhen(startCli(args, cli), () => unfinished() !== undefined && shards().length >= 3);
    if (!existsSync(join(cli.cwd, 'out'))) break;
  }
  assert.ok(!existsSync(join(cli.cwd, 'out')), 'it was killed before its end');
  const there = shards().length;
  assert.ok(there >= 3 && there < IMAGES, `${there} shards were there`);
  const { shards: counts } = await runJson<Exported>(args, cli);
  assert.deepEqual(counts, { size: 1, written: IMAGES - there, kept: there });
  assert.deepEqual(digests(join(cli.cwd, 'out')), digests(join(cli.cwd, 'undisturbed')));
  assert.equal(unfinished(), undefined);
});

test('corrections of a shard come in; a damaged and a missing one are told and left out', async () => {
  const cli = copy('corrected');
  const out = join(cli.cwd, 'out');
  await runJson(['export', 'jsonl', 'out', '--shard-size', String(SIZE)], cli);
  const [first, second, third] = indexIn(out).shards.map(({ file }) => join(out, file));
  const text = readFileSync(first, 'utf8');
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const was = rows[0].regions[0].labels[0].class;
  rows[0].regions[0].labels[0].class = was === 'cat' ? 'dog' : 'cat';
  rows[1].regions = [];
  writeFileSync(first, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const corrected = await runJson<Imported>(['import', 'auto', 'out', '--as', 'human'], cli);
  assert.deepEqual(
    [corrected.corrections?.changed, corrected.corrections?.removed, corrected.corrections?.comparedWith],
    [1, 1, 'export'],
  );
  assert.deepEqual(
    corrected.reckoning.problems.map(({ reason, count }) => [reason, count]),
    [['shard-corrected', 1]],
  );

  writeFileSync(first, text);
  truncateSync(second, 40);
  rmSync(third);
  const left = await runJson<Imported>(['import', 'auto', 'out'], cli);
  assert.equal(left.matched, IMAGES - 2 * SIZE);
  assert.deepEqual(
    left.reckoning.problems.map(({ reason, count }) => [reason, count]),
    [['file-unreadable', 2]],
  );
  const strict = await runCli(['import', 'auto', 'out', '--strict'], cli);
  assert.equal(strict.code, 1);
  assert.match(
    strict.stderr,
    /part-000001\.jsonl: it is damaged, or was changed[\s\S]*part-000002\.jsonl: it is not there/,
  );
});

test('to S3: shard by shard with one index, gone on with, and no other export is written over', async (t) => {
  const cloud = await S3.start();
  t.after(() => cloud.close());
  const cli = { ...copy('cloud'), env: cloud.env };
  await runJson(['export', 'jsonl', 'here', '--shard-size', String(SIZE)], cli);
  const args = ['export', 'jsonl', 's3://bucket/labels', '--shard-size', String(SIZE)];
  const first = await runJson<Exported>(args, cli);
  assert.equal(first.shards.written, SHARDS);
  const puts = cloud.log.filter(({ method, url }) => method === 'PUT' && url.startsWith('/bucket/labels/'));
  assert.deepEqual(
    puts.map(({ url }) => url.replace(/^\/bucket\/labels\/|\?.*$/g, '')),
    ['index.json', ...Array.from({ length: SHARDS }, (_, i) => `part-00000${i}.jsonl`), 'index.json'],
  );
  for (const [name, digest] of Object.entries(digests(join(cli.cwd, 'here'))))
    assert.equal(await digestIn(cloud, `labels/${name}`), digest, name);

  const again = await runJson<Exported>(args, cli);
  assert.deepEqual(again.shards, { size: SIZE, written: 0, kept: SHARDS });
  const other = await runCli([...args, '--min-confidence', '0.95', '--empty'], cli);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /labels has another export in it/);
  const taken = await runCli(['export', 'jsonl', 's3://bucket', '--shard-size', '5'], cli);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /is not empty/);

  // Killed between two shards, and run again.
  await runJson(['export', 'jsonl', 'here1', '--shard-size', '1'], cli);
  const killed = ['export', 'jsonl', 's3://bucket/killed', '--shard-size', '1'];
  const put = () => new Set(cloud.log.filter(({ method }) => method === 'PUT').map(({ url }) => url.split('?')[0]));
  const shards = () => [...put()].filter((url) => url.startsWith('/bucket/killed/part-')).length;
  await killedWhen(startCli(killed, cli), () => shards() >= 3);
  assert.ok(shards() < IMAGES, 'it was killed before its end');
  const { shards: counts } = await runJson<Exported>(killed, cli);
  // The last put may have been cut off by the kill.
  assert.ok(counts.kept >= 2 && counts.kept + counts.written === IMAGES, JSON.stringify(counts));
  for (const [name, digest] of Object.entries(digests(join(cli.cwd, 'here1'))))
    assert.equal(await digestIn(cloud, `killed/${name}`), digest, name);
  assert.ok(!readdirSync(cli.cwd).some((name) => name.includes('outgoing')));
});

test('to an S3 that answers 503, cuts connections and keeps other bytes: all is there as it should be', async (t) => {
  const cloud = await S3.start();
  t.after(() => cloud.close());
  const cli = { ...copy('faults'), env: cloud.env };
  await runJson(['export', 'csv', 'here', '--shard-size', '2'], cli);
  const seen = new Map<string, number>();
  cloud.fault = ({ method, url }) => {
    const key = /^\/bucket\/labels\/([\w.-]+)/.exec(url)?.[1];
    if (key === undefined || method !== 'PUT') return undefined;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    if (times > 1) return undefined;
    const number = Number(/\d+/.exec(key)?.[0] ?? 0);
    if (number % 4 === 0) return { kind: 'status', status: 503, code: 'SlowDown' };
    if (number % 4 === 1) return { kind: 'cut', applied: number % 8 === 1 };
    return number % 4 === 2 ? { kind: 'corrupt' } : undefined;
  };
  await runJson(['export', 'csv', 's3://bucket/labels', '--shard-size', '2'], cli);
  assert.ok(seen.size > 10 && [...seen.values()].filter((times) => times > 1).length > 6, 'there were faults');
  for (const [name, digest] of Object.entries(digests(join(cli.cwd, 'here'))))
    assert.equal(await digestIn(cloud, `labels/${name}`), digest, name);
});
