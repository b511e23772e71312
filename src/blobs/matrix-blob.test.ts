import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Matrix, matrix } from '../math/matrix.ts';
import { folderBlobs } from './folder-blobs.ts';
import { getMatrix, keyOfMatrix, putMatrix } from './matrix-blob.ts';

test('a matrix comes back to the bit, under the name of its content; damaged it is not there', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-matrix-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const blobs = folderBlobs(dir);
  const data = Float32Array.from([1, -0, 1e-40, Number.POSITIVE_INFINITY, 0.1, 3.4e38]);
  const put = async (one: Matrix) => {
    const key = keyOfMatrix('some/', one);
    await putMatrix(blobs, key, one);
    return key;
  };
  const key = await put(matrix(data, 2, 3));
  assert.match(key, /^some\/[0-9a-f]{32}\.matrix$/);
  assert.equal(await put(matrix(data.slice(), 2, 3)), key);
  const found = await getMatrix(blobs, key);
  assert.deepEqual([found?.rows, found?.columns], [2, 3]);
  assert.deepEqual(found?.data, data);
  assert.ok(found?.data.buffer instanceof SharedArrayBuffer);
  // A view of a larger buffer is its own rows alone.
  const part = await put(matrix(data.subarray(3), 1, 3));
  assert.deepEqual((await getMatrix(blobs, part))?.data, data.slice(3));

  const path = join(dir, key);
  const bytes = await readFile(path);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(path, bytes);
  assert.equal(await getMatrix(blobs, key), undefined);
  assert.equal(await getMatrix(blobs, 'some/none.matrix'), undefined);
});
