/** What an index of shards may be when it comes back: whole, cut off, unfinished, or made by somebody to reach files. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTemporaryFolder } from '../../test/contracts/format.ts';
import { LabelsmithError } from '../errors.ts';
import { Reckoning } from './reckoning.ts';
import { recogniseFormat } from './recognise.ts';
import { INDEX_FILE, indexIn, indexOf, indexText, type ShardIndex } from './shard-index.ts';
import { readFormat } from './table.ts';

const ID = 'a'.repeat(64);
const SHARD = { file: 'part-000000.csv', images: 1, regions: 0, labels: 1, bytes: 9, sha256: ID, first: ID, last: ID };
const INDEX: ShardIndex = {
  madeBy: 'labelsmith',
  version: '1',
  complete: true,
  format: 'csv',
  task: null,
  rule: null,
  shardSize: 1,
  images: 1,
  regions: 0,
  labels: 1,
  splits: {},
  loses: [],
  lost: {},
  shards: [SHARD],
};

async function readAll(folder: string): Promise<number> {
  let count = 0;
  for await (const _ of readFormat('csv', folder, { reckoning: new Reckoning() })) count++;
  return count;
}

const says = (text: RegExp) => (error: unknown) =>
  error instanceof LabelsmithError && error.code === 'BAD_FILE' && text.test(error.message);

test('an index comes back as it was written, with shards and without', () => {
  assert.deepEqual(indexOf(indexText(INDEX)), INDEX);
  assert.deepEqual(indexOf(indexText({ ...INDEX, shards: [] })), { ...INDEX, shards: [] });
});

test('an index of others is none, and one of ours that is damaged is told', () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, INDEX_FILE);
    await writeFile(path, '{"entries": []}');
    assert.equal(await indexIn(folder), null);
    await writeFile(path, indexText(INDEX).slice(0, 200));
    await assert.rejects(recogniseFormat(folder), says(/the index of the export is damaged/));
    // It would have the import read a file elsewhere.
    await writeFile(path, indexText({ ...INDEX, shards: [{ ...SHARD, file: '../../etc/passwd' }] }));
    await assert.rejects(recogniseFormat(folder), says(/the index of the export is damaged/));
  }));

test('an export that is not whole is not read as if it were', () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, INDEX_FILE), indexText({ ...INDEX, complete: false }));
    await assert.rejects(readAll(folder), says(/the export is not whole/));
  }));

test('files that the index does not name are none of it', () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, 'part-000001.csv'), 'file,class\nx.jpg,cat\n');
    await writeFile(join(folder, INDEX_FILE), indexText({ ...INDEX, shards: [] }));
    assert.equal(await readAll(folder), 0);
  }));
