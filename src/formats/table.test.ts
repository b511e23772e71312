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
      'x.json': '{"images":[]}',
      'other.json': '{}',
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
    const others = {
      'r1/train/_darknet.labels': 'cat\n',
      'r1/train/a.jpg': '',
      'r2/train/_annotations.csv': 'filename,class,xmin,ymin,xmax,ymax\n',
      'r2/train/a.jpg': '',
      'r3/data/a.jpg': '',
      'r3/labels/a.xml': '<annotation/>',
      'r4/dataset_infos.json': '{}',
      'r4/train/cat/a.jpg': '',
      'r5/a.json': '{"_via_img_metadata":{}}',
      'r6/coco8.yaml': 'train: images\nnames:\n  0: cat\n',
      'r6/images/a.jpg': '',
      'r7/data/train-00000-of-00001.parquet': '',
      'r7/data/test-00000-of-00001.parquet': '',
      'r8.jsonl': '{"id":1,"data":{"image":"a.jpg"},"annotations":[]}\n',
      'r9.jsonl': '{"file_name":"a.jpg","label":"cat"}\n',
      'm/JPEGImages/a.jpg': '',
      'm/SegmentationClass/a.png': '',
    };
    await writeFiles(folder, others);
    // Pictures of splits and of masks are no classes, as they were taken for once.
    const seen = {
      r1: 'yolo',
      r2: 'csv',
      r3: 'voc',
      r4: 'folders',
      r5: 'csv',
      r6: 'yolo',
      r7: 'parquet',
      'r8.jsonl': 'label-studio',
      'r9.jsonl': 'hf',
      m: 'voc',
    };
    for (const [name, format] of Object.entries(seen))
      assert.equal(await guessFormat(join(folder, name)), format, name);
    for (const name of ['x.bin', 'other.json'])
      await assert.rejects(
        guessFormat(join(folder, name)),
        (error) => error instanceof LabelsmithError && error.code === 'USAGE',
      );
    await assert.rejects(
      guessFormat(join(folder, 'gone')),
      (error) => error instanceof LabelsmithError && error.code === 'NOT_FOUND',
    );
  });
});
