/**
 * The link drops in the middle: what runs in a network namespace of its own reaches its server over a pair of interfaces,
 * one of which goes down for a while. Nothing answers then and nothing says so. Afterwards the same run goes on.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI, scratch } from '../cli.ts';
import { startHttpCamera } from '../fixtures/http-camera.ts';
import { jpegScene } from '../fixtures/images.ts';
import { startS3 } from '../fixtures/s3-server.ts';

const DOWN_MS = 3000;
const FILES = 30;

interface Link {
  /** Ours, as the namespace reaches it. */
  readonly host: string;
  readonly namespace: string;
  set(state: 'up' | 'down'): void;
}

/** Why there is none, where none can be made. */
function linkFor(t: TestContext): Link | string {
  const n = process.pid % 250;
  const [namespace, ours, theirs] = [`ls-${process.pid}`, `lsa${process.pid}`, `lsb${process.pid}`];
  const host = `10.213.${n}.1`;
  const ip = (...args: readonly string[]) => spawnSync('ip', args, { encoding: 'utf8' });
  t.after(() => {
    ip('link', 'del', ours);
    ip('netns', 'del', namespace);
  });
  const steps = [
    ['netns', 'add', namespace],
    ['link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', namespace],
    ['addr', 'add', `${host}/24`, 'dev', ours],
    ['link', 'set', ours, 'up'],
    ['-n', namespace, 'addr', 'add', `10.213.${n}.2/24`, 'dev', theirs],
    ['-n', namespace, 'link', 'set', theirs, 'up'],
  ];
  for (const step of steps) {
    const { status, stderr, error } = ip(...step);
    if (status !== 0) return `no network namespace can be made here: ${error?.message ?? stderr.trim()}`;
  }
  return { host, namespace, set: (state) => assert.equal(ip('link', 'set', ours, state).status, 0) };
}

/** What the namespace reaches leads to a port of this machine. */
async function forwarded(t: TestContext, host: string, port: number): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const inner = connect(port, '127.0.0.1');
    for (const each of [socket, inner]) each.on('error', () => [socket, inner].map((one) => one.destroy()));
    for (const each of [socket, inner]) sockets.add(each);
    socket.pipe(inner).pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, host, done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

async function inNamespace(link: Link, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const command = ['netns', 'exec', link.namespace, process.execPath, CLI, ...args, '--json'];
  const child = spawn('ip', command, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode !== 0 && child.exitCode !== null) throw new Error(`${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown> & { counts: Record<string, number> };
}

/** Waits for something, then drops the link for a while. */
async function drop(link: Link, begun: () => boolean): Promise<void> {
  for (let waited = 0; !begun(); waited++) {
    assert.ok(waited < 6000, 'it never began');
    await sleep(10);
  }
  link.set('down');
  await sleep(DOWN_MS);
  link.set('up');
}

test('the link drops while files are pushed, and while they are added: nothing is lost, nothing is doubled', async (t) => {
  const link = linkFor(t);
  if (typeof link === 'string') return t.skip(link);
  const [dir, server] = [await scratch(t), await startS3()];
  t.after(() => server.close());
  const env = { ...server.env, AWS_ENDPOINT_URL_S3: await forwarded(t, link.host, Number(new URL(server.url).port)) };
  mkdirSync(join(dir, 'frames'));
  for (let i = 0; i < FILES; i++) writeFileSync(join(dir, 'frames', `${i}.jpg`), await jpegScene(320, 240, i + 1));
  const begun = (method: string) => () =>
    server.log.filter((one) => one.method === method && one.url.includes('.jpg')).length >= 5;
  const [{ counts }] = await Promise.all([
    inNamespace(link, ['push', 'frames', 's3://bucket/a', '--bandwidth', '100KB/s', '--parallel', '2'], dir, env),
    drop(link, begun('PUT')),
  ]);
  assert.deepEqual([(counts.pushed ?? 0) + (counts.there ?? 0), counts.failed, counts.conflicts], [FILES, 0, 0]);
  const dropped = drop(link, begun('GET'));
  const [added] = await Promise.all([inNamespace(link, ['add', 's3://bucket/a'], dir, env), dropped]);
  assert.deepEqual([added.images, added.quarantined], [FILES, 0]);
});

test('the link to a camera drops: capture goes on when it is back', async (t) => {
  const link = linkFor(t);
  if (typeof link === 'string') return t.skip(link);
  const [dir, camera] = [await scratch(t), await startHttpCamera(100)];
  t.after(() => camera.close());
  const { username, password, port } = new URL(camera.url);
  const address = (await forwarded(t, link.host, Number(port))).replace('//', `//${username}:${password}@`);
  const args = ['capture', `gate=${address}/mjpg`, '--to', 'frames', '--every', '0.001s', '--count', '60'];
  await Promise.all([inNamespace(link, args, dir, {}), drop(link, () => camera.sent >= 10)]);
  const files = readdirSync(join(dir, 'frames'), { recursive: true, encoding: 'utf8' });
  assert.equal(files.filter((name) => name.endsWith('.jpg')).length, 60);
});
