/** What is said of models of which this machine has nothing, and of one that was checked here. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bringMobileNetV2, noMobileNetV2 } from '../../test/model-files.ts';
import { findCheck, recordCheck } from './check-record.ts';
import { modelsList } from './list.ts';
import { prepareModel } from './prepare.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-list-'));
after(() => rmSync(cacheDir, { recursive: true, force: true }));

const CHECK = { sensible: true, right: 6, of: 6, asked: 'photographs' };
const listed = async (id: string) => (await modelsList(cacheDir)).find((model) => model.id === id);

test('a model that is not here: its size and score are its publisher’s, and where it lies is said', async () => {
  const model = await listed('resnet18-v1-7');
  assert.deepEqual([model?.cached, model?.byteSize, model?.key], [false, 46_820_737, null]);
  assert.deepEqual([model?.stated, model?.measured, model?.checked], ['ImageNet top-1 69.93 %', null, null]);
  assert.equal(model?.sources.length, 2);
});

test('a model of several graphs is as large as all of them, and all their files are named', async () => {
  const model = await listed('pp-ocr-v4');
  // Bytes of the three files as the package has them.
  assert.deepEqual([model?.role, model?.cached, model?.byteSize], ['reader', false, 4_745_517 + 10_822_323 + 26_249]);
  assert.equal(model?.sources.length, 3);
});

test('what a check found is kept, and a record that is none is as if there were none', async () => {
  await recordCheck(cacheDir, 'vgg19-7', { ...CHECK, key: 'vgg19-7@0' });
  assert.equal((await listed('vgg19-7'))?.checked?.right, 6);
  writeFileSync(join(cacheDir, 'checks', 'vgg19-7.json'), '{"key": 3}');
  assert.equal(await findCheck(cacheDir, 'vgg19-7'), undefined);
});

test('a check of another graph is not told', { skip: noMobileNetV2 }, async () => {
  bringMobileNetV2(cacheDir);
  const { key } = await prepareModel('mobilenetv2-12-qdq', { cacheDir, offline: true });
  await recordCheck(cacheDir, 'mobilenetv2-12-qdq', { ...CHECK, key });
  assert.equal((await listed('mobilenetv2-12-qdq'))?.checked?.right, 6);
  await recordCheck(cacheDir, 'mobilenetv2-12-qdq', { ...CHECK, key: 'mobilenetv2-12-qdq@0123456789abcdef' });
  assert.equal((await listed('mobilenetv2-12-qdq'))?.checked, null);
});
