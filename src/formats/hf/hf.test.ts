import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  brokenFiles,
  contextFor,
  inTemporaryFolder,
  namesIn,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { parseSplit, planSplits } from '../splits.ts';

describe('hf', () => {
  it('writes rows of one shape, images beside them, and a card that names the splits', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      const splits = await planSplits(streamOf(images), parseSplit('train=.5,test=.5'), 1);
      await exportDataset('hf', out, streamOf(images), contextFor(images, seeds, { splits }));
      assert.deepEqual(await namesIn(out), ['README.md', 'test', 'train']);
      assert.match(
        await readFile(join(out, 'README.md'), 'utf8'),
        /^---\nconfigs:\n {2}- config_name: default\n {4}data_files:\n {6}- split: train\n {8}path: "train\/\*\*"/,
      );
      const rows = await Promise.all(
        ['train', 'test'].map(async (split) => JSON.parse(await readFile(join(out, split, 'metadata.jsonl'), 'utf8'))),
      );
      const full = rows.find((row) => row.width === 200);
      const empty = rows.find((row) => row.width === 30);
      assert.equal(full.file_name, 'images/day 1/a.jpg');
      assert.deepEqual(full.objects, {
        bbox: [
          [10, 20, 100, 50.5],
          [0, 0, 50, 50],
        ],
        categories: ['dog', 'zebra fish'],
        scores: [0.9, 0.123457],
      });
      assert.deepEqual(Object.keys(full), Object.keys(empty));
      assert.deepEqual(empty.objects, { bbox: [], categories: [], scores: [] });
    });
  });

  it("reads the example of Hugging Face's and AutoTrain's object detection", async () => {
    // huggingface.co/docs/datasets/image_load has `categories`, AutoTrain's guide `category`; these are its rows.
    const text = `{"file_name": "0001.png", "objects": {"bbox": [[302.0, 109.0, 73.0, 52.0]], "categories": [0]}}
{"file_name": "0003.png", "objects": {"bbox": [[160.0, 31.0, 248.0, 616.0], [741.0, 68.0, 202.0, 401.0]], "category": [2, 2]}}
`;
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'train/metadata.jsonl': text });
      const [first, second] = await readAll('hf', folder);
      assert.deepEqual([first?.file, first?.split], ['train/0001.png', 'train']);
      assert.deepEqual(first?.regions[0]?.box, [302, 109, 375, 161]);
      assert.equal(first?.regions[0]?.labels[0]?.className, '0');
      assert.equal(second?.regions.length, 2);
    });
  });
});

const path = 'metadata.jsonl';
const row = (objects: string) => ({ [path]: `{"file_name":"ok.jpg"}\n{"file_name":"a.jpg","objects":${objects}}\n` });

brokenFiles('hf', [
  {
    what: 'cut',
    files: { [path]: '{"file_name":"a.jpg"}\n{"file_n' },
    path,
    message: /metadata\.jsonl:2: not valid JSON/,
  },
  { what: 'NaN', files: row('{"bbox":[[NaN,0,1,1]],"categories":["a"]}'), path, message: /jsonl:2: not valid JSON/ },
  {
    what: 'a wrong type',
    files: row('{"bbox":[["1",0,1,1]],"categories":["a"]}'),
    path,
    message: /jsonl:2 objects\.bbox\[0\]\[0\]: a finite number/,
  },
  {
    what: 'a negative size',
    files: row('{"bbox":[[1,0,-1,1]],"categories":["a"]}'),
    path,
    message: /jsonl:2 objects\.bbox\[0\]: \[.*\]$/,
  },
  {
    what: 'categories missing',
    files: row('{"bbox":[[1,0,1,1]],"categories":[]}'),
    path,
    message: /objects\.categories: 1 categories were expected, not 0/,
  },
  { what: 'no name', files: { [path]: '{}\n' }, path, message: /jsonl:1 file_name: text was expected/ },
  {
    what: 'a folder without',
    files: { 'a/b.txt': '' },
    path: '.',
    message: /there is no metadata\.jsonl, metadata\.csv or metadata\.parquet in it/,
  },
]);
