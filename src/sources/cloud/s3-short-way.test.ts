/** The short way, against fauxqs behind the proxy of the tests, which works out each signature and digest by itself. */
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { S3 } from '../../../test/fixtures/clouds.ts';
import { type CloudServer, withEnv } from '../../../test/fixtures/faulty-server.ts';
import { startS3 } from '../../../test/fixtures/s3-server.ts';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { PutCondition } from '../sink.ts';
import type { ObjectStore } from './object-store.ts';
import { S3ShortWay } from './s3-short-way.ts';
import { type S3Options, s3Store } from './s3-store.ts';

/** Of `x`, by md5sum and base64. */
const MD5_OF_X = 'ndTkYSaMgDT1yFZOFVxnpg==';
const STRANGE = ['a b+c.jpg', 'näh/ü%20.jpg', "it's (1)!*.jpg", '../up.jpg'];

test('after the first, objects are loaded by the short way, rightly signed, and none but those of plain names', (t) =>
  withStore(t, async (store, server) => {
    const keys = ['cam/2026-11-27/a_1.jpg', 'b.jpg', 'c~d-e.jpg', ...STRANGE];
    for (const key of keys) await put(store, key);
    for (const key of ['b.jpg', ...keys]) assert.equal(await read(store, key), `bytes of ${key}`);
    const gets = server.log.filter(({ method }) => method === 'GET');
    assert.deepEqual(gets.map(isShort), [false, true, true, true, ...STRANGE.map(() => false)]);
    assert.ok(gets.every(({ headers }) => headers['x-amz-content-sha256'] === sha256Hex(Buffer.alloc(0))));
  }));

test('of a missing object, and by a wrong key, the SDK is asked, whose answer counts', (t) =>
  withStore(t, async (store, server) => {
    for (const key of ['a', 'b']) await put(store, key);
    for (const key of ['a', 'b']) await read(store, key);
    await assert.rejects(store.get('gone'), (error: Error) => codeOf(error) === 'NOT_FOUND');
    assert.equal(await read(store, 'b'), 'bytes of b');
    assert.ok(isShort(server.log.at(-1)));
    // A store that takes no request but the SDK's.
    server.fault = (request) =>
      S3.isShort?.(request) ? { kind: 'status', status: 403, code: 'AccessDenied' } : undefined;
    for (const key of ['a', 'b']) assert.equal(await read(store, key), `bytes of ${key}`);
    const last = server.log.slice(-3).map(isShort);
    assert.deepEqual(last, [true, false, false]);
  }));

test('a store in trouble is asked once, and what it says is passed on', (t) =>
  withStore(t, async (store, server) => {
    await put(store, 'a');
    await read(store, 'a');
    const before = server.log.length;
    for (const [status, code] of [
      [503, 'SlowDown'],
      [429, 'TooManyRequests'],
    ] as const) {
      server.fault = () => ({ kind: 'status', status, code });
      await assert.rejects(store.get('a'), (error: Error) => {
        return codeOf(error) === 'NETWORK' && error.message.includes(`${status} ${code}`);
      });
    }
    server.fault = () => ({ kind: 'cut', applied: false });
    await assert.rejects(store.get('a'), (error: Error) => codeOf(error) === 'NETWORK');
    assert.equal(server.log.length, before + 3);
    server.fault = () => undefined;
    assert.equal(await read(store, 'a'), 'bytes of a');
    assert.ok(isShort(server.log.at(-1)));
  }));

test('after the first, objects are put by the short way: the requests are the SDK’s, header by header', (t) =>
  withStore(t, async (store, server) => {
    const keys = ['cam/2026-11-27/a_1.jpg', 'b.jpg', ...STRANGE];
    // Of each key and its bytes twice, so that one put by the SDK and one by the short way are of the same.
    for (const key of ['b.jpg', ...keys]) await put(store, key);
    const puts = server.log.filter(({ method }) => method === 'PUT');
    assert.deepEqual(puts.map(isShort), [false, true, true, ...STRANGE.map(() => false)]);
    const [first, , second] = puts;
    assert.deepEqual(contentOf(second), contentOf(first));
    assert.deepEqual(second?.url, first?.url);
    for (const key of keys) assert.equal(await read(store, key), `bytes of ${key}`);
  }));

