/** Every format under the one contract; `test/slow/formats.test.ts` does the same with a thousand label sets each. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { formatContract, inTemporaryFolder, writeFiles } from '../../test/contracts/format.ts';
import { LabelsmithError } from '../errors.ts';
import { FORMATS, formatNamed, guessFormat } from './table.ts';

for (const format of FORMATS) formatContract(format, 40);

it('names the formats there are when asked for another', () => {
  assert.throws(
    () => formatNamed('tfrecord'),
    (error) =>
      error instanceof LabelsmithError && error.code === 'USAGE' && /coco, yolo, yolo-seg/.test(error.hint ?? ''),
  );
});

it('tells a format by what is there', async () => {
  await inTemporaryFolder(async (folder) => {
    const files = {
      'c/annotations.json': '',
      'y/data.yaml': '',
      'v/Annotations/x.xml': '',
      'k/crops.csv': '',
      'f/cat/1.jpg': '',
      'l/tasks.json': '',
      'a/annotations.xml': '',
      'h/train/metadata.jsonl': '',
      'w/data-000000.tar': '',
      'x.parquet': '',
      'x.xmp': '',
      'x.csv': '',
      'x.jsonl': '',
      'x.json': '',
      'x.bin': '',
    };
    await writeFiles(folder, files);
    const expected = {
      c: 'coco',
      y: 'yolo',
      v: 'voc',
      k: 'crops',
      f: 'folders',
      l: 'label-studio',
      a: 'cvat',
      h: 'hf',
      w: 'webdataset',
      'x.parquet': 'parquet',
      'x.xmp': 'xmp',
      'x.csv': 'csv',
      'x.jsonl': 'jsonl',
      'x.json': 'coco',
    };
    for (const [name, format] of Object.entries(expected)) assert.equal(await guessFormat(join(folder, name)), format);
    await assert.rejects(
      guessFormat(join(folder, 'x.bin')),
      (error) => error instanceof LabelsmithError && error.code === 'USAGE',
    );
    await assert.rejects(
      guessFormat(join(folder, 'gone')),
      (error) => error instanceof LabelsmithError && error.code === 'NOT_FOUND',
    );
  });
});
