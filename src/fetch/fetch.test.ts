/** Against servers of this process: byte ranges, cut connections, wrong content, a registry, two processes at once. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import registryFetch from 'npm-registry-fetch';
import { pack } from 'tar-stream';
import { type Handler, serve } from '../../test/fixtures/file-server.ts';
import { LabelsmithError } from '../errors.ts';
import { sourcePath } from './cache.ts';
import { fetchFiles } from './fetch.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let base = '';
let handler: Handler;
let requests: { url: string; range: string | undefined }[] = [];
let cacheDir = '';
const server = createServer((request, response) => {
  requests.push({ url: request.url ?? '', range: request.headers.range });
  handler(request, response);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  requests = [];
  cacheDir = await mkdtemp(join(tmpdir(), 'labelsmith-fetch-'));
});

afterEach(() => rm(cacheDir, { recursive: true, force: true }));

const options = () => ({ cacheDir, backoffMs: 1 });

async function failure(promise: Promise<unknown>): Promise<LabelsmithError> {
  const error = await promise.then(
    () => assert.fail('did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  return error;
}

describe('https:', () => {
  const content = randomBytes(300_000);

  test('a cut connection is taken up where it ended', async () => {
    handler = serve(content, { etag: '"one"', cutAfter: 100_000 });
    const seen: number[] = [];
    const [file] = await fetchFiles([{ reference: `${base}/net.onnx` }], {
      ...options(),
      onProgress: ({ receivedBytes, totalBytes }) => {
        assert.equal(totalBytes, content.length);
        seen.push(receivedBytes);
      },
    });
    assert.equal(file?.sha256, sha256(content));
    assert.deepEqual(new Uint8Array(await readFile(file.path)), new Uint8Array(content));
    assert.deepEqual(
      requests.map(({ range }) => range),
      [undefined, 'bytes=100000-', 'bytes=200000-'],
    );
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    assert.equal(seen.at(-1), content.length);
    assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
  });

  test('what was fetched is not fetched again, and works offline', async () => {
    handler = serve(content);
    const reference = `${base}/net.onnx`;
    await fetchFiles([{ reference }], options());
    const [again] = await fetchFiles([{ reference }], { ...options(), offline: true });
    assert.equal(again?.sha256, sha256(content));
    assert.equal(requests.length, 1);
  });

  test('content that changes between two parts is started over', async () => {
    const other = randomBytes(250_000);
    let connections = 0;
    handler = (request, response) => {
      if (connections++ === 0) serve(content, { etag: '"one"', cutAfter: 100_000 })(request, response);
      else serve(other, { etag: '"two"' })(request, response);
    };
    const [file] = await fetchFiles([{ reference: `${base}/net.onnx` }], options());
    assert.equal(file?.sha256, sha256(other));
  });

  test('without anything to tell content by, only a pinned file is resumed', async () => {
    handler = serve(content, { cutAfter: 200_000 });
    await fetchFiles([{ reference: `${base}/pinned.onnx`, sha256: sha256(content) }], options());
    assert.deepEqual(
      requests.map(({ range }) => range),
      [undefined, 'bytes=200000-'],
    );
    const error = await failure(fetchFiles([{ reference: `${base}/open.onnx` }], options()));
    assert.equal(error.code, 'NETWORK');
    assert.ok(requests.slice(2).every(({ range }) => range === undefined));
  });

  test('another content than the pinned one is refused and not kept', async () => {
    handler = serve(content);
    const error = await failure(fetchFiles([{ reference: `${base}/net.onnx`, sha256: 'ab'.repeat(32) }], options()));
    assert.equal(error.code, 'BAD_FILE');
    assert.match(error.message, new RegExp(`has SHA-256 ${sha256(content)}, not (ab){32}`));
    assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
  });

  test('a part of other content on disk is not mixed with the rest', async () => {
    handler = serve(content, { cutAfter: 100_000 });
    const file = { reference: `${base}/net.onnx`, sha256: sha256(content) };
    await fetchFiles([file], options());
    // As left by a process that was killed while it fetched something else under this name.
    const partial = createHash('sha256').update(file.reference).digest('hex').slice(0, 32);
    await writeFile(join(cacheDir, 'partial', partial), randomBytes(50_000));
    await rm(sourcePath(cacheDir, file.sha256));
    handler = serve(content);
    const [found] = await fetchFiles([file], options());
    assert.equal(sha256(await readFile(found.path)), file.sha256);
  });

  test('a damaged file in the cache is put aside and fetched again', async () => {
    handler = serve(content);
    const notices: string[] = [];
    for (const file of [{ reference: `${base}/a.onnx` }, { reference: `${base}/b.onnx`, sha256: sha256(content) }]) {
      const [first] = await fetchFiles([file], options());
      await writeFile(first.path, 'half a fi');
      const [second] = await fetchFiles([file], { ...options(), onNotice: (message) => notices.push(message) });
      assert.equal(sha256(await readFile(second.path)), sha256(content));
    }
    assert.equal(requests.length, 3);
    assert.equal(notices.length, 2);
    assert.match(notices[0], /^a\.onnx in the model cache was damaged; it is put aside as .*corrupt/);
    assert.equal((await readdir(join(cacheDir, 'corrupt'))).length, 2);
  });

  test('says what to do without network', async () => {
    const pin = 'cd'.repeat(32);
    for (const offline of [true, false]) {
      const error = await failure(
        fetchFiles([{ reference: 'https://127.0.0.1:1/net.onnx?token=secret', sha256: pin }], {
          ...options(),
          offline,
          modelName: 'net',
        }),
      );
      assert.equal(error.code, 'NETWORK');
      assert.match(error.message, /^https:\/\/127\.0\.0\.1:1\/net\.onnx is not in the model cache/);
      assert.ok(error.hint?.includes('labelsmith models pull net'));
      assert.ok(error.hint?.includes(sourcePath(cacheDir, pin)));
    }
  });

  test('a file put there by hand is taken', async () => {
    handler = (_, response) => response.writeHead(500).end();
    const file = { reference: `${base}/net.onnx`, sha256: sha256(content) };
    await failure(fetchFiles([file], options()));
    await mkdir(join(cacheDir, 'sources'), { recursive: true });
    await writeFile(sourcePath(cacheDir, file.sha256), content);
    const [found] = await fetchFiles([file], { ...options(), offline: true });
    assert.equal(found?.byteSize, content.length);
  });

  test('an absent file, a refused one and a passing fault are told apart', async () => {
    const answer = (status: number) => (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(status).end();
    handler = answer(404);
    assert.equal((await failure(fetchFiles([{ reference: `${base}/x` }], options()))).code, 'NOT_FOUND');
    handler = answer(403);
    assert.match((await failure(fetchFiles([{ reference: `${base}/x` }], options()))).hint ?? '', /HF_TOKEN/);
    assert.equal(requests.length, 2);
    let first = true;
    handler = (request, response) => {
      (first ? answer(503) : serve(content))(request, response);
      first = false;
    };
    const [file] = await fetchFiles([{ reference: `${base}/x` }], options());
    assert.equal(file?.sha256, sha256(content));
  });

  test('an unencrypted source on another machine needs a pinned hash', async () => {
    const error = await failure(fetchFiles([{ reference: 'http://192.0.2.1/net.onnx' }], options()));
    assert.equal(error.code, 'REFUSED');
  });
});

test('hf: asks HF_ENDPOINT for owner, repository, revision and file', async (t) => {
  const content = randomBytes(1000);
  handler = serve(content);
  const endpoint = process.env.HF_ENDPOINT;
  process.env.HF_ENDPOINT = base;
  t.after(() => {
    if (endpoint === undefined) delete process.env.HF_ENDPOINT;
    else process.env.HF_ENDPOINT = endpoint;
  });
  await fetchFiles([{ reference: 'hf:own-er/re.po@main#onnx/a b.onnx' }], options());
  assert.equal(requests[0]?.url, '/own-er/re.po/resolve/main/onnx/a%20b.onnx');
});

test('file: is copied, and copied again when it has changed', async () => {
  const path = join(cacheDir, 'net.onnx');
  await writeFile(path, 'one');
  const [one] = await fetchFiles([{ reference: `file:${path}` }], options());
  await writeFile(path, 'two');
  const [two] = await fetchFiles([{ reference: `file:${path}` }], options());
  assert.equal(await readFile(one.path, 'utf8'), 'one');
  assert.equal(await readFile(two.path, 'utf8'), 'two');
  await rm(path);
  const [still] = await fetchFiles([{ reference: `file:${path}` }], options());
  assert.equal(still?.sha256, two?.sha256);
  assert.equal((await failure(fetchFiles([{ reference: `file:${path}.not` }], options()))).code, 'NOT_FOUND');
});

describe('npm:', () => {
  const files = {
    'models/net.json': randomBytes(20_000),
    'models/net.bin': randomBytes(90_000),
    'run.js': Buffer.from('exit'),
  };
  let tarball: Buffer;
  let integrity: string;

  before(async () => {
    const packing = pack();
    for (const [name, content] of Object.entries(files)) packing.entry({ name: `package/${name}` }, content);
    packing.finalize();
    const parts: Uint8Array[] = [];
    for await (const part of packing) parts.push(part as Uint8Array);
    tarball = gzipSync(Buffer.concat(parts));
    integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  });

  /** A registry with `@some/models@1.2.3`, whose manifest names the public registry, as mirrors' manifests do. */
  function registry(serveTarball: Handler, stated = integrity): Handler {
    return (request, response) => {
      if (request.url === '/@some%2fmodels') {
        const publicUrl = new URL('/@some/models/-/models-1.2.3.tgz', registryFetch.pickRegistry('@some/models', {}));
        const dist = { tarball: publicUrl.href, integrity: stated };
        const versions = { '1.2.3': { name: '@some/models', version: '1.2.3', dist } };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ name: '@some/models', 'dist-tags': { latest: '1.2.3' }, versions }));
      } else if (request.url === '/@some/models/-/models-1.2.3.tgz') serveTarball(request, response);
      else response.writeHead(404).end('{}');
    };
  }

  const npmOptions = () => ({
    ...options(),
    npmSettings: { registry: `${base}/`, fetchRetries: 0, cache: join(cacheDir, 'npm') },
  });
  const json = { reference: 'npm:@some/models@1.2.3#models/net.json', sha256: sha256(files['models/net.json']) };
  const bin = { reference: 'npm:@some/models@1.2.3#models/net.bin' };
  const tarballRequests = () => requests.filter(({ url }) => url.endsWith('.tgz'));

  test('several files of a package cost one download, resumed when it is cut', async () => {
    handler = registry(serve(tarball, { cutAfter: 60_000 }));
    const found = await fetchFiles([json, bin], npmOptions());
    assert.deepEqual(
      found.map(({ reference, byteSize }) => [reference, byteSize]),
      [
        [json.reference, 20_000],
        [bin.reference, 90_000],
      ],
    );
    assert.equal(sha256(await readFile(found[1].path)), sha256(files['models/net.bin']));
    assert.deepEqual(
      tarballRequests().map(({ range }) => range),
      [undefined, 'bytes=60000-'],
    );
    assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
  });

  test('an interruption ends a download from a silent registry, and its connection', { timeout: 30_000 }, async () => {
    const interrupt = new AbortController();
    const closed = new Promise<void>((done) => {
      handler = registry((_, response) => {
        response.writeHead(200, { 'content-length': tarball.length });
        response.write(tarball.subarray(0, 10));
        response.on('close', done);
      });
    });
    const onProgress = () => interrupt.abort(new LabelsmithError('INTERRUPTED', 'interrupted'));
    const error = await failure(fetchFiles([json], { ...npmOptions(), signal: interrupt.signal, onProgress }));
    assert.equal(error.code, 'INTERRUPTED');
    await closed;
  });

  test('files of other models in the same package are taken along', async () => {
    handler = registry(serve(tarball));
    const absent = { reference: 'npm:@some/models@1.2.3#models/none.bin' };
    await fetchFiles([json], { ...npmOptions(), alsoTake: [bin, absent] });
    await fetchFiles([bin], { ...npmOptions(), offline: true });
    assert.equal(tarballRequests().length, 1);
  });

  test('a tarball that is not what the registry says is refused', async () => {
    handler = registry(serve(tarball), `sha512-${Buffer.alloc(64).toString('base64')}`);
    const error = await failure(fetchFiles([json], npmOptions()));
    assert.equal(error.code, 'BAD_FILE');
    assert.match(error.message, /tarball of @some\/models@1\.2\.3/);
  });

  const integrityOf = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

  for (const [what, bad, reason] of [
    ['no gzip', Buffer.from('not gzip at all '.repeat(50)), /incorrect header check/],
    ['no tar inside', gzipSync(Buffer.from('not tar at all '.repeat(500))), /tar header|Unexpected end/i],
    ['cut short', () => tarball.subarray(0, 50_000), /unexpected end of file/],
  ] as const) {
    test(`a tarball that is ${what} is one error, and is not kept`, async () => {
      const served = typeof bad === 'function' ? bad() : bad;
      handler = registry(serve(served), integrityOf(served));
      const error = await failure(fetchFiles([json], npmOptions()));
      assert.equal(error.code, 'BAD_FILE');
      assert.match(error.message, /tarball of @some\/models@1\.2\.3 cannot be unpacked/);
      assert.match(error.message, reason);
      assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
      handler = registry(serve(tarball));
      assert.equal((await fetchFiles([json], npmOptions()))[0]?.byteSize, 20_000);
    });
  }

  test('an absent version, file or registry is named', async () => {
    handler = registry(serve(tarball));
    const version = await failure(fetchFiles([{ reference: 'npm:@some/models@9.9.9#a.bin' }], npmOptions()));
    assert.equal(version.code, 'NOT_FOUND');
    const absent = { reference: 'npm:@some/models@1.2.3#a.bin' };
    const file = await failure(fetchFiles([absent], { ...npmOptions(), alsoTake: [absent, bin] }));
    assert.match(file.message, /package @some\/models@1\.2\.3 has no file a\.bin/);
    const settings = { ...npmOptions().npmSettings, registry: 'http://127.0.0.1:1/' };
    const none = await failure(fetchFiles([json], { ...npmOptions(), npmSettings: settings, modelName: 'net' }));
    assert.equal(none.code, 'NETWORK');
    assert.match(none.hint ?? '', /models pull net/);
  });
});

