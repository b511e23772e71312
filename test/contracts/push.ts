/**
 * The suite of `push` to a cloud, against a server of its own behind a proxy that verifies and breaks. What is expected is
 * what a broken way asks for: nothing lost, nothing doubled, the same call finishes the work.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import { LabelsmithError } from '../../src/errors.ts';
import { objectSink } from '../../src/sources/cloud/object-sink.ts';
import type { Sink } from '../../src/sources/sink.ts';
import { type PushOptions, push } from '../../src/stages/push/push.ts';
import { pushedTargets } from '../../src/stages/push/where.ts';
import { type Cloud, PART_BYTES } from '../fixtures/clouds.ts';
import type { CloudServer, Fault } from '../fixtures/faulty-server.ts';
import { inTemporaryFolder, isError } from './source.ts';

export const QUICK: PushOptions = { patienceMs: 4000, backoff: { baseMs: 5, maxMs: 50 }, settleMs: 0, parallel: 4 };

export function writeFiles(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    mkdirSync(join(folder, `d${i % 3}`), { recursive: true });
    writeFileSync(join(folder, `d${i % 3}`, `${i}.jpg`), `image ${i}`);
  }
}

export async function assertAllThere(sink: Sink, folder: string): Promise<void> {
  for (const key of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!key.endsWith('.jpg') || key.startsWith('link/')) continue;
    assert.deepEqual(await buffer(sink.open(key)), readFileSync(join(folder, key)), key);
  }
}

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

export function pushContract(cloud: Cloud): void {
  describe(`push: ${cloud.scheme}`, { skip: cloud.skip }, () => {
    let server: CloudServer;
    let name = 0;
    const environment = { ...process.env };
    before(async () => {
      server = await cloud.start();
      Object.assign(process.env, server.env);
    });
    beforeEach(() => {
      server.fault = () => undefined;
    });
    after(async () => {
      await server?.close();
      process.env = environment;
    });
    const storeAt = (prefix: string, silenceMs = 60_000, bucket = 'bucket') =>
      cloud.store({ scheme: cloud.scheme, bucket, prefix }, { partBytes: PART_BYTES, silenceMs });
    /** A sink of its own for each test. */
    const sinkAt = async (prefix = `t${name++}`, silenceMs?: number, bucket?: string) =>
      objectSink(await storeAt(prefix, silenceMs, bucket));
    /** One that has put something: from then on, some stores are asked in another way. */
    const warmSinkAt = async (...at: Parameters<typeof sinkAt>) => {
      const sink = await sinkAt(...at);
      const byteSize = 1;
      const sha256 = createHash('sha256').update('x').digest('hex');
      const written = await sink.put('warm.txt', Readable.from([Buffer.from('x')]), { byteSize, sha256 });
      assert.equal(written.kind, 'written');
      return sink;
    };
    const puts = (since: number) => server.log.slice(since).filter(cloud.isWrite).length;

    test('what is pushed is there; again, nothing is sent and nothing asked; what changed is sent', () =>
      inTemporaryFolder(async (folder) => {
        const sink = await sinkAt();
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
        const sink = await sinkAt();
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
        const sink = await sinkAt();
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

    test('a file is deleted here only when the target has it now: what it lost is pushed again, what another put there is a conflict', () =>
      inTemporaryFolder(async (folder) => {
        const [sink, store] = [await sinkAt('lost'), await storeAt('lost')];
        writeFiles(folder, 3);
        await push(folder, sink, QUICK);
        const theirs = Buffer.from('theirs');
        const sha256 = createHash('sha256').update(theirs).digest('hex');
        await store.delete('d0/0.jpg');
        await store.put('d1/1.jpg', theirs, { sha256, condition: { kind: 'any' } });
        const { counts, problems } = await push(folder, sink, { ...QUICK, deleteAfterVerified: true });
        assert.deepEqual([counts.pushed, counts.unchanged, counts.conflicts, counts.deleted], [1, 1, 1, 2]);
        assert.match(problems[0]!.path, /d1\/1\.jpg$/);
        assert.equal((await buffer(sink.open('d0/0.jpg'))).toString(), 'image 0');
        assert.equal((await buffer(sink.open('d1/1.jpg'))).toString(), 'theirs');
        assert.ok(existsSync(join(folder, 'd1/1.jpg')));
        // Nor does the ledger say that it is anywhere, by which capture would delete it.
        const [where] = await pushedTargets(folder);
        assert.deepEqual([where?.files, where?.deleted], [2, 2]);
        assert.equal((await push(folder, sink, QUICK)).counts.conflicts, 1);
        assert.equal((await push(folder, sink, { ...QUICK, replace: true })).counts.pushed, 1);
        await store.delete('d1/1.jpg');
        assert.equal((await push(folder, sink, { ...QUICK, check: true })).counts.pushed, 1);
        await assertAllThere(sink, folder);
      }));

    for (const [what, fault] of FAULTS) {
      test(`${what}: the push goes on, nothing is lost`, () =>
        inTemporaryFolder(async (folder) => {
          const sink = await warmSinkAt(undefined, what === 'a slow answer' ? 500 : 60_000);
          writeFiles(folder, 9);
          const met = new Set<string>();
          const wrongWay: string[] = [];
          server.fault = (request) => {
            const { url } = request;
            if (!cloud.isWrite(request) || met.has(url) || met.size >= 3) return undefined;
            met.add(url);
            if (cloud.isShort?.(request) === false) wrongWay.push(url);
            return fault;
          };
          const { counts, problems } = await push(folder, sink, QUICK);
          assert.deepEqual(problems, []);
          assert.equal(counts.pushed + counts.there, 9);
          assert.deepEqual([met.size, wrongWay], [3, []]);
          if (fault.kind !== 'wrong-etag') assert.ok(counts.retries >= 3, `${counts.retries} retries`);
          server.fault = () => undefined;
          await assertAllThere(sink, folder);
          assert.equal((await push(folder, sink, QUICK)).counts.unchanged, 9);
        }));
    }

    test('a large file goes on in parts where it stopped, and is put whole', () =>
      inTemporaryFolder(async (folder) => {
        const sink = await sinkAt();
        writeFileSync(join(folder, 'large.jpg'), randomBytes(17 * 2 ** 20));
        server.fault = (request) => (cloud.partIn(request) === 3 ? { kind: 'cut', applied: false } : undefined);
        await assert.rejects(push(folder, sink, { ...QUICK, patienceMs: 100 }), isError('NETWORK'));
        assert.equal(await sink.find('large.jpg'), undefined);
        server.fault = () => undefined;
        const since = server.log.length;
        assert.equal((await push(folder, sink, QUICK)).counts.pushed, 1);
        const parts = server.log.slice(since).flatMap((request) => cloud.partIn(request) ?? []);
        assert.deepEqual([...new Set(parts)], [3, 4]);
        await assertAllThere(sink, folder);
      }));

    test('a server that is away, wrong credentials and a missing bucket end the push with what to do', () =>
      inTemporaryFolder(async (folder) => {
        writeFiles(folder, 30);
        const sink = await warmSinkAt();
        server.fault = () => ({ kind: 'cut', applied: false });
        await assert.rejects(push(folder, sink, { ...QUICK, patienceMs: 200 }), (error: unknown) => {
          assert.ok(
            error instanceof LabelsmithError && error.code === 'NETWORK' && /same command/.test(error.hint ?? ''),
          );
          return true;
        });
        const { status, code } = cloud.refused;
        server.fault = () => ({ kind: 'status', status, code });
        const since = server.log.length;
        await assert.rejects(push(folder, sink, QUICK), isError('REFUSED'));
        assert.ok(server.log.length - since <= 8, 'it does not ask for each file');
        server.fault = () => undefined;
        const nowhere = await sinkAt('', undefined, 'nowhere');
        await assert.rejects(push(folder, nowhere, QUICK), isError('NOT_FOUND'));
        assert.equal((await push(folder, sink, QUICK)).counts.pushed, 30);
      }));

    test('two pushers at once: each file is there once, and both say that all is well', () =>
      inTemporaryFolder(async (folder) => {
        const prefix = `t${name++}`;
        writeFiles(folder, 40);
        const since = server.log.length;
        const [a, b] = await Promise.all([
          push(folder, await warmSinkAt(prefix), QUICK),
          push(folder, await warmSinkAt(prefix), QUICK),
        ]);
        assert.ok(puts(since) >= 40);
        for (const { counts } of [a, b]) {
          assert.equal(counts.pushed + counts.there + counts.unchanged, 40);
          assert.equal(counts.failed + counts.conflicts, 0);
        }
        assert.equal(a.counts.pushed + b.counts.pushed, 40);
      }));

    test('the bandwidth is kept over all files', () =>
      inTemporaryFolder(async (folder) => {
        const sink = await sinkAt();
        for (let i = 0; i < 10; i++) writeFileSync(join(folder, `${i}.jpg`), randomBytes(50_000));
        const startedAt = performance.now();
        await push(folder, sink, { ...QUICK, bytesPerSecond: 500_000 });
        const seconds = (performance.now() - startedAt) / 1000;
        assert.ok(seconds >= 0.95, `500 kB at 500 kB/s took ${seconds} s`);
      }));

    test('a push that is told to stop stops, and another one finishes', () =>
      inTemporaryFolder(async (folder) => {
        const sink = await warmSinkAt();
        writeFiles(folder, 30);
        const stop = new AbortController();
        let writes = 0;
        server.fault = (request) => {
          if (cloud.isWrite(request) && ++writes > 12) stop.abort();
          return undefined;
        };
        const first = await push(folder, sink, { ...QUICK, signal: stop.signal });
        assert.ok(first.interrupted && first.counts.pushed < 30);
        server.fault = () => undefined;
        const second = await push(folder, sink, QUICK);
        assert.equal(second.counts.pushed + second.counts.there + second.counts.unchanged, 30);
        await assertAllThere(sink, folder);
      }));
  });
}
