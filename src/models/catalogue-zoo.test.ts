/** The model zoo's rows, and one of its real files from a server with the hub's layout. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../test/fixtures/hub-server.ts';
import { MOBILENET_V2_FILE, noMobileNetV2 } from '../../test/model-files.ts';
import { CATALOGUE } from './catalogue.ts';
import { ZOO_CLASSIFIER_ENTRIES } from './catalogue-zoo.ts';
import { prepareModel } from './prepare.ts';
import { ZOO_CLASSIFIERS, ZOO_DETECTORS, zooSource } from './zoo-files.ts';

test('every file of the zoo is a model of the catalogue, with its size, digest and two places', () => {
  for (const [id, file] of Object.entries({ ...ZOO_CLASSIFIERS, ...ZOO_DETECTORS })) {
    const entry = CATALOGUE.find((known) => known.id === id);
    assert.ok(entry, id);
    assert.deepEqual(entry.source.files, [zooSource(file)]);
  }
  const { reference, otherPlaces } = zooSource(ZOO_CLASSIFIERS['resnet18-v1-7']);
  const path = 'validated/vision/classification/resnet/model/resnet18-v1-7.onnx';
  assert.equal(reference, `hf:onnxmodelzoo/legacy_models@main#${path}`);
  assert.deepEqual(otherPlaces, [`https://media.githubusercontent.com/media/onnx/models/main/${path}`]);
});

test('families take what their documents state', () => {
  const inputOf = (id: string) => ZOO_CLASSIFIER_ENTRIES.find((entry) => entry.id === id)?.input;
  // (255 − 127) / 128 = 1: EfficientNet-Lite takes −1 to 1, its channels last.
  const lite = inputOf('efficientnet-lite4-11-qdq');
  assert.deepEqual([lite?.layout, lite?.mean?.[0], lite?.std?.[0], lite?.scale], ['NHWC', 127, 128, undefined]);
  const caffe = inputOf('googlenet-12');
  assert.deepEqual([caffe?.colours, caffe?.mean, caffe?.std], ['BGR', [103.939, 116.779, 123.68], undefined]);
  const gluon = inputOf('resnet50-v2-7');
  assert.deepEqual([gluon?.colours, gluon?.layout, gluon?.scale], [undefined, 'NCHW', 1 / 255]);
});

test('MobileNetV2 comes from a hub and is made ready', { skip: noMobileNetV2 }, async (t) => {
  const hub = await startHub();
  const cacheDir = await mkdtemp(join(tmpdir(), 'labelsmith-zoo-'));
  const { HF_ENDPOINT } = process.env;
  process.env.HF_ENDPOINT = hub.endpoint;
  t.after(async () => {
    hub.close();
    if (HF_ENDPOINT === undefined) delete process.env.HF_ENDPOINT;
    else process.env.HF_ENDPOINT = HF_ENDPOINT;
    await rm(cacheDir, { recursive: true, force: true });
  });
  const path = `validated/vision/${ZOO_CLASSIFIERS['mobilenetv2-12-qdq'].path}`;
  hub.put(`onnxmodelzoo/legacy_models/main/${path}`, await readFile(MOBILENET_V2_FILE));
  const { key } = await prepareModel('mobilenetv2-12-qdq', { cacheDir, folders: [] });
  assert.match(key, /^mobilenetv2-12-qdq@[0-9a-f]{16}$/);
  assert.equal(hub.requests[0]?.url, `/onnxmodelzoo/legacy_models/resolve/main/${path}`);
  assert.equal((await prepareModel('mobilenetv2-12-qdq', { cacheDir, offline: true })).key, key);
});