test('conditions of a put are kept by the short way, each by one request', (t) =>
  withStore(t, async (store, server) => {
    await put(store, 'a');
    const first = await put(store, 'b', { kind: 'absent' });
    assert.ok(first !== 'not-met');
    const before = server.log.length;
    assert.equal(await put(store, 'b', { kind: 'absent' }), 'not-met');
    assert.equal(await put(store, 'b', { kind: 'version', version: '0'.repeat(32) }), 'not-met');
    const { version, md5 } = first;
    assert.deepEqual(await put(store, 'b', { kind: 'version', version }), first);
    // md5 of `bytes of b`, by md5sum
    assert.equal(md5, 'f9738fab4d17c7d133aea776b4fed8d0');
    assert.equal(server.log.length, before + 3);
    assert.ok(server.log.slice(before).every(isShort));
    // As another one that puts there at the same moment.
    server.fault = () => ({ kind: 'status', status: 409, code: 'ConditionalRequestConflict' });
    await assert.rejects(put(store, 'b', { kind: 'absent' }), (error: Error) => {
      return codeOf(error) === 'NETWORK' && error.message.includes('409 ConditionalRequestConflict');
    });
    assert.equal(server.log.length, before + 4);
  }));

test('a put that is refused is put by the SDK, whose answer counts; trouble is told at once', (t) =>
  withStore(t, async (store, server) => {
    for (const key of ['a', 'b']) await put(store, key);
    const before = server.log.length;
    for (const [fault, says] of [
      [{ kind: 'status', status: 503, code: 'SlowDown' }, '503 SlowDown'],
      [{ kind: 'status', status: 500, code: 'InternalError' }, '500 InternalError'],
      [{ kind: 'cut', applied: false }, 'ECONNRESET'],
    ] as const) {
      server.fault = () => fault;
      await assert.rejects(put(store, 'c'), (error: Error) => {
        return codeOf(error) === 'NETWORK' && error.message.includes(says);
      });
    }
    assert.ok(server.log.length === before + 3 && server.log.slice(before).every(isShort));
    server.fault = () => ({ kind: 'wrong-etag' });
    const wrong = await put(store, 'c');
    assert.ok(wrong !== 'not-met' && wrong.md5 === '0'.repeat(32));
    // A store that takes no request but the SDK's.
    server.fault = (request) =>
      S3.isShort?.(request) ? { kind: 'status', status: 403, code: 'AccessDenied' } : undefined;
    for (const key of ['d', 'e']) await put(store, key);
    assert.deepEqual(server.log.slice(-3).map(isShort), [true, false, false]);
    for (const key of ['d', 'e']) assert.equal(await read(store, key), `bytes of ${key}`);
  }));

test('a missing bucket is said by the SDK, also when it goes while objects are put', (t) =>
  withStore(t, async (store, server) => {
    for (const key of ['a', 'b']) await put(store, key);
    server.fault = () => ({ kind: 'status', status: 404, code: 'NoSuchBucket' });
    await assert.rejects(put(store, 'c'), (error: Error) => {
      return codeOf(error) === 'NOT_FOUND' && /the bucket of .* is not there/.test(error.message);
    });
  }));

test('large objects keep their connection, and nothing waits for leave to send them', (t) =>
  withStore(t, async (store, server) => {
    for (const key of ['a', 'b', 'c']) await put(store, key, { kind: 'any' }, Buffer.alloc(3_000_000, key));
    assert.deepEqual(
      server.log.map(({ headers }) => [headers.expect, headers.connection]),
      [1, 2, 3].map(() => [undefined, 'keep-alive']),
    );
  }));

test('one connection is enough: each answer is read to its end', (t) =>
  withStore(
    t,
    async (store, server) => {
      for (const key of ['a', 'b', 'c']) await put(store, key);
      assert.equal(await put(store, 'c', { kind: 'absent' }), 'not-met');
      await assert.rejects(store.get('gone'), (error: Error) => codeOf(error) === 'NOT_FOUND');
      for (const key of ['a', 'b', 'c']) assert.equal(await read(store, key), `bytes of ${key}`);
      assert.deepEqual(server.log.map(isShort), [false, true, true, true, false, false, true, true]);
      assert.equal(new Set(server.log.map(({ port }) => port)).size, 1);
    },
    { maxConnections: 1 },
  ));

test('what is stopped while the store is silent ends as an interruption', (t) =>
  withStore(t, async (store, server) => {
    for (const key of ['a', 'b']) await put(store, key);
    for (const key of ['a', 'b']) await read(store, key);
    const before = server.log.length;
    let stop = new AbortController();
    server.fault = () => {
      stop.abort();
      return { kind: 'slow', ms: 1000 };
    };
    const isInterrupted = (error: Error) => codeOf(error) === 'INTERRUPTED';
    await assert.rejects(store.get('a', stop.signal), isInterrupted);
    stop = new AbortController();
    const bytes = Buffer.from('bytes of c');
    const { signal } = stop;
    await assert.rejects(
      store.put('c', bytes, { sha256: sha256Hex(bytes), condition: { kind: 'any' }, signal }),
      isInterrupted,
    );
    assert.deepEqual(server.log.slice(before).map(isShort), [true, true]);
  }));

