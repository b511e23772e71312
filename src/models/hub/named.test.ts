/** Models by the names of repositories, from a server of this machine with the hub's layout and its API. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { type HubServer, startHub } from '../../../test/fixtures/hub-server.ts';
import { LabelsmithError } from '../../errors.ts';
import { parseReference } from '../../fetch/reference.ts';
import { decodeModel, encodeModel, type ModelProto } from '../../onnx/proto.ts';
import { createModels } from '../models.ts';
import { HUB_MODELS } from './catalogue.ts';
import { familyOf } from './families.ts';
import { forbidsCommerce, isHubPlace } from './named.ts';

const FOLDER = resolve(import.meta.dirname, '../../../test/fixtures/hub');
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

let hub: HubServer;
const saved = { endpoint: process.env.HF_ENDPOINT, home: process.env.HF_HOME, token: process.env.HF_TOKEN };

before(async () => {
  hub = await startHub();
  process.env.HF_ENDPOINT = hub.endpoint;
  process.env.HF_HOME = mkdtempSync(join(tmpdir(), 'labelsmith-hf-'));
  delete process.env.HF_TOKEN;
});
after(() => {
  hub.close();
  rmSync(process.env.HF_HOME ?? '', { recursive: true, force: true });
  for (const [name, value] of [
    ['HF_ENDPOINT', saved.endpoint],
    ['HF_HOME', saved.home],
    ['HF_TOKEN', saved.token],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
beforeEach(() => hub.reset());

function filesOf(family: string): Map<string, Uint8Array> {
  const cwd = join(FOLDER, family);
  const names = globSync('**/*.{json,onnx}', { cwd }).filter((name) => name !== 'expected.json');
  return new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(cwd, name))]));
}

function cacheOf(t: TestContext) {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-named-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const notices: string[] = [];
  const options = { cacheDir, backoffMs: 1, attempts: 1, onNotice: (text: string) => notices.push(text) };
  return { models: createModels(options), offline: createModels({ ...options, offline: true }), notices, cacheDir };
}

function refusal(code: string, ...words: string[]) {
  return (error: unknown) =>
    error instanceof LabelsmithError &&
    error.code === code &&
    words.every((word) => `${error.message} ${error.hint}`.includes(word));
}

test('a repository is taken in once, pinned by commit and digest, and needs no hub from then on', async (t) => {
  const { models, offline, notices } = cacheOf(t);
  hub.putRepository('some/Tiny-CLIP-ONNX', filesOf('clip'), { commit: COMMIT, licence: 'mit' });
  const entry = await models.importModel('hf:some/Tiny-CLIP-ONNX');
  assert.equal(entry.id, 'tiny-clip');
  assert.equal(entry.licence, 'MIT');
  assert.ok(notices.some((text) => text.includes('is under MIT')));
  const [file] = entry.source.files;
  assert.equal(file?.reference, `hf:some/Tiny-CLIP-ONNX@${COMMIT}#onnx/vision_model.onnx`);
  assert.match(file?.sha256 ?? '', /^[0-9a-f]{64}$/);
  const text = () => hub.requests.filter(({ url }) => url.includes('text_model'));
  assert.equal(text().length, 0, 'the text side is fetched when words are asked for');
  const encoder = await models.openTextEncoder('tiny-clip', { threads: 1 });
  assert.equal((await encoder.encode(['a cat'])).rows, 1);
  await encoder.close();
  assert.ok(text().length > 0);
  const asked = hub.requests.length;
  const again = await offline.openEmbedder('hf:some/Tiny-CLIP-ONNX', { threads: 1 });
  await again.close();
  await (await offline.openTextEncoder('tiny-clip', { threads: 1 })).close();
  assert.equal(hub.requests.length, asked);
  assert.equal((await offline.list()).find(({ id }) => id === 'tiny-clip')?.cached, true);
});

test('a graph with other bytes than the hub states is not taken', async (t) => {
  const { models } = cacheOf(t);
  const files = filesOf('vit');
  hub.putRepository('some/vit', files, { commit: COMMIT, licence: 'apache-2.0' });
  hub.put(`some/vit/${COMMIT}/onnx/model.onnx`, new Uint8Array(files.get('onnx/model.onnx')?.length ?? 1));
  await assert.rejects(models.importModel('hf:some/vit'), refusal('BAD_FILE', 'SHA-256'));
  assert.deepEqual(
    (await models.list()).filter(({ id }) => id === 'vit'),
    [],
  );
});

