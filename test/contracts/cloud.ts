/** The suite of a cloud: its sink, its source, and what a broken way and wrong credentials do to them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { objectSink } from '../../src/sources/cloud/object-sink.ts';
import { openSource } from '../../src/sources/open.ts';
import { type Cloud, PART_BYTES } from '../fixtures/clouds.ts';
import { type CloudServer, withEnv } from '../fixtures/faulty-server.ts';
import { sinkContract } from './sink.ts';
import { FILES, inTemporaryFolder, isError, listed, sourceContract } from './source.ts';

/** @param without names that the emulator cannot hold, each with the reason */
export function cloudContract(cloud: Cloud, without: Readonly<Record<string, string>> = {}): void {
  describe(`cloud: ${cloud.scheme}`, { skip: cloud.skip }, () => {
    let server: CloudServer;
    const environment = { ...process.env };
    before(async () => {
      server = await cloud.start();
      Object.assign(process.env, server.env);
    });
    after(async () => {
      await server?.close();
      process.env = environment;
    });
    const sinkAt = async (prefix: string, bucket = 'bucket') =>
      objectSink(
        await cloud.store({ scheme: cloud.scheme, bucket, prefix }, { partBytes: PART_BYTES, silenceMs: 60_000 }),
      );

    sinkContract({
      name: cloud.scheme,
      open: (folder) => sinkAt(basename(folder)),
      leftovers: async (folder) => cloud.leftovers(server, basename(folder)),
    });

    sourceContract({
      name: cloud.scheme,
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
      scheme: cloud.scheme,
      without: { 'sub/new\nline.jpg': 'it is no key of a sink', ...without },
    });

    test('a large object is put in parts and read again, and a put that fails in the middle leaves nothing', () =>
      inTemporaryFolder(async (folder) => {
        const sink = await sinkAt(basename(folder));
        const bytes = Buffer.alloc(2 * PART_BYTES + 1000, 'large ');
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const all = async function* () {
          for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
        };
        const options = { byteSize: bytes.length, sha256, condition: { kind: 'absent' } } as const;
        const first = await sink.put('large', all(), options);
        assert.ok(first.kind === 'written' && first.verified);
        assert.deepEqual(await sink.find('large'), first.file);
        const again = await sink.put('large', all(), options);
        assert.deepEqual(again, { kind: 'not-met', found: first.file });
        const hash = createHash('sha256');
        for await (const piece of sink.open('large')) hash.update(piece);
        assert.equal(hash.digest('hex'), sha256);
        const wrong = { byteSize: bytes.length, sha256: SHA_OF_X };
        await assert.rejects(sink.put('other', all(), wrong), isError('BAD_FILE', 'digest'));
        assert.equal(await sink.find('other'), undefined);
        assert.deepEqual(cloud.leftovers(server, basename(folder)), []);
      }));

    test('a listing and a download that are cut off go on', () =>
      inTemporaryFolder(async (folder) => {
        const sink = await sinkAt(basename(folder));
        await sink.put('a.jpg', oneByte(), { byteSize: 1, sha256: SHA_OF_X });
        let cuts = 0;
        const met = new Set<string>();
        server.fault = ({ method, url }) => {
          const kind = `${method} ${url}`;
          if (met.has(kind)) return undefined;
          met.add(kind);
          cuts++;
          return { kind: 'cut', applied: false };
        };
        const { entries } = await listed(await openSource(sink.uri, { cwd: folder }));
        assert.equal(Buffer.from(await entries[0]!.read(10)).toString(), 'x');
        server.fault = () => undefined;
        assert.ok(cuts >= 2);
        await assert.rejects(openSource(`${sink.uri}/nothing`, { cwd: folder }), isError('NOT_FOUND'));
      }));

    test('wrong credentials, a bucket that is not there, a server that is not there: each says what to do, none the secret', async () => {
      const sink = await sinkAt('x', 'nothing-here');
      const one = { byteSize: 1, sha256: SHA_OF_X };
      await assert.rejects(sink.put('a', oneByte(), one), isError('NOT_FOUND'));
      const { status, code, says, secret } = cloud.refused;
      server.fault = () => ({ kind: 'status', status, code });
      await assert.rejects((await sinkAt('x')).put('a', oneByte(), one), (error: Error) => {
        assert.match(error.message, says);
        assert.ok(!error.message.includes(secret));
        return true;
      });
      server.fault = () => undefined;
      await withEnv(cloud.away, async () => {
        const away = await sinkAt('x');
        await assert.rejects(away.put('a', oneByte(), one), isError('NETWORK'));
      });
    });
  });
}

// echo -n x | sha256sum
const SHA_OF_X = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';

async function* oneByte() {
  yield Buffer.from('x');
}
