import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderBlobs } from '../../blobs/folder-blobs.ts';
import { sha256Hex } from '../../core/ids.ts';
import { holdingClassifier, openHeldClassifier } from './held-classifier.ts';

const OPTIONS = { threads: 1 };

test('a classifier that is held is found by its key, is gone afterwards, and nothing else is taken for it', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-held-'));
  t.after(() => rm(dir, { recursive: true }));
  const blobs = folderBlobs(join(dir, 'blobs'));
  const path = join(dir, 'class.onnx');
  await writeFile(path, 'no classifier, but bytes');
  const key = `a task@${sha256Hex(Buffer.from('no classifier, but bytes')).slice(0, 16)}`;
  const blobKeys = async () => {
    const keys: string[] = [];
    for await (const blob of blobs.list()) keys.push(blob.key);
    return keys;
  };

  await holdingClassifier(blobs, { key, path }, async () => {
    const [held, ...others] = await blobKeys();
    assert.deepEqual(others, []);
    // The bytes are those of the key, so that it is they that are no model.
    await assert.rejects(openHeldClassifier(blobs, key, OPTIONS, 0), { code: 'BAD_MODEL' });
    await blobs.put(held ?? '', Buffer.from('damaged'));
    await assert.rejects(openHeldClassifier(blobs, key, OPTIONS, 0), { code: 'NOT_FOUND' });
  });
  assert.deepEqual(await blobKeys(), []);
  await assert.rejects(openHeldClassifier(blobs, key, OPTIONS, 0), { code: 'NOT_FOUND' });

  await writeFile(path, 'trained again');
  let began = false;
  const late = holdingClassifier(blobs, { key, path }, async () => {
    began = true;
  });
  await assert.rejects(late, { code: 'BUSY' });
  assert.equal(began, false);
});