test('an etag is no digest where the store encrypts by keys of its own, whoever puts', (t) =>
  withStore(t, async (store, server) => {
    server.fault = () => ({ kind: 'headers', headers: { 'x-amz-server-side-encryption': 'aws:kms' } });
    for (const key of ['a', 'b']) {
      const stored = await put(store, key);
      assert.ok(stored !== 'not-met' && stored.version !== '' && stored.md5 === undefined);
    }
    assert.deepEqual(server.log.map(isShort), [false, true]);
  }));

test('requests are signed with the time of the store, where this machine has another', (t) =>
  withStore(t, async (store, server) => {
    const aheadMs = 3_600_000;
    const date = new Date(Date.now() + aheadMs);
    server.fault = () => ({ kind: 'headers', headers: { date: date.toUTCString() } });
    for (const key of ['a', 'b']) await put(store, key);
    assert.ok(isShort(server.log.at(-1)));
    // Written as 20261127T190000Z.
    const signed = String(server.log.at(-1)?.headers['x-amz-date']);
    const signedMs = Date.parse(signed.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
    assert.ok(Math.abs(signedMs - Date.now() - aheadMs) < 60_000, signed);
  }));

test('nothing is learnt from a request that has another path than its key’s', (t) =>
  withStore(t, async (_, server) => {
    const client = new S3Client({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args;
        if (typeof request === 'object' && request !== null && 'path' in request) request.path = '/bucket/moved';
        return next(args);
      },
      { step: 'build', name: 'moves' },
    );
    const way = new S3ShortWay(client);
    const Body = Buffer.from('x');
    const whole = { Bucket: 'bucket', Key: 'x', Body, Metadata: { sha256: sha256Hex(Body) }, ContentMD5: MD5_OF_X };
    await client.send(new PutObjectCommand(whole));
    assert.equal(await way.put(whole), undefined);
    assert.deepEqual(
      server.log.map(({ url }) => url.split('?')[0]),
      ['/bucket/moved'],
    );
    client.destroy();
  }));

test('nothing is learnt from a request to which something else adds a header', (t) =>
  withStore(t, async (_, server) => {
    const client = new S3Client({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    const way = new S3ShortWay(client);
    const Body = Buffer.from('x');
    const Metadata = { sha256: sha256Hex(Body) };
    const whole = { Bucket: 'bucket', Key: 'x', Body, Metadata, ContentMD5: MD5_OF_X };
    const tag = { ...whole, Tagging: 'a=b' };
    await client.send(new PutObjectCommand(tag));
    assert.equal(await way.put(whole), undefined);
    await client.send(new PutObjectCommand(whole));
    assert.ok((await way.put(whole))?.ETag);
    assert.equal(server.log.length, 3);
    client.destroy();
  }));

async function withStore(
  t: TestContext,
  work: (store: ObjectStore, server: CloudServer) => Promise<void>,
  options?: S3Options,
) {
  const server = await startS3();
  t.after(() => server.close());
  await withEnv(server.env, async () => {
    const store = await s3Store({ scheme: 's3', bucket: 'bucket', prefix: 'short' }, options);
    await work(store, server).finally(() => store.close());
  });
}

function put(
  store: ObjectStore,
  key: string,
  condition: PutCondition = { kind: 'any' },
  bytes = Buffer.from(`bytes of ${key}`),
): ReturnType<ObjectStore['put']> {
  return store.put(key, bytes, { sha256: sha256Hex(bytes), condition });
}

async function read(store: ObjectStore, key: string): Promise<string> {
  return String(await buffer(await store.get(key)));
}

function isShort(request: CloudServer['log'][number] | undefined): boolean {
  return request !== undefined && S3.isShort?.(request) === true;
}

/** Without what is of one attempt, or signs it. */
function contentOf(request: CloudServer['log'][number] | undefined): unknown {
  const { authorization, 'x-amz-date': _date, ...headers } = request?.headers ?? {};
  const { 'amz-sdk-invocation-id': _id, 'amz-sdk-request': _attempt, ...content } = headers;
  const signed = /SignedHeaders=([^,]+)/.exec(authorization ?? '')?.[1]?.split(';');
  return { content, signed: signed?.filter((name) => !name.startsWith('amz-sdk-')) };
}

function codeOf(error: Error): string | undefined {
  return error instanceof LabelsmithError ? error.code : undefined;
}
