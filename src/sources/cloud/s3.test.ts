/** S3 as a sink, against fauxqs behind the proxy of the tests (`test/fixtures/s3-server.ts`). */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { after, before, test } from 'node:test';
import { sinkContract } from '../../../test/contracts/sink.ts';
import { isError } from '../../../test/contracts/source.ts';
import { type S3Server, startS3, withEnv } from '../../../test/fixtures/s3-server.ts';
import { objectAddress } from './address.ts';
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
