/** Another machine as a sink, against OpenSSH's own server. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sinkContract } from '../../../test/contracts/sink.ts';
import { inTemporaryFolder, isError } from '../../../test/contracts/source.ts';
import { withEnv } from '../../../test/fixtures/faulty-server.ts';
import { type SftpServer, startSftp, withoutSshd } from '../../../test/fixtures/sftp-server.ts';
import { push } from '../../stages/push/push.ts';
import { sftpSink } from './sftp-sink.ts';
import { knownKeysIn, sftpAddress } from './ssh-account.ts';

function leftIn(folder: string): readonly string[] {
  const work = join(folder, '.labelsmith-sink');
  return existsSync(work) ? readdirSync(work) : [];
}

test('addresses: user, port, home folder; a password is refused and not repeated', () => {
  assert.deepEqual(sftpAddress('sftp://nano@jetson:2222/data/x%20y/'), {
    host: 'jetson',
    port: 2222,
    user: 'nano',
    path: '/data/x y',
  });
  assert.equal(sftpAddress('sftp://jetson/~/frames').path, '~/frames');
  assert.throws(
    () => sftpAddress('sftp://nano:topsecret@jetson/x'),
    (error: Error) => !error.message.includes('topsecret'),
  );
});

test('known hosts: plain, with a port, hashed; comments and others are passed over', () => {
  // Written by ssh-keygen -H for the name "jetson".
  const salt = Buffer.from('0123456789abcdefghij').toString('base64');
  const hashed = `|1|${salt}|bad=`;
  const text = `# a comment\njetson,10.0.0.2 ssh-ed25519 QUJD\n[jetson]:2222 ssh-rsa REVG\n${hashed} ssh-ed25519 R0hJ\n`;
  assert.deepEqual(
    knownKeysIn(text, ['jetson']).map(({ key }) => key.toString()),
    ['ABC'],
  );
  assert.deepEqual(
    knownKeysIn(text, ['[jetson]:2222']).map(({ type }) => type),
    ['ssh-rsa'],
  );
});

describe('a machine with ssh', { skip: withoutSshd }, () => {
  let server: SftpServer;
  const environment = { ...process.env };
  before(async () => {
    server = await startSftp();
    Object.assign(process.env, server.env);
  });
  after(async () => {
    await server.close();
    process.env = environment;
  });

  sinkContract({
    name: 'sftp',
    open: (folder) => sftpSink(`${server.url}${folder}`),
    leftovers: async (folder) => leftIn(folder),
  });

  test('who is not let in, and a machine that is not known, are told what to do', () =>
    inTemporaryFolder(async (folder) => {
      const config = server.env.LABELSMITH_SSH_CONFIG!;
      await withEnv({ LABELSMITH_SSH_CONFIG: config.replace('ssh_config', 'stranger_config') }, async () => {
        await assert.rejects(sftpSink(`${server.url}${folder}`), isError('REFUSED'));
      });
      await withEnv({ LABELSMITH_SSH_CONFIG: config.replace('ssh_config', 'unknown_config') }, async () => {
        await assert.rejects(sftpSink(`${server.url}${folder}`), isError('REFUSED'));
      });
    }));

  test('of a folder that is not there no connection stays open, which would keep the process alive', () =>
    inTemporaryFolder(async (folder) => {
      const connections = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length;
      const before = connections();
      await assert.rejects(sftpSink(`${server.url}${folder}/nothing`), isError('NOT_FOUND'));
      for (let waited = 0; connections() > before; waited++) {
        assert.ok(waited < 500, 'the connection is closed');
        await sleep(10);
      }
    }));

  test('the machine goes away within a large file: the rest is sent when it is back', () =>
    inTemporaryFolder(async (folder) => {
      const [from, to] = [join(folder, 'from'), join(folder, 'to')];
      for (const dir of [from, to]) mkdirSync(dir);
      const bytes = randomBytes(12_000_000);
      writeFileSync(join(from, 'large.jpg'), bytes);
      for (let i = 0; i < 5; i++) writeFileSync(join(from, `${i}.jpg`), `image ${i}`);
      const sink = await sftpSink(`${server.url}${to}`);
      const settings = { patienceMs: 20_000, backoff: { baseMs: 20, maxMs: 200 }, bytesPerSecond: 12_000_000 };
      const pushing = push(from, sink, settings);
      const size = () => {
        try {
          const names = readdirSync(to, { recursive: true, encoding: 'utf8' });
          const partial = names.filter((name) => name.endsWith('.partial'));
          return Math.max(0, ...partial.map((name) => statSync(join(to, name)).size));
        } catch {
          return 0; // a folder went while it was looked into
        }
      };
      for (let waited = 0; size() < 3_000_000; waited++) {
        assert.ok(waited < 500, 'it is on its way');
        await sleep(10);
      }
      await server.stop();
      await sleep(100);
      await server.start();
      const { counts, problems } = await pushing;
      assert.deepEqual(problems, []);
      assert.equal(counts.pushed + counts.there, 6);
      assert.ok(counts.retries > 0);
      const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
      assert.equal(digest(join(to, 'large.jpg')), createHash('sha256').update(bytes).digest('hex'));
      assert.deepEqual(readdirSync(join(to, '.labelsmith-sink')), []);
      await sink.close();
    }));
});