test('a small file that comes otherwise than the hub states is not kept, and the next fetch is right', async (t) => {
  const { models } = cacheOf(t);
  const files = filesOf('vit');
  hub.putRepository('some/vit', files, { commit: COMMIT, licence: 'apache-2.0' });
  hub.put(`some/vit/${COMMIT}/config.json`, Buffer.from('<html>Please log in</html>'));
  await assert.rejects(models.importModel('hf:some/vit'), refusal('BAD_FILE', '26 bytes', 'hub states', 'proxy'));
  hub.put(`some/vit/${COMMIT}/config.json`, files.get('config.json') ?? new Uint8Array());
  assert.equal((await models.importModel('hf:some/vit')).id, 'vit');
});

test('a hub that asks to wait is waited for when it lists files, but not for long', async (t) => {
  const { models, cacheDir } = cacheOf(t);
  const patient = createModels({ cacheDir, backoffMs: 1, attempts: 2, onNotice: () => undefined });
  hub.putRepository('some/vit', filesOf('vit'), { commit: COMMIT, licence: 'apache-2.0' });
  const busyOnce = (seconds: string) =>
    hub.fault((_, response) => {
      hub.fault(undefined);
      response.writeHead(429, { 'retry-after': seconds }).end();
    });
  busyOnce('600');
  await assert.rejects(models.importModel('hf:some/vit'), refusal('NETWORK', '429', 'wait 10 minutes', 'HF_TOKEN'));
  busyOnce('0');
  await assert.rejects(models.importModel('hf:some/vit'), refusal('NETWORK', '429'));
  busyOnce('1');
  assert.equal((await patient.importModel('hf:some/vit')).id, 'vit');
});

test('an interruption ends the question to a silent hub, and its connection', { timeout: 30_000 }, async (t) => {
  const { cacheDir } = cacheOf(t);
  const interrupt = new AbortController();
  const models = createModels({ cacheDir, signal: interrupt.signal });
  hub.putRepository('some/vit', filesOf('vit'), { commit: COMMIT, licence: 'apache-2.0' });
  const closed = new Promise<void>((done) => {
    hub.fault((_, response) => {
      hub.fault(undefined);
      response.on('close', done);
      interrupt.abort(new LabelsmithError('INTERRUPTED', 'interrupted'));
    });
  });
  await assert.rejects(models.importModel('hf:some/vit'), refusal('INTERRUPTED', 'interrupted'));
  await closed;
});

test('another precision of a model that is here is taken in its place, or refused where there is none', async (t) => {
  const { models } = cacheOf(t);
  const repository = HUB_MODELS.find(({ id }) => id === 'vit-base')?.repository ?? '';
  const files = filesOf('vit');
  hub.putRepository(repository, files, { commit: COMMIT, licence: 'apache-2.0' });
  const graph = async () => (await models.list()).find(({ id }) => id === 'vit-base')?.sources[0];
  await models.prepare('vit-base');
  assert.match((await graph()) ?? '', /model\.onnx$/);
  await assert.rejects(models.prepare('vit-base', { precision: 'int8' }), refusal('NOT_FOUND', 'model_int8.onnx'));
  files.set('onnx/model_int8.onnx', files.get('onnx/model.onnx') ?? new Uint8Array());
  hub.putRepository(repository, files, { commit: COMMIT, licence: 'apache-2.0' });
  await models.prepare('vit-base', { precision: 'int8' });
  assert.match((await graph()) ?? '', /model_int8\.onnx$/);
  const asked = hub.requests.length;
  await models.prepare('vit-base');
  assert.equal(hub.requests.length, asked, 'with none asked for, what is here is right');
});

