/** Vectors of words are computed once a model, list and sentence: on a detector of random weights. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { float32Data } from '../onnx/tensor.ts';
import { createModels } from './models.ts';
import { findRole } from './open-model.ts';
import { wordFeeds } from './vocabulary.ts';

test('vectors of words are kept, taken from where they are kept, and made anew where that is damaged', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-words-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const folder = resolve(import.meta.dirname, '../../test/fixtures/hub/owlv2');
  await createModels({ cacheDir, onNotice: () => undefined }).importModel(folder, { name: 'tiny' });
  const entry = await findRole('tiny', 'detector', cacheDir);
  const vectorsOf = async (classNames: readonly string[]) => {
    const { feeds } = await wordFeeds(entry, { classNames }, { cacheDir, offline: true });
    return [...float32Data(feeds.word_vectors, 'vectors')];
  };
  const files = () => readdirSync(join(cacheDir, 'words')).map((name) => join(cacheDir, 'words', name));
  // Taking the model in tried it with words of its own.
  const before = new Set(files());
  const first = await vectorsOf(['cat', 'forklift']);
  const [file] = files().filter((one) => !before.has(one));
  assert.ok(file);
  // Other numbers with their own digest are taken as they are: nothing was computed.
  const other = new Uint8Array(Float32Array.from(first, (value) => -value).buffer);
  const kept = readFileSync(file);
  writeFileSync(file, Buffer.concat([createHash('sha256').update(other).digest(), other]));
  assert.deepEqual(
    await vectorsOf(['cat', 'forklift']),
    first.map((value) => -value),
  );
  writeFileSync(file, kept.subarray(0, kept.length - 4));
  assert.deepEqual(await vectorsOf(['cat', 'forklift']), first);
  assert.deepEqual(readFileSync(file), kept);
  await vectorsOf(['cat']);
  assert.equal(files().length, before.size + 2);
});