describe('two processes', () => {
  const content = randomBytes(400_000);
  const fetchInChild = () => {
    const script = `
      import { fetchFiles } from ${JSON.stringify(new URL('./fetch.ts', import.meta.url).href)};
      const [file] = await fetchFiles([{ reference: '${base}/big.onnx', sha256: '${sha256(content)}' }], { cacheDir: process.argv[1] });
      console.log(file.sha256);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, cacheDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const done = new Promise<string>((resolve) => child.on('close', () => resolve(printed.trim())));
    return { child, done };
  };

  test('that fetch one file at once fetch it once', async () => {
    handler = (request, response) => setTimeout(() => serve(content)(request, response), 300);
    const hashes = await Promise.all([fetchInChild().done, fetchInChild().done]);
    assert.deepEqual(hashes, [sha256(content), sha256(content)]);
    assert.equal(requests.length, 1);
  });

  test('when one is killed, the next goes on where it stopped', async () => {
    handler = (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 150_000));
    };
    const first = fetchInChild();
    const partial = join(cacheDir, 'partial');
    for (let size = 0; size < 150_000; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const name of await readdir(partial).catch(() => [])) {
        if (/^[0-9a-f]{32}$/.test(name)) size = (await readFile(join(partial, name))).length;
      }
    }
    first.child.kill('SIGKILL');
    await first.done;
    handler = serve(content);
    assert.equal(await fetchInChild().done, sha256(content));
    assert.equal(requests.at(-1)?.range, 'bytes=150000-');
    assert.deepEqual(await readdir(partial), []);
  });
});
