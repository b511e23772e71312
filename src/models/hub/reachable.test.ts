/** What a quality means where a hub is there, has some of it, or gives no answer. */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { type HubServer, startHub } from '../../../test/fixtures/hub-server.ts';
import { createModels } from '../models.ts';
import { HUB_MODELS } from './catalogue.ts';

const FOLDER = resolve(import.meta.dirname, '../../../test/fixtures/hub');
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

let hub: HubServer;
const saved = { HF_ENDPOINT: process.env.HF_ENDPOINT, HF_HOME: process.env.HF_HOME };
before(async () => {
  hub = await startHub();
  process.env.HF_ENDPOINT = hub.endpoint;
  process.env.HF_HOME = mkdtempSync(join(tmpdir(), 'labelsmith-hf-'));
});
after(() => {
  hub.close();
  rmSync(process.env.HF_HOME ?? '', { recursive: true, force: true });
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
beforeEach(() => hub.reset());

/** Puts small networks of the same family where the catalogue has a model. */
function put(id: string, family: string): void {
  const row = HUB_MODELS.find((model) => model.id === id);
  assert.ok(row, id);
  const cwd = join(FOLDER, family);
  const names = globSync('**/*.{json,onnx}', { cwd }).filter((name) => name !== 'expected.json');
  const files = new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(cwd, name))]));
  hub.putRepository(row.repository, files, { commit: COMMIT, licence: 'apache-2.0' });
}

function modelsOf(t: TestContext) {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-quality-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const notices: string[] = [];
  const models = createModels({ cacheDir, attempts: 1, backoffMs: 1, onNotice: (text) => notices.push(text) });
  return { models, notices };
}

test('a hub that has them gives the embedder, the detector and the masks of a quality', async (t) => {
  const { models, notices } = modelsOf(t);
  put('siglip2-base', 'siglip2');
  put('d-fine-m', 'd_fine');
  put('sam2-tiny', 'sam2');
  assert.equal((await models.chooseEmbedder('best')).id, 'siglip2-base');
  assert.equal((await models.chooseByQuality('detector', 'best', 'centernet')).id, 'd-fine-m');
  assert.equal((await models.chooseByQuality('segmenter', 'best', undefined)).id, 'sam2-tiny');
  assert.equal((await models.chooseByQuality('segmenter', 'fast', undefined)).id, undefined);
  assert.ok(notices.includes('Masks: sam2-tiny, the best of those known, by what publishers state.'));
  const asked = hub.requests.length;
  assert.equal((await models.chooseByQuality('detector', 'best', 'centernet')).id, 'd-fine-m');
  assert.equal(hub.requests.length, asked, 'what is here is asked for no more');
});

test('what a hub has not is told, and the next is taken', async (t) => {
  const { models } = modelsOf(t);
  put('rf-detr-base', 'rf_detr');
  const { id, because } = await models.chooseByQuality('detector', 'best', 'centernet');
  assert.equal(id, 'rf-detr-base');
  assert.match(because, /^d-fine-m could not be had \(/);
});

test('a hub without an answer is asked once, is waited for two seconds, and is told in one sentence', async (t) => {
  const { models, notices } = modelsOf(t);
  hub.fault(() => undefined);
  const startedAt = performance.now();
  const { id, because } = await models.chooseByQuality('detector', 'best', 'centernet');
  assert.equal(id, 'centernet');
  assert.equal(hub.requests.length, 1);
  assert.match(because, /^d-fine-m and rf-detr-base could not be had \(/);
  assert.equal(notices.length, 1);
  assert.equal((await models.chooseByQuality('segmenter', 'best', undefined)).id, undefined);
  assert.equal(hub.requests.length, 1);
  // Whoever waited for the hub would wait a minute; a busy machine makes two seconds longer.
  assert.ok(performance.now() - startedAt < 20_000);
});
