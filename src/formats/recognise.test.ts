/** What stands beside an export of ours is no label file, and hides none. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTemporaryFolder } from '../../test/contracts/format.ts';
import { BESIDE, prepareBeside } from '../files/beside.ts';
import { recogniseFormat } from './recognise.ts';

const FACTS = { accuracy: [{ task: 'class', whose: 'machines', accuracy: 0.9, interval: [0.8, 0.95], count: 40 }] };
/** As exports begin; a table of Parquet is told by its name. */
const TABLES = {
  csv: 'file,class,confidence,origin,task\na.jpg,cat,1,human,class\n',
  jsonl: '{"image":"0a","file":"a.jpg","width":10,"height":10,"labels":[{"task":"class","class":"cat"}]}\n',
  parquet: 'PAR1',
};

for (const [format, content] of Object.entries(TABLES)) {
  test(`an export to ${format} is found beside what tells of its accuracy, which is called what it is`, () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, `labels.${format}`);
      await writeFile(path, content);
      await prepareBeside(`${path}${BESIDE}`, path, `export to ${format}`, FACTS);
      const { format: found, why } = await recogniseFormat(folder);
      assert.deepEqual([found, why.includes(`labels.${format} is`)], [format, true]);
      await assert.rejects(recogniseFormat(`${path}${BESIDE}`), { code: 'USAGE', message: /beside its labels/ });
    }));
}

test('what was left of an export does not keep a tree of classes from being one', () =>
  inTemporaryFolder(async (folder) => {
    await mkdir(join(folder, 'cat'));
    await writeFile(join(folder, 'cat', 'a.jpg'), '');
    const path = join(folder, 'labels.csv');
    await prepareBeside(`${path}${BESIDE}`, path, 'export to csv', FACTS);
    assert.equal((await recogniseFormat(folder)).format, 'folders');
  }));

test('folders that are called after what is in them are no classes: a file of labels that nobody knows stands beside them', () =>
  inTemporaryFolder(async (folder) => {
    await mkdir(join(folder, 'images', 'train'), { recursive: true });
    await writeFile(join(folder, 'images', 'train', 'a.jpg'), '');
    await writeFile(join(folder, 'labels.json'), '{"made by":"something else"}');
    await assert.rejects(recogniseFormat(folder), { code: 'USAGE', message: /no folder is called after a class/ });
    await mkdir(join(folder, 'images', 'train', 'cat'));
    await writeFile(join(folder, 'images', 'train', 'cat', 'b.jpg'), '');
    assert.equal((await recogniseFormat(folder)).format, 'folders');
  }));
