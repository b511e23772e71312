import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { findTarball, takeFromTarball } from './npm-registry.ts';

async function tarball(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const packing = pack();
  for (const [name, content] of Object.entries(files)) packing.entry({ name: `package/${name}` }, content);
  packing.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of packing) parts.push(part as Uint8Array);
  return gzipSync(Buffer.concat(parts));
}

test('what unpacks to more than a bound is given up, and nothing of it stays', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'labelsmith-tarball-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const net = randomBytes(20_000);
  await writeFile(join(folder, 'bomb.tgz'), await tarball({ 'net.bin': net, zeros: Buffer.alloc(1_000_000) }));
  const take = (maxUnpackedBytes?: number) =>
    takeFromTarball(join(folder, 'bomb.tgz'), {
      files: new Set(['net.bin']),
      placeOf: (file) => join(folder, file),
      specifier: 'bomb@1.0.0',
      maxUnpackedBytes,
    });
  const message = /bomb@1\.0\.0 unpacks to more than 500000 bytes/;
  await assert.rejects(take(500_000), { code: 'BAD_FILE', message });
  assert.deepEqual(await readdir(folder), ['bomb.tgz']);
  assert.equal((await take()).size, 1);
  assert.deepEqual(await readFile(join(folder, 'net.bin')), net);
});

test('a registry that names no address of a tarball is one error', async (t) => {
  let dist: object | undefined;
  const server = createServer((_, response) => {
    const version = { name: 'net', version: '1.0.0', ...(dist && { dist }) };
    response.end(JSON.stringify({ name: 'net', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const find = () => findTarball('net@1.0.0', { registry });
  await assert.rejects(find(), { code: 'BAD_FILE', message: /names no place of the tarball of net@1\.0\.0$/ });
  dist = { tarball: 'no address' };
  await assert.rejects(find(), {
    code: 'BAD_FILE',
    message: /names "no address", which is no address, of the tarball/,
  });
});

test('a registry whose answer has no end, says nothing, or is none is one error', async (t) => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    endless: (response) => {
      const more = () => {
        while (response.write(' '.repeat(100_000)));
      };
      response.on('drain', more);
      more();
    },
    silent: () => undefined,
    begun: (response) => void response.write('{'),
    junk: (response) => void response.end('<html>log in</html>'),
    nothing: (response) => void response.end('null'),
  };
  let kind = '';
  let closed: Promise<unknown> = Promise.resolve();
  const server = createServer((_, response) => {
    closed = once(response, 'close');
    answers[kind](response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const settings = { registry, retry: { retries: 0 } };
  for (const [one, code, message] of [
    ['endless', 'NETWORK', /more than 1000000 bytes/],
    ['silent', 'NETWORK', /has said nothing for/],
    ['begun', 'NETWORK', /has said nothing for/],
    ['junk', 'NETWORK', /its answer is no JSON/],
    ['nothing', 'NOT_FOUND', /has no net@1\.0\.0$/],
  ] as const) {
    kind = one;
    await assert.rejects(findTarball('net@1.0.0', settings, { maxBytes: 1_000_000, silenceMs: 500 }), {
      code,
      message,
    });
    // What is not wanted is not taken: the connection ends.
    await closed;
  }
});
