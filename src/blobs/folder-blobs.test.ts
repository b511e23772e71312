import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { blobStoreContract } from '../../test/contracts/blobs.ts';
import { type BlobKind, getDescribed, putDescribed } from './described-blob.ts';
import { folderBlobs } from './folder-blobs.ts';

blobStoreContract('folder', folderBlobs);

test('a link in the folder leads nowhere, and what killed processes left is not listed', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-blobs-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ['blobs', 'elsewhere']) mkdirSync(join(dir, folder));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'blobs', 'lsh'), 'junction');
  writeFileSync(join(dir, 'blobs', 'a.bin.0a1b2c-1-01234567.tmp'), 'half');
  const blobs = folderBlobs(join(dir, 'blobs'));
  await assert.rejects(blobs.put('lsh/a.bin', new Uint8Array(1)), { code: 'WORKSPACE', message: /outside of itself/ });
  assert.deepEqual(readdirSync(join(dir, 'elsewhere')), []);
  for await (const { key } of blobs.list()) assert.fail(key);
});

test('a blob that is described has its header and bytes; of another form, version or damage it is not there', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-blobs-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const blobs = folderBlobs(dir);
  const kind: BlobKind<{ names: string[] }> = { version: 2, header: z.object({ names: z.array(z.string()) }) };
  const blob = { header: { names: ['ü', 'b'] }, bytes: Uint8Array.of(1, 2, 3) };
  assert.equal(await getDescribed(blobs, 'a.bin', kind), undefined);
  await putDescribed(blobs, 'a.bin', kind, blob);
  const found = await getDescribed(blobs, 'a.bin', kind);
  assert.deepEqual([found?.header, [...(found?.bytes ?? [])]], [blob.header, [1, 2, 3]]);
  assert.ok(existsSync(join(dir, 'a.bin')));

  assert.equal(await getDescribed(blobs, 'a.bin', { ...kind, version: 3 }), undefined);
  assert.equal(await getDescribed(blobs, 'a.bin', { ...kind, header: z.object({ other: z.string() }) }), undefined);
  const whole = (await blobs.get('a.bin')) ?? assert.fail();
  for (const damaged of [
    whole.subarray(0, 5),
    whole.subarray(0, 20),
    whole.with(0, 0),
    whole.with(11, 255),
    whole.with(12, 0),
  ]) {
    await blobs.put('a.bin', damaged);
    assert.equal(await getDescribed(blobs, 'a.bin', kind), undefined);
  }
});
