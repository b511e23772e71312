/**
 * `push` against an S3 server of its own behind a proxy that verifies and breaks, and against a folder. What is expected
 * is what the issue of a broken way asks for: nothing lost, nothing doubled, the same call finishes the work.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { inTemporaryFolder, isError } from '../../../test/contracts/source.ts';
import { type Fault, type S3Server, startS3 } from '../../../test/fixtures/s3-server.ts';
import { LabelsmithError } from '../../errors.ts';
import { objectSink } from '../../sources/cloud/object-sink.ts';
import { s3Store } from '../../sources/cloud/s3-store.ts';
import { folderSink } from '../../sources/folder-sink.ts';
import type { Sink } from '../../sources/sink.ts';
import { type PushOptions, push } from './push.ts';
import { pushedTargets } from './where.ts';

let server: S3Server;
let name = 0;
const environment = { ...process.env };
before(async () => {
  server = await startS3();
  Object.assign(process.env, server.env);
});
beforeEach(() => {
  server.fault = () => undefined;
});
after(async () => {
  await server.close();
  process.env = environment;
});

const QUICK: PushOptions = { patienceMs: 4000, backoff: { baseMs: 5, maxMs: 50 }, settleMs: 0, parallel: 4 };

/** A sink of its own for each test. */
async function s3(prefix = `t${name++}`, silenceMs = 60_000): Promise<Sink> {
  return objectSink(await s3Store({ scheme: 's3', bucket: 'bucket', prefix }, { partBytes: 5 * 2 ** 20, silenceMs }));
}

function writeFiles(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    mkdirSync(join(folder, `d${i % 3}`), { recursive: true });
    writeFileSync(join(folder, `d${i % 3}`, `${i}.jpg`), `image ${i}`);
  }
}

async function assertAllThere(sink: Sink, folder: string): Promise<void> {
  for (const key of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!key.endsWith('.jpg') || key.startsWith('link/')) continue;
    assert.deepEqual(await buffer(sink.open(key)), readFileSync(join(folder, key)), key);
  }
}

const puts = (since: number) => server.log.slice(since).filter(({ method }) => method === 'PUT').length;

test('what is pushed is there; again, nothing is sent and nothing asked; what changed is sent', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    writeFiles(folder, 20);
    writeFileSync(join(folder, '.hidden'), 'x');
    const first = await push(folder, sink, QUICK);
    assert.deepEqual([first.counts.files, first.counts.pushed, first.counts.failed], [20, 20, 0]);
    await assertAllThere(sink, folder);
    const since = server.log.length;
    const second = await push(folder, sink, QUICK);
    assert.deepEqual([second.counts.unchanged, second.counts.bytesSent], [20, 0]);
    assert.equal(server.log.length, since);
    writeFileSync(join(folder, 'd0/0.jpg'), 'another image');
    assert.equal((await push(folder, sink, QUICK)).counts.pushed, 1);
    await assertAllThere(sink, folder);
    const [where] = await pushedTargets(folder);
    assert.deepEqual([where?.target, where?.files], [sink.uri, 20]);
  }));

test('without the ledger, the listing says what is there: nothing is sent twice', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    writeFiles(folder, 12);
    await push(folder, sink, QUICK);
    for (const file of readdirSync(folder)) if (file.startsWith('.labelsmith-push')) rmSync(join(folder, file));
    const since = server.log.length;
    const again = await push(folder, sink, QUICK);
    assert.deepEqual([again.counts.there, again.counts.pushed, again.counts.bytesSent], [12, 0, 0]);
    assert.equal(puts(since), 0);
    assert.ok(server.log.length - since <= 2, 'one request lists them all');
  }));

test('a file of somebody else’s is not written over, unless that is said', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    const theirs = Buffer.from('theirs');
    const sha256 = createHash('sha256').update(theirs).digest('hex');
    const put = async function* () {
      yield theirs;
    };
    await sink.put('d1/1.jpg', put(), { byteSize: theirs.length, sha256 });
    writeFiles(folder, 3);
    const { counts, problems } = await push(folder, sink, { ...QUICK, deleteAfterVerified: true });
    assert.deepEqual([counts.pushed, counts.conflicts, counts.deleted], [2, 1, 2]);
    assert.match(problems[0]!.path, /d1\/1\.jpg$/);
    assert.ok(existsSync(join(folder, 'd1/1.jpg')));
    assert.equal((await buffer(sink.open('d1/1.jpg'))).toString(), 'theirs');
    assert.equal((await push(folder, sink, { ...QUICK, replace: true })).counts.pushed, 1);
    await assertAllThere(sink, folder);
  }));

