/** Where a file is to be had from none of its places: what is said of each, against a server with the hub's layout. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type HubServer, startHub } from '../../test/fixtures/hub-server.ts';
import { LabelsmithError } from '../errors.ts';
import { fetchFiles } from './fetch.ts';

const FILE = {
  reference: 'hf:first/place@main#net.onnx',
  otherPlaces: ['hf:second/copy@main#net.onnx'],
  sha256: '0'.repeat(64),
};
const NAMES = ['HF_ENDPOINT', 'HF_HOME', 'HF_TOKEN', 'HF_HUB_OFFLINE', 'LABELSMITH_OFFLINE'];

let hub: HubServer;
let folder = '';
const saved = NAMES.map((name) => [name, process.env[name]] as const);

before(async () => {
  hub = await startHub();
});
after(() => hub.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'labelsmith-no-place-'));
  hub.reset();
  for (const name of NAMES) delete process.env[name];
  process.env.HF_ENDPOINT = hub.endpoint;
  process.env.HF_HOME = join(folder, 'huggingface');
});
afterEach(() => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What somebody is told to do. */
async function advice(options: { readonly offline?: boolean } = {}, notices: string[] = []): Promise<string> {
  const onNotice = (text: string) => void notices.push(text);
  const cacheDir = join(folder, 'cache');
  const error = await fetchFiles([FILE], { cacheDir, backoffMs: 1, modelName: 'net', onNotice, ...options }).then(
    () => assert.fail('did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  return error.hint ?? '';
}

for (const [status, headers, expected] of [
  [401, {}, /\(401\)\. .*set HF_TOKEN to a token that may read it/],
  [403, { 'x-error-code': 'GatedRepo' }, /\(403\)\. Accept them at .*first\/place with the account/],
  [429, { 'retry-after': '3600' }, /asks to wait 60 minutes\. .*Try again in 60 minutes/],
] as const) {
  test(`${status}: what to do about it is said`, async () => {
    hub.fault((_, response: ServerResponse) => void response.writeHead(status, headers).end());
    assert.match(await advice(), expected);
  });
}

test('another content: what to do about it is said, and the place once', async () => {
  hub.put('first/place/main/net.onnx', randomBytes(9));
  hub.put('second/copy/main/net.onnx', randomBytes(9));
  assert.match(await advice(), /^hf:first\/place@main#net\.onnx: has SHA-256 .*\. .*Put the right file into a folder/m);
});

test('offline, no other place is said to be tried', async () => {
  const notices: string[] = [];
  const said = await advice({ offline: true }, notices);
  assert.deepEqual(notices, []);
  assert.match(said, /^ *hf:second\/copy@main#net\.onnx: is not in the model cache, and no network may be used$/m);
});
