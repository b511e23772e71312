import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { vectorStoreContract } from '../../test/contracts/vectors.ts';
import { sha256Hex } from '../core/ids.ts';
import { matrix } from '../math/matrix.ts';
import { decodeVectors, encodeVectors } from './arrow-file.ts';
import { arrowVectorStore } from './arrow-store.ts';

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

test('what a killed process left unfinished goes with the next write; what another is writing stays', async (t) => {
  const workspace = mkdtempSync(join(tmpdir(), 'labelsmith-sweep-'));
  t.after(() => rmSync(workspace, { recursive: true, force: true }));
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  const shard = { ...SHARD, shard: '0', runId: 'r' };
  const first = await arrowVectorStore(workspace).write(shard);
  // A second workspace, since each folder is swept once by a process.
  const other = mkdtempSync(join(tmpdir(), 'labelsmith-sweep-'));
  t.after(() => rmSync(other, { recursive: true, force: true }));
  const folder = join(other, dirname(first.file));
  mkdirSync(folder, { recursive: true });
  const machine = sha256Hex(hostname()).slice(0, 8);
  const left = (where: string, pid: number) => `${'f'.repeat(32)}.arrow.${where}-${pid}-0123456789ab.tmp`;
  for (const name of [left(machine, ended), left(machine, process.ppid), left('0000dead', ended)]) {
    writeFileSync(join(folder, name), 'half written');
  }
  await arrowVectorStore(other).write(shard);
  const expected = [
    first.file.slice(first.file.lastIndexOf('/') + 1),
    left(machine, process.ppid),
    left('0000dead', ended),
  ];
  assert.deepEqual(readdirSync(folder).sort(), expected.sort());
});
