/**
 * `deploy/Containerfile` step by step in a Debian root of debootstrap, with Node, npm and a user `node` as its base image has
 * them: what it installs, and that a worker and a command in it, as its user, label images of a workspace in PostgreSQL and S3.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { makeDebianRoot, withoutDebianRoot } from '../fixtures/debian-root.ts';
import { writeScenes } from '../fixtures/images.ts';
import { startS3 } from '../fixtures/s3-server.ts';
import { postgresPrograms, startPostgres } from '../postgres/server.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
/** What `node:24-bookworm-slim` has beside Debian's base packages. */
const NPM = 'npm@11';
const UID = 1000;
const IMAGES = 12;

const found = postgresPrograms();
const dir = mkdtempSync(join(tmpdir(), 'labelsmith-container-'));
after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
const root = join(dir, 'root');

function missing(): string | false {
  return withoutDebianRoot() ?? ('missing' in found ? found.missing : false);
}

interface Step {
  readonly word: string;
  readonly rest: string;
}

/** Lines that go on are joined, comments left out. */
function stepsOf(file: string): Step[] {
  const text = readFileSync(file, 'utf8').replace(/\\\n/g, ' ');
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { word, rest };
  });
}

function makeBase(): void {
  assert.equal(makeDebianRoot(root, process.arch === 'arm64' ? 'arm64' : 'amd64', process.execPath), undefined);
  const packed = execFileSync('npm', ['pack', '--silent', NPM], { cwd: dir, encoding: 'utf8' }).trim();
  mkdirSync(join(root, 'usr/local/lib/node_modules'), { recursive: true });
  execFileSync('tar', ['xzf', join(dir, packed), '-C', join(root, 'usr/local/lib/node_modules')]);
  execFileSync('mv', ['package', 'npm'], { cwd: join(root, 'usr/local/lib/node_modules') });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  writeFileSync(join(root, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\nnode:x:${UID}:${UID}::/home/node:/bin/sh\n`);
  writeFileSync(join(root, 'etc/group'), `root:x:0:\nnode:x:${UID}:\n`);
  mkdirSync(join(root, 'home/node'), { recursive: true });
  execFileSync('chown', [`${UID}:${UID}`, join(root, 'home/node')]);
  chmodSync(join(root, 'tmp'), 0o1777);
  for (const file of ['/etc/resolv.conf', '/etc/hosts']) copyFileSync(file, join(root, file));
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  if (authorities !== undefined) copyFileSync(authorities, join(root, 'etc/authorities.crt'));
}

/** The devices and `/proc` that a container has; gone with the process. */
const MOUNTS = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot';
type Env = Readonly<Record<string, string>>;

function entering(user: string, command: readonly string[]): string[] {
  return ['--mount', '/bin/sh', '-c', `${MOUNTS} --userspec=${user} "$@"`, root, root, ...command];
}

function within(command: readonly string[], env: Env, user: string): string {
  const ran = spawnSync('unshare', entering(user, command), { env, encoding: 'utf8', timeout: 600_000 });
  assert.equal(ran.status, 0, `${command.join(' ')}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

/** Does what the file says. @returns the environment, user and first words of what is started */
function build(args: Env): { env: Env; user: string; entry: readonly string[] } {
  const env: Record<string, string> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  if (process.env.NODE_EXTRA_CA_CERTS) env.NODE_EXTRA_CA_CERTS = '/etc/authorities.crt';
  const known: Record<string, string> = {};
  let [user, entry]: [string, readonly string[]] = ['root', []];
  for (const { word, rest } of stepsOf(join(PROJECT, 'deploy/Containerfile'))) {
    if (word === 'FROM') assert.match(rest, /^docker\.io\/library\/node:24-bookworm-slim$/);
    else if (word === 'ARG') {
      const [name = '', value = ''] = rest.split('=');
      known[name] = args[name] ?? value.replaceAll('"', '');
    } else if (word === 'ENV') {
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) env[name] = value;
    } else if (word === 'RUN') within(['/bin/sh', '-c', rest], { ...env, ...known, HOME: '/root' }, user);
    else if (word === 'USER') user = rest;
    else if (word === 'ENTRYPOINT') entry = JSON.parse(rest) as string[];
    else assert.ok(word === 'CMD' || word === 'WORKDIR', `a step that this test does not do: ${word} ${rest}`);
  }
  return { env: { ...env, HOME: '/home/node' }, user, entry };
}

test('the image is built, and a worker in it does what a command in it asks for', { skip: missing() }, async (t) => {
  makeBase();
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', dir], {
      cwd: PROJECT,
      encoding: 'utf8',
    }),
  ) as [{ filename: string }];
  cpSync(join(dir, filename), join(root, 'opt/labelsmith.tgz'));
  const image = build({ LABELSMITH_VERSION: 'file:/opt/labelsmith.tgz', MODELS: 'mobilenetv3-small' });
  assert.match(within([...image.entry, '--version'], image.env, image.user), /^\d+\.\d+\.\d+\n$/);
  assert.match(within([...image.entry, '--help'], image.env, image.user), /labelsmith auto/);

  await writeScenes(join(root, 'images'), IMAGES);
  const [database, storage] = [await startPostgres(), await startS3()];
  let worker: ChildProcess | undefined;
  try {
    const env: Env = { ...image.env, ...storage.env } as Env;
    const place = ['-w', `${database.url}?schema=container`];
    // The storage is in this process, which has to answer meanwhile.
    const run = async (...words: string[]) =>
      (await promisify(execFile)('unshare', entering(image.user, [...image.entry, ...words]), { env })).stdout;
    await run(...place, '--blobs', 's3://bucket/images', 'add', '/images');
    worker = spawn('unshare', entering(image.user, [...image.entry, 'worker', ...place]), { env, stdio: 'ignore' });
    const embed = ['embed', '--fleet', '--shard-size', '4', '--json', ...place];
    const { embedded } = JSON.parse(await run(...embed)) as { embedded: number };
    assert.equal(embedded, IMAGES);
    worker.kill('SIGTERM');
    await once(worker, 'close');
    t.diagnostic(execFileSync('du', ['-sh', join(root, 'opt/labelsmith')], { encoding: 'utf8' }).trim());
  } finally {
    worker?.kill('SIGKILL');
    await Promise.all([database.stop(), storage.close()]);
  }
});
