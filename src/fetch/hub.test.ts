/** Against a server of this process with the hub's layout: each fault of it, and the sentence that says what to do. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { serve } from '../../test/fixtures/file-server.ts';
import { type HubServer, startHub } from '../../test/fixtures/hub-server.ts';
import { LabelsmithError } from '../errors.ts';
import { type FetchOptions, fetchFiles, type SourceFile } from './fetch.ts';
import { sendTo } from './http.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const CONTENT = randomBytes(200_000);
const FILE = { reference: 'hf:own-er/re.po@main#onnx/a b.onnx', sha256: sha256(CONTENT) } as const;
const AT = 'own-er/re.po/main/onnx/a b.onnx';

let hub: HubServer;
let folder = '';
let cacheDir = '';
const environment = { ...process.env };

before(async () => {
  hub = await startHub();
});
after(() => hub.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-hub-'));
  cacheDir = join(folder, 'cache');
  hub.reset();
  hub.put(AT, CONTENT);
  for (const name of Object.keys(process.env)) {
    if (
      /^(HF_|HUGGING|LABELSMITH_(MODELS|OFFLINE)|REQUESTS_CA|CURL_CA|SSL_CERT|https?_proxy|HTTPS?_PROXY)/.test(name)
    ) {
      delete process.env[name];
    }
  }
  process.env.HF_ENDPOINT = hub.endpoint;
  process.env.HF_HOME = join(folder, 'huggingface');
});
afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  await rm(folder, { recursive: true, force: true });
});

const fetchOne = async (file: SourceFile = FILE, options: Partial<FetchOptions> = {}) => {
  const [found] = await fetchFiles([file], { cacheDir, backoffMs: 1, modelName: 'net', ...options });
  return found!;
};

async function failure(promise: Promise<unknown>): Promise<LabelsmithError> {
  const error = await promise.then(
    () => assert.fail('did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  return error;
}

const answer =
  (status: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, headers).end();

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

describe('what is asked for', () => {
  test('owner, repository, revision and file, of the endpoint', async () => {
    const { path } = await fetchOne();
    assert.equal(sha256(await readFile(path)), FILE.sha256);
    assert.equal(hub.requests[0]?.url, '/own-er/re.po/resolve/main/onnx/a%20b.onnx');
    assert.deepEqual(
      hub.requests.map(({ host }) => host),
      ['hub', 'storage'],
    );
  });

  test('an endpoint that is no address is wrong usage', async () => {
    process.env.HF_ENDPOINT = 'hub';
    const error = await failure(fetchOne());
    assert.equal(error.code, 'USAGE');
    assert.match(error.message, /HF_ENDPOINT is "hub"/);
  });

  test('the token goes to the hub and not to the host that it redirects to', async () => {
    process.env.HF_TOKEN = 'hf_secret';
    await fetchOne();
    assert.deepEqual(
      hub.requests.map(({ host, authorization }) => [host, authorization]),
      [
        ['hub', 'Bearer hf_secret'],
        ['storage', undefined],
      ],
    );
  });

  test('the token of the hub’s own tools is used, unless they are told not to', async () => {
    await write(join(folder, 'huggingface', 'token'), 'hf_file\n');
    await fetchOne();
    assert.equal(hub.requests[0]?.authorization, 'Bearer hf_file');
    await rm(cacheDir, { recursive: true });
    process.env.HF_HUB_DISABLE_IMPLICIT_TOKEN = '1';
    await fetchOne();
    assert.equal(hub.requests[2]?.authorization, undefined);
  });
});

describe('what is here already', () => {
  const cached = (commit: string, content: Uint8Array) =>
    write(join(folder, 'huggingface/hub/models--own-er--re.po/snapshots', commit, 'onnx/a b.onnx'), content);

  test('a file in the cache of the hub’s own tools is not fetched, whatever its revision', async () => {
    await cached('c'.repeat(40), CONTENT);
    assert.equal((await fetchOne()).sha256, FILE.sha256);
    assert.equal(hub.requests.length, 0);
  });

  test('one with another content is passed by, and said', async () => {
    await cached('c'.repeat(40), randomBytes(10));
    const notices: string[] = [];
    await fetchOne(FILE, { onNotice: (message) => notices.push(message) });
    assert.match(notices.join(), /a b\.onnx has another content than the one that is pinned/);
    assert.equal(hub.requests.length, 2);
  });

  test('without a known content its revision decides, and only where the hub is not asked', async () => {
    const commit = 'd'.repeat(40);
    await cached(commit, CONTENT);
    await write(join(folder, 'huggingface/hub/models--own-er--re.po/refs/main'), commit);
    const open = { reference: FILE.reference };
    process.env.HF_HUB_OFFLINE = '1';
    assert.equal((await fetchOne(open)).sha256, FILE.sha256);
    assert.equal(hub.requests.length, 0);
    delete process.env.HF_HUB_OFFLINE;
    await rm(cacheDir, { recursive: true });
    await fetchOne(open);
    assert.equal(hub.requests.length, 2);
  });

  test('offline: the hub is not asked, and what to do is said', async () => {
    for (const name of ['HF_HUB_OFFLINE', 'LABELSMITH_OFFLINE']) {
      process.env[name] = '1';
      const error = await failure(fetchOne());
      delete process.env[name];
      assert.equal(error.code, 'NETWORK');
      assert.match(error.hint ?? '', /labelsmith models pull net.* where there is network/);
    }
    assert.equal(hub.requests.length, 0);
  });

  test('a folder of the user’s: by the path at the publisher’s, or by the name alone', async () => {
    for (const path of ['onnx/a b.onnx', 'a b.onnx', FILE.sha256]) {
      const own = await mkdtemp(join(folder, 'own-'));
      await write(join(own, path), CONTENT);
      process.env.LABELSMITH_MODELS = own;
      assert.equal((await fetchOne()).sha256, FILE.sha256);
      await rm(cacheDir, { recursive: true });
    }
    assert.equal(hub.requests.length, 0);
  });
});

describe('faults', () => {
  test('cut: goes on where it ended', async () => {
    hub.storageFault(serve(CONTENT, { etag: '"one"', cutAfter: 80_000 }));
    await fetchOne();
    assert.deepEqual(
      hub.requests.filter(({ host }) => host === 'storage').map(({ range }) => range),
      [undefined, 'bytes=80000-', 'bytes=160000-'],
    );
  });

  test('wrong digest: refused, not kept, and what to do is said', async () => {
    hub.put(AT, randomBytes(100));
    const error = await failure(fetchOne());
    assert.equal(error.code, 'BAD_FILE');
    assert.match(error.hint ?? '', /Put the right file into a folder and name that folder in LABELSMITH_MODELS/);
    assert.deepEqual(await readdir(join(cacheDir, 'partial')), []);
  });

  test('401 without a token, and with one that is not accepted', async () => {
    hub.fault(answer(401));
    const without = await failure(fetchOne());
    assert.match(without.message, /shows own-er\/re\.po to nobody without a token \(401\)/);
    assert.match(without.hint ?? '', /set HF_TOKEN to a token that may read it/);
    process.env.HF_TOKEN = 'hf_old';
    const old = await failure(fetchOne());
    assert.match(old.message, /does not accept the token in HF_TOKEN \(401\)/);
    assert.equal(old.hint, `Make a new one at ${hub.endpoint}/settings/tokens.`);
    assert.ok(!JSON.stringify([old.message, old.hint, old.details]).includes('hf_old'));
  });

  test('403: terms are to be accepted', async () => {
    hub.fault(answer(403, { 'x-error-code': 'GatedRepo' }));
    const error = await failure(fetchOne());
    assert.match(error.message, /open only to those who accepted its terms \(403\)/);
    assert.match(error.hint ?? '', new RegExp(`Accept them at ${hub.endpoint}/own-er/re.po with the account`));
    hub.fault(undefined);
    hub.storageFault(answer(403));
    assert.match((await failure(fetchOne())).message, /^127.*, where the bytes of .* are kept, refused them \(403\)$/);
  });

  for (const [code, message] of [
    ['RepoNotFound', /the hub has no own-er\/re\.po \(404\)/],
    ['RevisionNotFound', /own-er\/re\.po has no revision main \(404\)/],
    ['EntryNotFound', /own-er\/re\.po has no file onnx\/a b\.onnx at revision main \(404\)/],
  ] as const) {
    test(`404, ${code}`, async () => {
      hub.fault(answer(404, { 'x-error-code': code }));
      const error = await failure(fetchOne());
      assert.equal(error.code, 'NOT_FOUND');
      assert.match(error.message, message);
      assert.ok(error.hint);
      assert.equal(hub.requests.length, 1);
    });
  }

  test('429: waits as long as it is asked to, but not for ever', async () => {
    let asked = 0;
    hub.fault((request, response) => {
      if (asked++ === 0) return answer(429, { 'retry-after': '1' })(request, response);
      hub.fault(undefined);
      response.writeHead(302, { location: request.url ?? '' }).end();
    });
    const start = performance.now();
    await fetchOne();
    assert.ok(performance.now() - start >= 990);
    await rm(cacheDir, { recursive: true });
    hub.fault(answer(429, { 'retry-after': '3600' }));
    const error = await failure(fetchOne());
    assert.match(error.message, /the server answered 429 and asks to wait 60 minutes/);
    assert.match(error.hint ?? '', /Try again in 60 minutes; .*HF_TOKEN/);
    hub.fault(answer(429, { 'retry-after': new Date(Date.now() + 600_000).toUTCString() }));
    assert.match((await failure(fetchOne())).message, /asks to wait 10 minutes/);
  });

  test('no space: told before the disk is full', async () => {
    hub.storageFault((_, response) => {
      response.writeHead(200, { 'content-length': 2 ** 52 });
      response.write('begin');
    });
    const error = await failure(fetchOne());
    assert.equal(error.code, 'DISK_FULL');
    assert.match(error.message, /a b\.onnx needs .* more, and .* are free at /);
    assert.match(error.hint ?? '', /LABELSMITH_CACHE/);
  });

  for (const [what, everyMs] of [
    ['slow bytes', 20],
    ['a silent server', 0],
  ] as const) {
    test(`${what}: an interruption ends it and its connection, and what came is kept`, {
      timeout: 30_000,
    }, async () => {
      const interrupt = new AbortController();
      const closed = new Promise<void>((done) => {
        hub.storageFault((_, response) => {
          response.writeHead(200, { 'content-length': CONTENT.length, etag: '"one"' });
          response.write(CONTENT.subarray(0, 10));
          let sent = 10;
          const timer =
            everyMs > 0 ? setInterval(() => response.write(CONTENT.subarray(sent, ++sent)), everyMs) : undefined;
          response.on('close', () => {
            clearInterval(timer);
            done();
          });
        });
      });
      const onProgress = () => interrupt.abort(new LabelsmithError('INTERRUPTED', 'interrupted'));
      const error = await failure(fetchOne(FILE, { signal: interrupt.signal, onProgress }));
      assert.equal(error.code, 'INTERRUPTED');
      await closed;
      hub.storageFault(serve(CONTENT, { etag: '"one"' }));
      assert.equal((await fetchOne()).sha256, FILE.sha256);
      assert.match(hub.requests.at(-1)?.range ?? '', /^bytes=[1-9]\d*-$/);
    });
  }

  test('redirects in a circle end', async () => {
    hub.fault((request, response) => void response.writeHead(302, { location: request.url }).end());
    assert.match((await failure(fetchOne())).message, /redirects more than 10 times/);
  });
});

describe('several places', () => {
  const second = 'hf:second/copy@main#net.onnx';
  const file = { ...FILE, otherPlaces: [second] };

  test('the next is tried where the first is absent, refuses, or has another content', async () => {
    hub.put('second/copy/main/net.onnx', CONTENT);
    for (const spoil of [
      () => hub.fault(faultAt('/own-er', 404)),
      () => hub.fault(faultAt('/own-er', 403)),
      () => hub.fault(faultAt('/own-er', 500)),
      () => hub.put(AT, randomBytes(9)),
    ]) {
      spoil();
      const notices: string[] = [];
      const found = await fetchOne(file, { onNotice: (message) => notices.push(message) });
      assert.match(notices.join('\n'), /\. Trying hf:second\/copy@main#net\.onnx/);
      assert.deepEqual([found.reference, found.sha256], [FILE.reference, FILE.sha256]);
      hub.fault(undefined);
      await rm(cacheDir, { recursive: true });
    }
  });

  test('a folder to look in that is not there is told', async () => {
    hub.put('second/copy/main/net.onnx', CONTENT);
    const notices: string[] = [];
    await fetchOne(file, { folders: ['/no/such/folder'], onNotice: (message) => notices.push(message) });
    assert.match(notices.join('\n'), /^\/no\/such\/folder is no folder that is there/);
  });

  /** A fault of one repository. */
  function faultAt(start: string, status: number) {
    return (request: IncomingMessage, response: ServerResponse) => {
      if (request.url?.startsWith(start)) return answer(status)(request, response);
      serve(CONTENT)(request, response);
    };
  }

  test('where none has it, each is named with its reason', async () => {
    hub.fault(answer(404, { 'x-error-code': 'RepoNotFound' }));
    const error = await failure(fetchOne(file));
    assert.equal(error.message, 'net is to be had from none of its 2 places');
    assert.match(error.hint ?? '', /hf:own-er\/re\.po@main#onnx\/a b\.onnx: the hub has no own-er\/re\.po \(404\)/);
    assert.match(error.hint ?? '', /hf:second\/copy@main#net\.onnx: the hub has no second\/copy \(404\)/);
    assert.match(error.hint ?? '', /LABELSMITH_MODELS/);
  });

  test('a full disk is not tried again elsewhere', async () => {
    hub.storageFault((_, response) => response.writeHead(200, { 'content-length': 2 ** 52 }).write('begin'));
    assert.equal((await failure(fetchOne(file))).code, 'DISK_FULL');
    assert.equal(hub.requests.filter(({ host }) => host === 'hub').length, 1);
  });
});

