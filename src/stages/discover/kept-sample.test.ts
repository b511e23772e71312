import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderBlobs } from '../../blobs/folder-blobs.ts';
import type { Hold } from '../../blobs/held-blobs.ts';
import { sha256Hex } from '../../core/ids.ts';
import { matrix } from '../../math/matrix.ts';
import { dropKeptSamples, keepForOthers, keptKey, keptLayout, keptSample } from './kept-sample.ts';

const MODEL = { space: 'made-up', meanKey: 'm', seed: 0, sample: ['1', '2'] };
const FILE = { space: 'made-up', items: 'images', shard: 's', file: 'f', count: 2, firstId: 'a', lastId: 'b' } as const;
const files = (...contents: string[]) => contents.map((sha256) => ({ ...FILE, sha256, runId: null }));

test('a sample and its places come back as they were; damaged, of other files, or dropped, they are not there', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-kept-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const blobs = folderBlobs(dir);
  const sample = {
    ids: [sha256Hex('a'), sha256Hex('b')],
    vectors: matrix(Float32Array.from([1, 0, 0, 0.6, 0.8, 0]), 2, 3),
    fromMean: Float32Array.from([0.25, 0.5]),
  };
  const layout = { places: Float32Array.from([1, 2, 3, 4]), usualDistance: 0.125 };
  const key = keptKey(MODEL, files('x'));
  const hold: Hold = async (_, put) => void (await put());
  const keeping = { sample, layout, hold, isCurrent: async () => true };
  await keepForOthers(blobs, key, keeping);
  const kept = await keptSample(blobs, key);
  assert.deepEqual(kept?.ids, sample.ids);
  assert.deepEqual([...(kept?.vectors.data ?? [])], [...sample.vectors.data]);
  assert.deepEqual(kept?.fromMean, sample.fromMean);
  assert.deepEqual(await keptLayout(blobs, key, 2), layout);
  // Some of the sample is gone since.
  assert.equal(await keptLayout(blobs, key, 1), undefined);
  assert.equal(await keptSample(blobs, keptKey(MODEL, files('x', 'y'))), undefined);
  assert.equal(await keptSample(blobs, keptKey({ ...MODEL, seed: 1 }, files('x'))), undefined);

  const path = join(dir, 'samples', `${key}.sample`);
  const bytes = await readFile(path);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(path, bytes);
  assert.equal(await keptSample(blobs, key), undefined);

  const other = keptKey(MODEL, files('z'));
  await keepForOthers(blobs, other, keeping);
  assert.equal(await keptLayout(blobs, key, 2), undefined, 'only one is kept');
  await dropKeptSamples(blobs);
  assert.equal(await keptSample(blobs, other), undefined);

  // Vectors were taken out of the record before it is kept, or while it is being put.
  for (const answers of [[false], [true, false]]) {
    const isCurrent = async () => answers.shift() ?? false;
    await keepForOthers(blobs, other, { ...keeping, isCurrent });
    assert.equal(await keptSample(blobs, other), undefined);
    assert.equal(await keptLayout(blobs, other, 2), undefined);
  }
});
