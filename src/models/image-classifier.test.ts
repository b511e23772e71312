import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { decodeCovered } from '../images/decode.ts';
import { openImageClassifier } from './image-classifier.ts';
import { importModel } from './import.ts';

const MODEL = resolve('../shared/models/mobilenetv2-12-qdq.onnx');
const PHOTOS = resolve(process.env.LABELSMITH_BENCH_DATA ?? '../shared/data', 'caltech-30/accordion');
const missing = [MODEL, PHOTOS].filter((path) => !existsSync(path));
const skip = missing.length > 0 ? `no ${missing.join(', no ')}` : false;
if (skip) console.log(`SKIP image classifier: ${skip}`);

/** ImageNet's class 401 is the accordion (the published list of its 1000 classes). */
const ACCORDION = 401;

test('an imported ImageNet classifier says what is in photographs', { skip }, async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-classifier-'));
  t.after(() => rmSync(cacheDir, { recursive: true }));
  const classNames = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
  await importModel(MODEL, { name: 'imagenet', role: 'classifier', classNames, cacheDir });
  const classifier = await openImageClassifier('imagenet', { cacheDir, threads: 1 });
  t.after(() => classifier.close());
  assert.deepEqual(classifier.classNames, classNames);
  let right = 0;
  const files = readdirSync(PHOTOS).sort().slice(0, 10);
  for (const file of files) {
    const { pixels } = await decodeCovered(readFileSync(join(PHOTOS, file)), classifier.input.width);
    const probabilities = await classifier.classify(pixels);
    assert.equal(probabilities.length, 1000);
    assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-3);
    if (probabilities.indexOf(Math.max(...probabilities)) === ACCORDION) right++;
  }
  assert.ok(right >= 8, `${right} of ${files.length}`);
});

test('a model of another role is refused', async () => {
  await assert.rejects(openImageClassifier('centernet'), /centernet is a detector, not a classifier/);
});