test('for a graphics card the weights in 16 bits are taken, where every graph that is needed has them', async (t) => {
  const { cacheDir, notices } = cacheOf(t);
  const onCard = createModels({ cacheDir, device: 'webgpu', onNotice: (text) => void notices.push(text) });
  const files = filesOf('clip');
  const graphOf = async (name: string, request = {}) => {
    hub.putRepository('some/pair', files, { commit: COMMIT, licence: 'mit' });
    const { source } = await onCard.importModel('hf:some/pair', { name, ...request });
    return source.files[0]?.reference.split('/').at(-1);
  };
  assert.equal(await graphOf('plain'), 'vision_model.onnx');
  files.set('onnx/vision_model_fp16.onnx', files.get('onnx/vision_model.onnx') ?? new Uint8Array());
  assert.equal(await graphOf('half-a-pair'), 'vision_model.onnx', 'the text side has none');
  files.set('onnx/text_model_fp16.onnx', files.get('onnx/text_model.onnx') ?? new Uint8Array());
  assert.equal(await graphOf('pair'), 'vision_model_fp16.onnx');
  assert.ok(notices.some((text) => /^pair: weights in fp16.*--precision fp32/.test(text)));
  assert.equal(await graphOf('asked', { precision: 'fp32' }), 'vision_model.onnx');
});

test('a short name may mean another branch than main', async (t) => {
  const { models } = cacheOf(t);
  const [name = '', branch] = (HUB_MODELS.find(({ id }) => id === 'slimsam')?.repository ?? '').split('@');
  hub.putRepository(name, filesOf('sam'), { commit: COMMIT, licence: 'apache-2.0', branch });
  const { entry } = await models.prepare('slimsam');
  assert.equal(entry.role, 'segmenter');
  assert.ok(entry.source.files.every(({ reference }) => reference.startsWith(`hf:${name}@${COMMIT}#`)));
});

test('a folder is taken by its path or as file:', async (t) => {
  const { models } = cacheOf(t);
  assert.equal((await models.importModel(`file:${join(FOLDER, 'vit')}`)).id, 'vit');
  assert.ok(await isHubPlace(`file:${join(FOLDER, 'vit')}`));
  assert.ok(!(await isHubPlace(`file:${join(FOLDER, 'vit/onnx/model.onnx')}`)));
});

test('a licence that forbids commercial use has to be accepted, and nothing is fetched before', async (t) => {
  const { models } = cacheOf(t);
  hub.putRepository('some/vit', filesOf('vit'), { commit: COMMIT, licence: 'cc-by-nc-4.0' });
  await assert.rejects(
    models.importModel('hf:some/vit'),
    refusal('REFUSED', 'CC-BY-NC-4.0', 'models import hf:some/vit --accept-licence'),
  );
  assert.equal(hub.requests.filter(({ url }) => url.includes('resolve')).length, 0);
  assert.equal((await models.importModel('hf:some/vit', { acceptLicence: true })).licence, 'CC-BY-NC-4.0');
});

test('what is not there or not open is said with what to do', async (t) => {
  const { models, offline } = cacheOf(t);
  await assert.rejects(models.importModel('hf:some/nothing'), refusal('NOT_FOUND', 'the hub has no some/nothing'));
  hub.fault((_, response) => void response.writeHead(403, { 'x-error-code': 'GatedRepo' }).end());
  await assert.rejects(models.importModel('hf:some/vit'), refusal('NETWORK', 'accepted its terms', 'HF_TOKEN'));
  hub.fault((_, response) => void response.writeHead(503).end());
  await assert.rejects(models.importModel('hf:some/vit'), refusal('NETWORK', '503'));
  hub.fault((_, response) => void response.writeHead(200).end('<html>log in</html>'));
  await assert.rejects(models.importModel('hf:some/vit'), refusal('NETWORK', 'no list of files', 'HF_ENDPOINT'));
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  await assert.rejects(models.importModel('hf:some/vit'), refusal('NETWORK', 'cannot be reached', 'HF_ENDPOINT'));
  process.env.HF_ENDPOINT = hub.endpoint;
  await assert.rejects(offline.importModel('hf:some/vit'), refusal('NETWORK', 'no network may be used'));
});

