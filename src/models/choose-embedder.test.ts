/** Which embedder is taken: what is here, what a hub gives, what cannot be reached, and for how long that is remembered. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startHub } from '../../test/fixtures/hub-server.ts';
import { bringMobileNetV2, MOBILENET_V2_FILE, noMobileNetV2 } from '../../test/model-files.ts';
import { LabelsmithError } from '../errors.ts';
import { CATALOGUE } from './catalogue.ts';
import { chooseEmbedder, DEFAULT_EMBEDDER, EMBEDDERS, embeddersHere, firstFault } from './choose-embedder.ts';

const BETTER = 'mobilenetv2-12-qdq';

async function emptyCache(t: TestContext): Promise<string> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'labelsmith-choice-'));
  t.after(() => rm(cacheDir, { recursive: true, force: true }));
  return cacheDir;
}

/** A hub that is asked in place of the real one, and a folder in place of where tools such as `pip` are. */
function askInstead(t: TestContext, { hub, tools }: { readonly hub: string; readonly tools: string }): void {
  const before = { HF_ENDPOINT: process.env.HF_ENDPOINT, PATH: process.env.PATH };
  Object.assign(process.env, { HF_ENDPOINT: hub, PATH: tools });
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

test('every embedder that may be chosen is known, and the last of each list comes from the npm registry', () => {
  for (const names of Object.values(EMBEDDERS)) {
    for (const id of names) assert.equal(CATALOGUE.find((entry) => entry.id === id)?.role, 'embedder', id);
    const last = CATALOGUE.find((entry) => entry.id === names.at(-1));
    assert.match(last?.source.files[0]?.reference ?? '', /^npm:/);
  }
});

test('what is in the cache is taken with no network, the better one first', { skip: noMobileNetV2 }, async (t) => {
  const cacheDir = await emptyCache(t);
  bringMobileNetV2(cacheDir);
  const choice = await chooseEmbedder(undefined, { cacheDir, offline: true, folders: [] });
  assert.deepEqual(choice, { id: BETTER, because: 'the best of those known, by what was measured' });
  const quick = await chooseEmbedder('fast', { cacheDir, offline: true, folders: [] });
  assert.deepEqual(quick, { id: DEFAULT_EMBEDDER, because: 'the quickest of those known' });
});

test('what can be tried with no download is the default and what is in the cache', {
  skip: noMobileNetV2,
}, async (t) => {
  const cacheDir = await emptyCache(t);
  assert.deepEqual(await embeddersHere(cacheDir), [DEFAULT_EMBEDDER]);
  bringMobileNetV2(cacheDir);
  assert.deepEqual((await embeddersHere(cacheDir)).sort(), [BETTER, DEFAULT_EMBEDDER]);
});

test('the environment may say which quality is the default', async (t) => {
  const cacheDir = await emptyCache(t);
  const { LABELSMITH_QUALITY } = process.env;
  t.after(() => {
    if (LABELSMITH_QUALITY === undefined) delete process.env.LABELSMITH_QUALITY;
    else process.env.LABELSMITH_QUALITY = LABELSMITH_QUALITY;
  });
  process.env.LABELSMITH_QUALITY = 'fast';
  assert.equal((await chooseEmbedder(undefined, { cacheDir, offline: true, folders: [] })).id, DEFAULT_EMBEDDER);
  process.env.LABELSMITH_QUALITY = 'superb';
  await assert.rejects(chooseEmbedder(undefined, { cacheDir, offline: true }), /"superb", which is no quality/);
  // Empty is as unset, so the default: everything is asked for in order, and nothing is here.
  process.env.LABELSMITH_QUALITY = '';
  await chooseEmbedder(undefined, { cacheDir, offline: true, folders: [] });
});

test('a folder of the user’s is as good as the cache', { skip: noMobileNetV2 }, async (t) => {
  const cacheDir = await emptyCache(t);
  const { id } = await chooseEmbedder(undefined, { cacheDir, offline: true, folders: [dirname(MOBILENET_V2_FILE)] });
  assert.equal(id, BETTER);
});

test('what a hub has is fetched from it', { skip: noMobileNetV2 }, async (t) => {
  const cacheDir = await emptyCache(t);
  const hub = await startHub();
  t.after(() => hub.close());
  askInstead(t, { hub: hub.endpoint, tools: cacheDir });
  const path = 'validated/vision/classification/mobilenet/model/mobilenetv2-12-qdq.onnx';
  hub.put(`onnxmodelzoo/legacy_models/main/${path}`, await readFile(MOBILENET_V2_FILE));
  const { id } = await chooseEmbedder(undefined, { cacheDir, folders: [] });
  assert.equal(id, BETTER);
  const asked = hub.requests.length;
  assert.equal((await chooseEmbedder(undefined, { cacheDir, folders: [] })).id, BETTER);
  assert.equal(hub.requests.length, asked, 'what is there is not asked for again');
});

test('a silent hub costs two seconds, and nothing for a day', async (t) => {
  const cacheDir = await emptyCache(t);
  let asked = 0;
  const silent = createServer(() => {
    asked++;
  }).listen(0, '127.0.0.1');
  await new Promise((done) => silent.once('listening', done));
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  askInstead(t, { hub: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, tools: cacheDir });
  const timed = async (quality?: 'balanced') => {
    const startedAt = performance.now();
    const choice = await chooseEmbedder(quality, { cacheDir, folders: [] });
    return { ...choice, ms: performance.now() - startedAt };
  };
  const first = await timed();
  assert.equal(first.id, DEFAULT_EMBEDDER);
  assert.match(first.because, /^mobilenetv2-12-qdq could not be reached \(no answer within 2 seconds\); efficientnet/);
  // Whoever waited for the hub would wait a minute; a busy machine makes two seconds longer.
  assert.ok(first.ms < 20_000, `${first.ms} ms`);
  assert.equal(asked, 1);
  const second = await timed();
  assert.deepEqual([second.id, asked], [DEFAULT_EMBEDDER, 1]);
  assert.match(second.because, /could not be reached within the last day/);
  // Whoever asks for a quality wants it tried.
  await timed('balanced');
  assert.equal(asked, 2);
  // A day later.
  const path = join(cacheDir, 'unreachable.json');
  const record = JSON.parse(await readFile(path, 'utf8')) as Record<string, { atMs: number }>;
  (record[BETTER] as { atMs: number }).atMs -= 25 * 60 * 60 * 1000;
  await writeFile(path, JSON.stringify(record));
  await timed();
  assert.equal(asked, 3);
});

test('a pip that is slow to start has ten seconds, and one that finds nothing costs no more', {
  skip: process.platform === 'win32' ? 'no shell script' : false,
}, async (t) => {
  const cacheDir = await emptyCache(t);
  const tools = join(cacheDir, 'tools');
  await mkdir(tools);
  await writeFile(join(tools, 'pip'), '#!/bin/sh\nexec /bin/sleep 60\n', { mode: 0o755 });
  const hub = await startHub();
  t.after(() => hub.close());
  askInstead(t, { hub: hub.endpoint, tools });
  await writeFile(
    join(cacheDir, 'unreachable.json'),
    JSON.stringify({ [BETTER]: { atMs: Date.now(), reason: 'no answer' } }),
  );
  const startedAt = performance.now();
  const { id, because } = await chooseEmbedder(undefined, { cacheDir, folders: [] });
  assert.equal(id, DEFAULT_EMBEDDER);
  assert.match(
    because,
    /efficientnet-lite0 could not be reached \(no answer within 10 seconds\); labelsmith embed --quality balanced asks again$/,
  );
  const ms = performance.now() - startedAt;
  assert.ok(ms > 9_000 && ms < 40_000, `${ms} ms`);
});

test('where the default is in the cache nobody is asked, and it is told what is better', async (t) => {
  const cacheDir = await emptyCache(t);
  const entry = CATALOGUE.find(({ id }) => id === DEFAULT_EMBEDDER);
  const sha256 = entry?.source.files[0]?.sha256 ?? '';
  const real = join(
    process.env.LABELSMITH_CACHE ?? join(process.env.HOME ?? '', '.cache', 'labelsmith'),
    'sources',
    sha256,
  );
  if (!existsSync(real)) {
    t.skip(`${DEFAULT_EMBEDDER} is not in the model cache (labelsmith models pull ${DEFAULT_EMBEDDER})`);
    return;
  }
  await mkdir(join(cacheDir, 'sources'), { recursive: true });
  await writeFile(join(cacheDir, 'sources', sha256), await readFile(real));
  const hub = await startHub();
  t.after(() => hub.close());
  askInstead(t, { hub: hub.endpoint, tools: cacheDir });
  const choice = await chooseEmbedder(undefined, { cacheDir, folders: [] });
  assert.equal(choice.id, DEFAULT_EMBEDDER);
  assert.match(
    choice.because,
    /mobilenetv2-12-qdq and efficientnet-lite0 are better: labelsmith models pull --quality balanced fetches the best/,
  );
  assert.equal(hub.requests.length, 0);
});

test('of what none of its places has it is told what the first of them answered', () => {
  const refused = new LabelsmithError('NETWORK', 'the hub shows a/b to nobody without a token (401)');
  const notHere = new LabelsmithError('NETWORK', 'net is not in the model cache', { cause: refused });
  const nowhere = new LabelsmithError('NETWORK', 'net is to be had from none of its 2 places', { cause: notHere });
  assert.equal(firstFault(nowhere), refused);
  assert.equal(firstFault(refused), refused);
  const system = new LabelsmithError('NETWORK', 'no answer', { cause: new Error('ENOTFOUND') });
  assert.equal(firstFault(system), system);
});
