/** GETs by the short way, against fauxqs behind the proxy of the tests, which works out each signature by itself. */
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type CloudServer, withEnv } from '../../../test/fixtures/faulty-server.ts';
import { startS3 } from '../../../test/fixtures/s3-server.ts';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { ObjectStore } from './object-store.ts';
import { s3Store } from './s3-store.ts';

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
    server.fault = (request) => (isShort(request) ? { kind: 'status', status: 403, code: 'AccessDenied' } : undefined);
    for (const key of ['a', 'b']) assert.equal(await read(store, key), `bytes of ${key}`);
    const last = server.log.slice(-3).map(isShort);
    assert.deepEqual(last, [true, false, false]);
  }));

test('a store in trouble is asked once, and what it says is passed on', (t) =>
  withStore(t, async (store, server) => {
    await put(store, 'a');
    await read(store, 'a');
    const before = server.log.length;
    server.fault = () => ({ kind: 'status', status: 503, code: 'SlowDown' });
    await assert.rejects(store.get('a'), (error: Error) => {
      return codeOf(error) === 'NETWORK' && error.message.includes('503 SlowDown');
    });
    server.fault = () => ({ kind: 'cut', applied: false });
    await assert.rejects(store.get('a'), (error: Error) => codeOf(error) === 'NETWORK');
    assert.equal(server.log.length, before + 2);
    server.fault = () => undefined;
    assert.equal(await read(store, 'a'), 'bytes of a');
    assert.ok(isShort(server.log.at(-1)));
  }));

async function withStore(t: TestContext, work: (store: ObjectStore, server: CloudServer) => Promise<void>) {
  const server = await startS3();
  t.after(() => server.close());
  await withEnv(server.env, async () => {
    const store = await s3Store({ scheme: 's3', bucket: 'bucket', prefix: 'short' });
    await work(store, server).finally(() => store.close());
  });
}

async function put(store: ObjectStore, key: string): Promise<void> {
  const bytes = Buffer.from(`bytes of ${key}`);
  await store.put(key, bytes, { sha256: sha256Hex(bytes), condition: { kind: 'any' } });
}

async function read(store: ObjectStore, key: string): Promise<string> {
  return String(await buffer(await store.get(key)));
}

/** The SDK numbers its own. */
function isShort(request: Pick<CloudServer['log'][number], 'headers'> | undefined): boolean {
  return request?.headers['amz-sdk-invocation-id'] === undefined;
}

function codeOf(error: Error): string | undefined {
  return error instanceof LabelsmithError ? error.code : undefined;
}
