/** S3 as a sink and as a source, against fauxqs behind the proxy of the tests (`test/fixtures/s3-server.ts`), and the cache. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { cloudContract } from '../../../test/contracts/cloud.ts';
import { inTemporaryFolder } from '../../../test/contracts/source.ts';
import { S3 } from '../../../test/fixtures/clouds.ts';
import { type CloudServer, withEnv } from '../../../test/fixtures/faulty-server.ts';
import { startS3 } from '../../../test/fixtures/s3-server.ts';
import { openSource } from '../open.ts';
import { createReader } from '../reader.ts';
import { objectAddress } from './address.ts';
import { ObjectCache } from './object-cache.ts';
import { objectSink } from './object-sink.ts';
import { s3Store } from './s3-store.ts';

cloudContract(S3);

test('later reads come from the cache, which has a limit; a replaced object is loaded when it is listed', () =>
  inServer((server, folder) =>
    withEnv(server.env, async () => {
      const cache = new ObjectCache({ folder, maxBytes: 1000 + 6 * 12 });
      for (let i = 0; i < 10; i++) await cache.put(`s3://b/${i}`, Buffer.alloc(150, i));
      assert.equal(readdirSync(folder).length, 6);
      assert.equal(await cache.get('s3://b/0'), undefined);
      assert.deepEqual(await cache.get('s3://b/9'), Buffer.alloc(150, 9));
      const archiveCache = join(folder, 'cache/archives');
      const address = { scheme: 's3', bucket: 'bucket', prefix: basename(folder) };
      const sink = objectSink(await s3Store(address));
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
    }),
  ));

test('an address with a credential in it is refused and not repeated', () => {
  assert.throws(
    () => objectAddress('s3://AKIDX:topsecret@bucket/a', 's3'),
    (error: Error) => !error.message.includes('topsecret') && !error.message.includes('AKIDX'),
  );
  assert.deepEqual(objectAddress('s3://b/x/y/', 's3'), { scheme: 's3', bucket: 'b', prefix: 'x/y' });
  assert.equal(objectAddress('photos/s3:/', 's3'), undefined);
});

async function inServer(work: (server: CloudServer, folder: string) => Promise<void>): Promise<void> {
  const server = await startS3();
  await inTemporaryFolder((folder) => work(server, folder)).finally(() => server.close());
}