/** Each fault meets every third request that writes, once a key. */
const FAULTS: readonly (readonly [string, Fault])[] = [
  ['500', { kind: 'status', status: 500, code: 'InternalError' }],
  ['503 SlowDown', { kind: 'status', status: 503, code: 'SlowDown' }],
  ['a cut before the answer', { kind: 'cut', applied: false }],
  ['a cut after the store took it', { kind: 'cut', applied: true }],
  ['a wrong etag', { kind: 'wrong-etag' }],
  ['bytes that the store changes', { kind: 'corrupt' }],
  ['a slow answer', { kind: 'slow', ms: 1500 }],
];

for (const [what, fault] of FAULTS) {
  test(`${what}: the push goes on, nothing is lost`, () =>
    inTemporaryFolder(async (folder) => {
      const sink = await s3(undefined, what === 'a slow answer' ? 500 : 60_000);
      writeFiles(folder, 9);
      const met = new Set<string>();
      server.fault = ({ method, url }) => {
        if (method !== 'PUT' || met.has(url) || met.size >= 3) return undefined;
        met.add(url);
        return fault;
      };
      const { counts, problems } = await push(folder, sink, QUICK);
      assert.deepEqual(problems, []);
      assert.equal(counts.pushed + counts.there, 9);
      assert.equal(met.size, 3);
      if (fault.kind !== 'wrong-etag') assert.ok(counts.retries >= 3, `${counts.retries} retries`);
      server.fault = () => undefined;
      await assertAllThere(sink, folder);
      assert.equal((await push(folder, sink, QUICK)).counts.unchanged, 9);
    }));
}

test('a large file goes on in parts where it stopped, and is put whole', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    writeFileSync(join(folder, 'large.jpg'), randomBytes(17 * 2 ** 20));
    server.fault = ({ url }) => (url.includes('partNumber=3') ? { kind: 'cut', applied: false } : undefined);
    await assert.rejects(push(folder, sink, { ...QUICK, patienceMs: 100 }), isError('NETWORK'));
    assert.equal(await sink.find('large.jpg'), undefined);
    server.fault = () => undefined;
    const since = server.log.length;
    assert.equal((await push(folder, sink, QUICK)).counts.pushed, 1);
    const parts = server.log.slice(since).flatMap(({ url }) => /partNumber=(\d)/.exec(url)?.[1] ?? []);
    assert.deepEqual(parts, ['3', '4']);
    await assertAllThere(sink, folder);
  }));

test('a server that is away, wrong credentials and a missing bucket end the push with what to do', () =>
  inTemporaryFolder(async (folder) => {
    writeFiles(folder, 30);
    const sink = await s3();
    server.fault = () => ({ kind: 'cut', applied: false });
    await assert.rejects(push(folder, sink, { ...QUICK, patienceMs: 200 }), (error: unknown) => {
      assert.ok(error instanceof LabelsmithError && error.code === 'NETWORK' && /same command/.test(error.hint ?? ''));
      return true;
    });
    server.fault = () => ({ kind: 'status', status: 403, code: 'InvalidAccessKeyId' });
    const since = server.log.length;
    await assert.rejects(push(folder, sink, QUICK), isError('REFUSED'));
    assert.ok(server.log.length - since <= 8, 'it does not ask for each file');
    server.fault = () => undefined;
    const nowhere = objectSink(await s3Store({ scheme: 's3', bucket: 'nowhere', prefix: '' }));
    await assert.rejects(push(folder, nowhere, QUICK), isError('NOT_FOUND'));
    assert.equal((await push(folder, sink, QUICK)).counts.pushed, 30);
  }));

