import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sinkContract } from '../../test/contracts/sink.ts';
import { isError } from '../../test/contracts/source.ts';
import { folderSink } from './folder-sink.ts';

sinkContract({
  name: 'folder',
  async open(folder) {
    mkdirSync(join(folder, 'sink'), { recursive: true });
    return folderSink(join(folder, 'sink'));
  },
  leftovers: async (folder) => {
    const work = readdirSync(join(folder, 'sink'), { withFileTypes: true }).filter(({ name }) => name.startsWith('.'));
    return work.flatMap(({ name }) => readdirSync(join(folder, 'sink', name)));
  },
});

test('a folder that is not there is not made: the disk may not be mounted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-sink-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await assert.rejects(folderSink(join(folder, 'away')), isError('NOT_FOUND'));
  mkdirSync(join(folder, 'away'));
  const sink = await folderSink(join(folder, 'away'));
  rmSync(join(folder, 'away'), { recursive: true });
  const options = { byteSize: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };
  await assert.rejects(sink.put('a', (async function* () {})(), options), isError('NOT_FOUND'));
  assert.deepEqual(readdirSync(folder), []);
});

test('a link in the folder does not lead a file out of it; what killed processes left is removed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-sink-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'sink/.labelsmith-sink'), { recursive: true });
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync('../elsewhere', join(folder, 'sink/out'));
  writeFileSync(join(folder, 'sink/.labelsmith-sink/old.partial'), 'half');
  utimesSync(join(folder, 'sink/.labelsmith-sink/old.partial'), 1_700_000_000, 1_700_000_000);
  const sink = await folderSink(join(folder, 'sink'));
  assert.deepEqual(readdirSync(join(folder, 'sink/.labelsmith-sink')), []);
  const options = { byteSize: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };
  await assert.rejects(sink.put('out/a', (async function* () {})(), options), isError('REFUSED'));
  assert.deepEqual(readdirSync(join(folder, 'elsewhere')), []);
});