test('a proxy is used where npm is told of one', async (t) => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    serve(CONTENT)(request, response);
  });
  const base = await listen(proxy);
  t.after(() => proxy.close());
  process.env.HF_ENDPOINT = 'http://hub.invalid';
  process.env.http_proxy = base;
  process.env.npm_config_proxy = base;
  await fetchOne();
  assert.deepEqual(asked, ['http://hub.invalid/own-er/re.po/resolve/main/onnx/a%20b.onnx']);
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const noOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl, which makes a certificate, is not here';

test('certificates of a company, and no way from an encrypted address to one that is not', {
  skip: noOpenssl,
}, async (t) => {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '1'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  const secure = createSecureServer(
    { key: await readFile(key), cert: await readFile(certificate) },
    (request, response) => {
      if (request.url !== '/plain') return serve(CONTENT)(request, response);
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    },
  );
  const base = (await listen(secure)).replace('http:', 'https:');
  t.after(() => secure.close());
  await assert.rejects(sendTo(`${base}/file`)({}), /self-signed certificate/);
  process.env.REQUESTS_CA_BUNDLE = `${certificate}.not`;
  await assert.rejects(sendTo(`${base}/file`)({}), {
    code: 'USAGE',
    message: /REQUESTS_CA_BUNDLE names .* cannot be read/,
  });
  Object.assign(process.env, { REQUESTS_CA_BUNDLE: key, CURL_CA_BUNDLE: certificate });
  const { status, body } = await sendTo(`${base}/file`)({});
  for await (const _ of body);
  assert.equal(status, 200);
  await assert.rejects(sendTo(`${base}/plain`)({}), { code: 'REFUSED', message: /which is not encrypted/ });
});