test('two pushers at once: each file is there once, and both say that all is well', () =>
  inTemporaryFolder(async (folder) => {
    const prefix = `t${name++}`;
    writeFiles(folder, 40);
    const since = server.log.length;
    const [a, b] = await Promise.all([push(folder, await s3(prefix), QUICK), push(folder, await s3(prefix), QUICK)]);
    assert.ok(puts(since) >= 40);
    for (const { counts } of [a, b]) {
      assert.equal(counts.pushed + counts.there + counts.unchanged, 40);
      assert.equal(counts.failed + counts.conflicts, 0);
    }
    assert.equal(a.counts.pushed + b.counts.pushed, 40);
  }));

test('a file is deleted here only when the target has it now', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    writeFiles(folder, 6);
    await push(folder, sink, QUICK);
    await fetch(`${server.url}/bucket/${sink.uri.split('/').at(-1)}/d0/0.jpg`, { method: 'DELETE' });
    const { counts } = await push(folder, sink, { ...QUICK, deleteAfterVerified: true });
    assert.deepEqual([counts.unchanged, counts.deleted], [6, 5]);
    assert.ok(existsSync(join(folder, 'd0/0.jpg')));
  }));

test('the bandwidth is kept over all files', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    for (let i = 0; i < 10; i++) writeFileSync(join(folder, `${i}.jpg`), randomBytes(50_000));
    const startedAt = performance.now();
    await push(folder, sink, { ...QUICK, bytesPerSecond: 500_000 });
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds >= 0.95, `500 kB at 500 kB/s took ${seconds} s`);
  }));

test('a mounted folder: pushed, read back, gone on with; a link to a folder is named, and a lost mount ends it', () =>
  inTemporaryFolder(async (folder) => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    mkdirSync(to);
    writeFiles(from, 5);
    symlinkSync('d0', join(from, 'link'));
    const sink = await folderSink(to);
    const { counts, problems } = await push(from, sink, QUICK);
    assert.deepEqual([counts.pushed, counts.leftOut], [5, 1]);
    assert.match(problems[0]!.message, /link to a folder/);
    await assertAllThere(sink, from);
    writeFiles(from, 7);
    rmSync(to, { recursive: true });
    await assert.rejects(push(from, sink, QUICK), isError('NOT_FOUND'));
    mkdirSync(to);
    assert.equal((await push(from, sink, QUICK)).counts.pushed, 7);
    rmSync(join(to, 'd1'), { recursive: true });
    assert.equal((await push(from, sink, QUICK)).counts.unchanged, 7, 'the ledger is believed');
    const checked = await push(from, sink, { ...QUICK, check: true });
    assert.deepEqual([checked.counts.unchanged, checked.counts.pushed], [5, 2]);
    await assertAllThere(sink, from);
  }));

test('a push that is told to stop stops, and another one finishes', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await s3();
    writeFiles(folder, 30);
    const stop = new AbortController();
    server.fault = ({ method }) => {
      if (method === 'PUT' && server.log.filter((r) => r.url.includes(sink.uri.split('/').at(-1)!)).length > 12)
        stop.abort();
      return undefined;
    };
    const first = await push(folder, sink, { ...QUICK, signal: stop.signal });
    assert.ok(first.interrupted && first.counts.pushed < 30);
    server.fault = () => undefined;
    const second = await push(folder, sink, QUICK);
    assert.equal(second.counts.pushed + second.counts.there + second.counts.unchanged, 30);
    await assertAllThere(sink, folder);
  }));

test('a target that is the folder itself is refused under any name, and its only copy is never deleted', () =>
  inTemporaryFolder(async (parent) => {
    const [folder, link, target] = [join(parent, 'folder'), join(parent, 'link'), join(parent, 'target')];
    writeFiles(folder, 3);
    symlinkSync(folder, link);
    const options = { ...QUICK, deleteAfterVerified: true };
    for (const own of [folder, link, join(folder, 'd0'), join(link, 'd1')]) {
      await assert.rejects(push(folder, await folderSink(own), options), isError('REFUSED'), own);
    }
    await assert.rejects(push(link, await folderSink(folder), options), isError('REFUSED'));
    mkdirSync(join(target, 'shared'), { recursive: true });
    writeFileSync(join(target, 'shared', 'only.jpg'), 'the only copy');
    symlinkSync(join(target, 'shared'), join(folder, 'shared'));
    const { counts } = await push(folder, await folderSink(target), options);
    assert.equal(readFileSync(join(target, 'shared', 'only.jpg'), 'utf8'), 'the only copy');
    assert.equal(counts.deleted, 3);
  }));
