import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { vectorStoreContract } from '../../test/contracts/vectors.ts';
import { sha256Hex } from '../core/ids.ts';
import { matrix } from '../math/matrix.ts';
import { decodeVectors, encodeVectors } from './arrow-file.ts';
import { arrowVectorStore } from './folder-vectors.ts';

vectorStoreContract('Arrow files', arrowVectorStore);

const IDS = ['a', 'b', 'c'].map((name) => sha256Hex(name)).sort();
const SHARD = {
  space: 's',
  items: 'images',
  ids: IDS,
  vectors: matrix(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2),
} as const;

test('the file is Arrow IPC: magic at both ends, the footer where its length says, aligned buffers', () => {
  const bytes = Buffer.from(encodeVectors(SHARD));
  assert.equal(bytes.toString('latin1', 0, 8), 'ARROW1\0\0');
  assert.equal(bytes.toString('latin1', bytes.length - 6), 'ARROW1');
  const footer = bytes.readInt32LE(bytes.length - 10);
  assert.ok(footer > 0 && footer < bytes.length - 18);
  // Half precision 1, 2, 3, 4, 5, 6, little-endian, as they stand in the file.
  const halves = Buffer.from(Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600).buffer);
  const at = bytes.indexOf(halves);
  assert.ok(at > 0 && at % 8 === 0, `values at ${at}`);
});

test('more rows than one record batch', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => i.toString(16).padStart(64, '0'));
  const vectors = matrix(
    Float32Array.from({ length: 40_000 }, (_, i) => i % 2000),
    20_000,
    2,
  );
  const back = decodeVectors(encodeVectors({ ...SHARD, ids, vectors }), 'file');
  assert.deepEqual(back.ids, ids);
  assert.deepEqual(back.vectors.data, vectors.data);
});

test('another Arrow file, or none, is told by name', () => {
  assert.throws(
    () => decodeVectors(Buffer.from('nothing of the kind'), 'x.arrow'),
    /x\.arrow is not a file of vectors/,
  );
  assert.throws(() => decodeVectors(new Uint8Array(0), 'x.arrow'), /x\.arrow is not a file of vectors/);
});

test('a record that names a file elsewhere reaches nothing outside of the vectors', async (t) => {
  const workspace = mkdtempSync(join(tmpdir(), 'labelsmith-hostile-'));
  t.after(() => rmSync(workspace, { recursive: true, force: true }));
  const own = join(workspace, 'w');
  const store = arrowVectorStore(own);
  const shard = await store.write({ ...SHARD, shard: '0', runId: 'r' });
  mkdirSync(join(workspace, 'elsewhere'));
  writeFileSync(join(workspace, 'elsewhere/x.arrow'), 'precious');
  writeFileSync(join(own, 'labelsmith.sqlite'), 'precious');
  symlinkSync(join(workspace, 'elsewhere'), join(own, 'vectors/link'));
  const names = [
    '../elsewhere/x.arrow',
    'vectors/../../elsewhere/x.arrow',
    'vectors/../x.arrow',
    'vectors/link/x.arrow',
    'labelsmith.sqlite',
    join(workspace, 'elsewhere/x.arrow'),
  ];
  for (const file of names) {
    await assert.rejects(store.remove([{ ...shard, file }]), { code: 'WORKSPACE' }, file);
    await assert.rejects(store.read({ ...shard, file }), { code: 'WORKSPACE' }, file);
  }
  await store.prune([shard]);
  assert.equal(readFileSync(join(workspace, 'elsewhere/x.arrow'), 'utf8'), 'precious');
  assert.equal(readFileSync(join(own, 'labelsmith.sqlite'), 'utf8'), 'precious');
});
