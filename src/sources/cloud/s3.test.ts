/** S3 as a sink and as a source, against fauxqs behind the proxy of the tests (`test/fixtures/s3-server.ts`). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { sinkContract } from '../../../test/contracts/sink.ts';
import { FILES, inTemporaryFolder, isError, listed, sourceContract } from '../../../test/contracts/source.ts';
import { type S3Server, startS3, withEnv } from '../../../test/fixtures/s3-server.ts';
import { openSource } from '../open.ts';
import { createReader } from '../reader.ts';
import { objectAddress } from './address.ts';
import { ObjectCache } from './object-cache.ts';
import { objectSink } from './object-sink.ts';
import { s3Store } from './s3-store.ts';

let server: S3Server;
const environment = { ...process.env };
before(async () => {
  server = await startS3();
  Object.assign(process.env, server.env);
});
after(async () => {
  await server.close();
  process.env = environment;
});

async function sinkAt(prefix: string, bucket = 'bucket') {
  return objectSink(await s3Store({ scheme: 's3', bucket, prefix }, { partBytes: 5 * 2 ** 20 }));
}

sinkContract({
  name: 's3',
  open: (folder) => sinkAt(basename(folder)),
  // fauxqs lists no uploads; each that was begun has to have been completed or abandoned.
  async leftovers(folder) {
    const requests = server.log.filter(({ url }) => url.startsWith(`/bucket/${basename(folder)}/`));
    const begun = requests.filter(({ method, url }) => method === 'POST' && /[?&]uploads/.test(url));
    const ended = requests.filter(
      ({ method, url }) => method !== 'PUT' && method !== 'GET' && url.includes('uploadId='),
    );
    return begun.length === ended.length ? [] : begun.map(({ url }) => url);
  },
});

sourceContract({
  name: 's3',
  async open(folder) {
    const sink = await sinkAt(basename(folder));
    for (const [name, bytes] of FILES) {
      if (name.includes('\n') || (await sink.find(name)) !== undefined) continue;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const one = async function* () {
        yield bytes;
      };
      await sink.put(name, one(), { byteSize: bytes.length, sha256 });
    }
    return openSource(sink.uri, { cwd: folder, archiveCache: join(folder, 'cache/archives') });
  },
  scheme: 's3',
  without: { 'sub/new\nline.jpg': 'fauxqs lists no such name' },
});

test('later reads come from the cache, which has a limit; a replaced object is loaded when it is listed', () =>
  inTemporaryFolder(async (folder) => {
    const cache = new ObjectCache({ folder, maxBytes: 1000 });
    for (let i = 0; i < 10; i++) await cache.put(`s3://b/${i}`, Buffer.alloc(150, i));
    assert.equal(readdirSync(folder).length, 6);
    assert.equal(await cache.get('s3://b/0'), undefined);
    assert.deepEqual(await cache.get('s3://b/9'), Buffer.alloc(150, 9));
    const archiveCache = join(folder, 'cache/archives');
    const sink = await sinkAt(basename(folder));
    const put = (text: string) => {
      const sha256 = createHash('sha256').update(text).digest('hex');
      const bytes = async function* () {
        yield Buffer.from(text);
      };
      return sink.put('a.jpg', bytes(), { byteSize: text.length, sha256 });
    };
    await put('one');
    const path = `${sink.uri}/a.jpg`;
    const reader = createReader({ archiveCache });
    const text = async () => Buffer.from(await reader.read(path, null, 100)).toString();
    assert.equal(await text(), 'one');
    const gets = () => server.log.filter(({ method, url }) => method === 'GET' && url.includes('a.jpg')).length;
    const before = gets();
    assert.equal(await text(), 'one');
    assert.equal(gets(), before);
    await put('other');
    for await (const item of (await openSource(sink.uri, { cwd: folder, archiveCache })).list()) {
      assert.ok(item.kind === 'entry');
      await item.entry.read(100);
    }
    assert.equal(await text(), 'other');
    assert.deepEqual([await reader.exists(path, null), await reader.exists(`${path}x`, null)], [true, false]);
  }));

test('a listing and a download that are cut off go on', () =>
  inTemporaryFolder(async (folder) => {
    const sink = await sinkAt(basename(folder));
    await sink.put('a.jpg', oneByte(), { byteSize: 1, sha256: SHA_OF_X });
    const met = new Set<string>();
    server.fault = ({ method, url }) => {
      const kind = `${method} ${url.includes('list-type')}`;
      if (met.has(kind)) return undefined;
      met.add(kind);
      return { kind: 'cut', applied: false };
    };
    const { entries } = await listed(await openSource(sink.uri, { cwd: folder }));
    assert.equal(Buffer.from(await entries[0]!.read(10)).toString(), 'x');
    server.fault = () => undefined;
    assert.ok(met.size >= 2);
    await assert.rejects(openSource(`${sink.uri}/nothing`, { cwd: folder }), isError('NOT_FOUND'));
  }));

test('wrong credentials, a bucket that is not there, a server that is not there: each says what to do, none the secret', async () => {
  const sink = await sinkAt('x', 'nothing-here');
  await assert.rejects(sink.put('a', oneByte(), { byteSize: 1, sha256: SHA_OF_X }), isError('NOT_FOUND'));
  server.fault = () => ({ kind: 'status', status: 403, code: 'SignatureDoesNotMatch' });
  await assert.rejects((await sinkAt('x')).put('a', oneByte(), { byteSize: 1, sha256: SHA_OF_X }), (error: Error) => {
    assert.match(error.message, /the secret key is wrong/);
    assert.ok(!error.message.includes('secretOfTheTests'));
    return true;
  });
  server.fault = () => undefined;
  await withEnv({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }, async () => {
    const away = await sinkAt('x');
    await assert.rejects(away.put('a', oneByte(), { byteSize: 1, sha256: SHA_OF_X }), isError('NETWORK'));
  });
});

test('an address with a credential in it is refused and not repeated', () => {
  assert.throws(
    () => objectAddress('s3://AKIDX:topsecret@bucket/a', 's3'),
    (error: Error) => !error.message.includes('topsecret') && !error.message.includes('AKIDX'),
  );
  assert.deepEqual(objectAddress('s3://b/x/y/', 's3'), { scheme: 's3', bucket: 'b', prefix: 'x/y' });
  assert.equal(objectAddress('photos/s3:/', 's3'), undefined);
});

// echo -n x | sha256sum
const SHA_OF_X = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';

async function* oneByte() {
  yield Buffer.from('x');
}