test('what is not understood is refused by its name and leaves no entry', async (t) => {
  const { models } = cacheOf(t);
  const put = (name: string, change: (files: Map<string, Uint8Array>) => void) => {
    const files = filesOf('vit');
    change(files);
    hub.putRepository(name, files, { commit: COMMIT, licence: 'mit' });
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  put('some/type', (files) => files.set('config.json', json({ model_type: 'whisper' })));
  await assert.rejects(models.importModel('hf:some/type'), refusal('UNSUPPORTED', 'whisper', 'dinov2'));
  put('some/pixels', (files) =>
    files.set('preprocessor_config.json', json({ image_processor_type: 'ViTImageProcessor', size: 32, gamma: 2 })),
  );
  await assert.rejects(models.importModel('hf:some/pixels'), refusal('UNSUPPORTED', 'gamma'));
  put('some/bare', (files) => files.delete('preprocessor_config.json'));
  await assert.rejects(models.importModel('hf:some/bare'), refusal('UNSUPPORTED', 'preprocessor_config.json'));
  put('some/graph', (files) => files.delete('onnx/model.onnx'));
  await assert.rejects(models.importModel('hf:some/graph'), refusal('NOT_FOUND', 'model.onnx'));
  put('some/other', (files) => files.set('onnx/model.onnx', filesOf('clip').get('onnx/text_model.onnx') ?? json('')));
  await assert.rejects(models.importModel('hf:some/other'), refusal('UNSUPPORTED', 'input_ids', 'pixel_values'));
  put('some/half', () => undefined);
  await assert.rejects(
    models.importModel('hf:some/half', { precision: 'fp16' }),
    refusal('NOT_FOUND', 'model_fp16.onnx', '--precision'),
  );
  assert.ok(!(await models.list()).some(({ sources }) => sources.some((one) => one.includes('some/'))));
});

test('a graph that takes too long or too much is stopped in a process of its own and leaves no entry', async (t) => {
  const { models } = cacheOf(t);
  const take = (bounds: object) => models.importModel(join(FOLDER, 'vit'), { name: 'slow', ...bounds });
  await assert.rejects(take({ timeoutMs: 20 }), refusal('BAD_MODEL', 'more than 0.02 s', '--precision'));
  await assert.rejects(take({ maxMemoryBytes: 2 ** 20 }), refusal('BAD_MODEL', 'more than 1 MB of memory'));
  assert.ok(!(await models.list()).some(({ id }) => id === 'slow'));
  assert.equal((await take({})).id, 'slow');
});

test('one ONNX file of a repository is taken in as one from disk is', async (t) => {
  const { models, offline } = cacheOf(t);
  hub.putRepository('some/files', filesOf('resnet'), { commit: COMMIT, licence: 'mit' });
  const { entry } = await models.importFile(`hf:some/files@${COMMIT}#onnx/model.onnx`, {
    role: 'embedder',
  });
  assert.equal(entry.id, 'model');
  assert.equal(entry.source.files[0]?.sha256?.length, 64);
  const embedder = await offline.openEmbedder('model', { threads: 1 });
  await embedder.close();
  await assert.rejects(models.importFile('hf:some/files@main#onnx/other.onnx'), refusal('NOT_FOUND', 'other.onnx'));
});

test('a decoder of masks that takes no boxes is refused by what it takes', async (t) => {
  const { models } = cacheOf(t);
  const name = 'onnx/prompt_encoder_mask_decoder.onnx';
  const put = (repository: string, from: string, to: string) => {
    const files = filesOf('sam2');
    const model = decodeModel(Uint8Array.from(files.get(name) ?? []));
    const renamed = (value: string) => (value === from ? to : value);
    for (const input of model.graph?.input ?? []) input.name = renamed(input.name ?? '');
    for (const node of model.graph?.node ?? []) node.input = node.input?.map(renamed);
    files.set(name, encodeModel(model));
    hub.putRepository(repository, files, { commit: COMMIT, licence: 'apache-2.0' });
  };
  put('some/points', 'input_boxes', 'input_lines');
  await assert.rejects(
    models.importModel('hf:some/points'),
    refusal('UNSUPPORTED', 'input_points, input_labels, input_lines', 'no input_boxes'),
  );
  put('some/unboxed', 'input_boxes', 'image_embeddings.9');
  await assert.rejects(
    models.importModel('hf:some/unboxed'),
    refusal('UNSUPPORTED', 'labels 2 and 3', 'SAM’s own code'),
  );
  put('some/other', 'image_embeddings.1', 'image_positional_embeddings');
  await assert.rejects(
    models.importModel('hf:some/other'),
    refusal('UNSUPPORTED', 'nothing here makes image_positional_embeddings'),
  );
  hub.putRepository('some/sam', filesOf('sam2'), { commit: COMMIT, licence: 'apache-2.0' });
  assert.equal((await models.importModel('hf:some/sam')).role, 'segmenter');
  await assert.rejects(models.openDetector('sam'), refusal('USAGE', 'sam is a model of masks, not a detector'));
});

test('a SAM by its own code is taken in without a config; what knows no corners of boxes is refused', async (t) => {
  const { models } = cacheOf(t);
  const files = filesOf('sam_export');
  hub.putRepository('some/MobileSAM', files, { commit: COMMIT, licence: 'mit' });
  const entry = await models.importModel('hf:some/MobileSAM');
  assert.ok(entry.role === 'segmenter' && entry.asked === 'corners' && entry.licence === 'MIT');
  assert.deepEqual([entry.input.width, entry.input.layout], [64, 'HWC']);
  const name = 'sam_mask_decoder_multi.onnx';
  const put = (repository: string, change: (model: ModelProto) => void) => {
    const model = decodeModel(Uint8Array.from(files.get(name) ?? []));
    change(model);
    hub.putRepository(repository, new Map([...files, [name, encodeModel(model)]]), { commit: COMMIT, licence: 'mit' });
  };
  put('some/unnamed', ({ graph }) => {
    for (const node of graph?.node ?? [])
      node.input = node.input?.map((one) => (one === 'point_labels' ? 'labels' : one));
    for (const input of graph?.input ?? []) if (input.name === 'point_labels') input.name = 'labels';
  });
  await assert.rejects(models.importModel('hf:some/unnamed'), refusal('UNSUPPORTED', 'has no point_labels'));
  // Every label is read as 1: what is left of a corner is its place.
  put('some/blind', ({ graph }) => {
    for (const node of graph?.node ?? [])
      node.input = node.input?.map((one) => (one === 'point_labels' ? 'seen' : one));
    graph?.node?.unshift({ opType: 'Div', input: ['point_labels', 'point_labels'], output: ['seen'] });
  });
  const digest = createHash('sha256')
    .update(files.get('mobile_sam_image_encoder.onnx') ?? '')
    .digest('hex');
  await assert.rejects(
    models.importModel('hf:some/blind'),
    refusal('UNSUPPORTED', 'does not know the corners', `mobile_sam_image_encoder.onnx (SHA-256 ${digest})`),
  );
});

test('a model that knows no words says so, and which do', async (t) => {
  const { models } = cacheOf(t);
  await models.importModel(join(FOLDER, 'vit'), { name: 'plain' });
  await assert.rejects(models.openTextEncoder('plain'), refusal('UNSUPPORTED', 'plain', 'siglip2-base'));
  await assert.rejects(models.importModel(join(FOLDER, 'clip'), { name: 'plain' }), refusal('REFUSED', '--replace'));
  assert.ok((await models.importModel(join(FOLDER, 'clip'), { name: 'plain', replace: true })).licence === 'unknown');
});

test('rows of the catalogue have names of their own, repositories and a stated accuracy', async (t) => {
  const { models } = cacheOf(t);
  const known = new Set((await models.list()).map(({ id }) => id));
  assert.ok(HUB_MODELS.filter(({ role }) => role === 'embedder').length >= 20);
  assert.equal(new Set(HUB_MODELS.map(({ id }) => id)).size, HUB_MODELS.length);
  for (const { id, repository, modelType, licence, stated, role } of HUB_MODELS) {
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(known.has(id), `models list has ${id}`);
    const place = repository.includes('@') ? repository : `${repository}@main`;
    assert.equal(parseReference(`hf:${place}#config.json`).kind, 'hf');
    assert.equal(familyOf(modelType)?.role, role, `${id}: ${modelType}`);
    assert.notEqual(stated, '');
    assert.equal(forbidsCommerce(licence), false, `${id} is under ${licence}`);
  }
});
