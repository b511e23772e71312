/** What a repository holds where its hub gives no answer: as the hub's own tools keep it on this machine. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { type HubServer, startHub } from '../../test/fixtures/hub-server.ts';
import { LabelsmithError } from '../errors.ts';
import { listHubRepository } from './hub-listing.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const REPOSITORY = { owner: 'someone', repo: 'net-ONNX', revision: 'main' };
const saved = { endpoint: process.env.HF_ENDPOINT, home: process.env.HF_HOME };
let hub: HubServer;

before(async () => {
  hub = await startHub();
});
after(() => {
  hub.close();
  for (const [name, value] of [
    ['HF_ENDPOINT', saved.endpoint],
    ['HF_HOME', saved.home],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
beforeEach(() => {
  hub.reset();
  process.env.HF_ENDPOINT = hub.endpoint;
});

/** The layout of `huggingface_hub`: blobs by their digest, a link to each in the snapshot of a commit, and what a branch is. */
function cacheWith(t: TestContext, files: Readonly<Record<string, string>>) {
  const home = mkdtempSync(join(tmpdir(), 'labelsmith-hf-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  process.env.HF_HOME = home;
  const folder = join(home, 'hub/models--someone--net-ONNX');
  for (const part of ['blobs', 'refs', `snapshots/${COMMIT}/onnx`]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'refs/main'), COMMIT);
  for (const [path, content] of Object.entries(files)) {
    const large = path.endsWith('.onnx');
    const hash = large
      ? createHash('sha256').update(content)
      : createHash('sha1').update(`blob ${content.length}\0${content}`);
    const blob = join(folder, 'blobs', hash.digest('hex'));
    writeFileSync(blob, content);
    symlinkSync(blob, join(folder, 'snapshots', COMMIT, path));
  }
}

const FILES = { 'config.json': '{"model_type": "vit"}', 'onnx/model.onnx': 'a graph' };

test('where the hub gives no answer, its tools’ cache is taken, as the hub would have listed it', async (t) => {
  cacheWith(t, FILES);
  const told: string[] = [];
  const options = { attempts: 1, backoffMs: 1, onNotice: (text: string) => void told.push(text) };
  const expected = {
    name: 'someone/net-ONNX',
    commit: COMMIT,
    licence: null,
    files: [
      {
        path: 'config.json',
        byteSize: 21,
        // Of `printf '{"model_type": "vit"}' | git hash-object --stdin`.
        gitBlob: '09906378791dc1e4b7285bfaaed5e2a73a9986f0',
        reference: `hf:someone/net-ONNX@${COMMIT}#config.json`,
      },
      {
        path: 'onnx/model.onnx',
        byteSize: 7,
        // Of `printf 'a graph' | sha256sum`.
        sha256: '170df6144b15bdf1dced878e45ebdb2dac95d0b1a3bc68459434bbbd88681157',
        reference: `hf:someone/net-ONNX@${COMMIT}#onnx/model.onnx`,
      },
    ],
  };
  hub.fault((_, response) => void response.writeHead(503).end());
  assert.deepEqual(await listHubRepository(REPOSITORY, options), expected);
  assert.match(told[0] ?? '', /answered 503.*taken from the cache of the hub’s own tools/);
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  assert.deepEqual(await listHubRepository(REPOSITORY, options), expected);
  assert.match(told[1] ?? '', /cannot be reached/);
  assert.deepEqual(await listHubRepository(REPOSITORY, { offline: true }), expected);
  assert.equal(told.length, 2, 'what was asked for is not told');
});

test('a hub that says no is not passed over, nor is a cache that has no graph taken', async (t) => {
  const refused = (code: string) => (error: unknown) => error instanceof LabelsmithError && error.code === code;
  cacheWith(t, FILES);
  await assert.rejects(listHubRepository(REPOSITORY, { attempts: 1 }), refused('NOT_FOUND'));
  cacheWith(t, { 'config.json': '{}' });
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  await assert.rejects(listHubRepository(REPOSITORY, { attempts: 1 }), refused('NETWORK'));
});
