import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
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
import fc from '../../../test/properties.ts';
import { LabelsmithError } from '../../errors.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { decodeCounts, polygonArea } from '../rle.ts';
import { parseSplit, planSplits } from '../splits.ts';
import { categoryIds } from './coco.ts';

const dataDir = process.env.LABELSMITH_BENCH_DATA ?? join(import.meta.dirname, '../../../../shared/data');
const instances = join(dataDir, 'coco-train128', 'instances.json');

describe('coco', () => {
  it('writes what the format says, byte for byte', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('coco', out, streamOf(images), contextFor(images, seeds));
      assert.deepEqual(await namesIn(out), ['annotations.json']);
      assert.equal(
        await readFile(join(out, 'annotations.json'), 'utf8'),
        `{"info":{"description":"Labelsmith export","version":"0.0.0-test"},
"licenses":[],
"images":[
{"id":1,"file_name":"${images[0]?.file}","width":200,"height":100},
{"id":2,"file_name":"b.png","width":30,"height":40}
],
"annotations":[
{"id":1,"image_id":1,"category_id":18,"bbox":[10,20,100,50.5],"area":5050,"iscrowd":0,"segmentation":[],"score":0.9},
{"id":2,"image_id":1,"category_id":91,"bbox":[0,0,50,50],"area":1250,"iscrowd":0,"segmentation":[[0,0,50,0,50,50]],"score":0.123457}
],
"categories":[
{"id":18,"name":"dog","supercategory":""},
{"id":91,"name":"zebra fish","supercategory":""}
]}
`,
      );
    });
  });

  it('writes a file a split, each image in one, ids from 1, and images beside them', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      const splits = await planSplits(streamOf(images), parseSplit('train=.5,val=.5'), 1);
      const summary = await exportDataset(
        'coco',
        out,
        streamOf(images),
        contextFor(images, seeds, { splits, images: 'copy' }),
      );
      assert.deepEqual(await namesIn(out), ['images', 'train.json', 'val.json']);
      assert.deepEqual(summary.splits, { train: 1, val: 1 });
      for (const split of ['train', 'val']) {
        const file = JSON.parse(await readFile(join(out, `${split}.json`), 'utf8'));
        assert.deepEqual(
          file.images.map((image: { id: number }) => image.id),
          [1],
        );
        assert.ok(existsSync(join(out, 'images', file.images[0].file_name)));
      }
    });
  });

  it('reads the area that a file says, which need not be that of its polygons', async () => {
    const text = `{"images":[{"id":1,"file_name":"a.jpg"}],"categories":[{"id":1,"name":"x"}],"annotations":[
{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,10,10],"area":702.1057499999998,"segmentation":[[0,0,10,0,10,10]]},
{"id":2,"image_id":1,"category_id":1,"bbox":[0,0,10,10]}]}`;
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'x.json'), text);
      const [image] = await readAll('coco', join(folder, 'x.json'));
      assert.deepEqual(
        image?.regions.map(({ area }) => area),
        [702.1057499999998, undefined],
      );
    });
  });

  it('keeps official category ids and counts on after 90; without any of COCO, from 1', () => {
    assert.deepEqual(
      [...categoryIds(['aardvark', 'person', 'toothbrush', 'zzz'])],
      [
        ['person', 1],
        ['toothbrush', 90],
        ['aardvark', 91],
        ['zzz', 92],
      ],
    );
    assert.deepEqual(
      [...categoryIds(['capacitor', 'diode'])],
      [
        ['capacitor', 1],
        ['diode', 2],
      ],
    );
  });

  it('refuses a task on whole images, which it cannot hold', async () => {
    const { images, seeds } = twoImages();
    const context = contextFor(images, seeds, { task: { name: 'class', rule: 'single', items: 'images' } });
    await assert.rejects(
      exportDataset('coco', '/nowhere/out', streamOf(images), context),
      (error) => error instanceof LabelsmithError && error.code === 'USAGE' && /whole images/.test(error.message),
    );
  });

  it('reads keys in any order, annotations before images and compressed masks', async () => {
    await inTemporaryFolder(async (folder) => {
      // The counts are pycococreator's published example, 9×10 pixels: 61X13mN000`0 is 6,1,40,4,5,4,5,4,21.
      const text = `\uFEFF{"annotations":[{"segmentation":{"size":[9,10],"counts":"61X13mN000\`0"},"bbox":[0,2,8,5],
        "category_id":3,"image_id":"x","id":9,"iscrowd":1}], "extra": {"a": "]}"},
        "categories":[{"name":"car","id":3}],"images":[{"file_name":"a/b.jpg","id":"x"},{"id":7,"file_name":"c.jpg"}]}`;
      await writeFile(join(folder, 'x.json'), text);
      const images = await readAll('coco', join(folder, 'x.json'));
      assert.deepEqual(
        images.map(({ file, regions, where }) => [file, regions.length, where]),
        [
          ['a/b.jpg', 1, 'x.json images[0]'],
          ['c.jpg', 0, 'x.json images[1]'],
        ],
      );
      const region = images[0]?.regions[0];
      assert.deepEqual(region?.mask, { size: [9, 10], counts: [6, 1, 40, 4, 5, 4, 5, 4, 21] });
      assert.deepEqual([region?.box, region?.crowd, region?.labels[0]?.className], [[0, 2, 8, 7], true, 'car']);
    });
  });

  it('takes the extent of the polygons where there is no bbox', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'x.json': `{"images":[{"id":1,"file_name":"a.jpg"}],"categories":[{"id":1,"name":"a"}],
          "annotations":[{"id":1,"image_id":1,"category_id":1,"segmentation":[[3,4,10,4,10,9],[1,5,2,5,2,6,1,6]]}]}`,
      });
      assert.deepEqual((await readAll('coco', join(folder, 'x.json')))[0]?.regions[0]?.box, [1, 4, 10, 9]);
    });
  });

  it('reads the benchmark set as JSON.parse does', {
    skip: existsSync(instances) ? false : `${instances} is not there`,
  }, async () => {
    const whole = JSON.parse(readFileSync(instances, 'utf8'));
    const images = await readAll('coco', instances);
    assert.equal(images.length, 128);
    assert.equal(images.flatMap((image) => image.regions).length, 929);
    const names = new Map(whole.categories.map((row: { id: number; name: string }) => [row.id, row.name]));
    const want = whole.annotations.map((row: { image_id: number; category_id: number; bbox: number[] }) => {
      const [x, y, w, h] = row.bbox as [number, number, number, number];
      const file = whole.images.find((image: { id: number }) => image.id === row.image_id).file_name;
      return JSON.stringify([file, names.get(row.category_id), x, y, x + w, y + h]);
    });
    const got = images.flatMap((image) =>
      image.regions.map((region) => JSON.stringify([image.file, region.labels[0]?.className, ...region.box])),
    );
    assert.deepEqual(got.sort(), want.sort());
  });

  it('says that a file is cut, wherever it is cut', async () => {
    const whole = `{"images":[{"id":1,"file_name":"ä\\"].jpg","width":5,"height":5}],"annotations":[{"id":1,"image_id":1,
      "category_id":1,"bbox":[1,2,3,4]}],"categories":[{"id":1,"name":"a"}]}`;
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'x.json');
      const bytes = Buffer.from(whole);
      for (let length = 0; length < bytes.length; length++) {
        await writeFile(path, bytes.subarray(0, length));
        await assert.rejects(
          readAll('coco', path),
          (error) => error instanceof LabelsmithError && /^x\.json.*(the file ends early|is empty)/.test(error.message),
          `cut after ${length} bytes`,
        );
      }
    });
  });
});

const coco = (images: string, annotations: string, categories: string) => ({
  'x.json': `{"images":[${images}],"annotations":[${annotations}],"categories":[${categories}]}`,
});
const image = '{"id":1,"file_name":"a.jpg","width":5,"height":5}';
const category = '{"id":1,"name":"a"}';
const annotation = (bbox: string, rest = '') => `{"id":1,"image_id":1,"category_id":1,"bbox":${bbox}${rest}}`;
const annotated = (bbox: string, rest?: string) => coco(image, annotation(bbox, rest), category);

brokenFiles('coco', [
  {
    what: 'a negative area',
    path: 'x.json',
    files: annotated('[1,2,3,4]', ',"area":-1'),
    message: /annotations\[0\]\.area: -1$/,
  },
  {
    what: 'a list at the top',
    path: 'x.json',
    files: { 'x.json': '[1]' },
    message: /^x\.json \[0\]: an object was expected, not 1/,
  },
  {
    what: 'text',
    path: 'x.json',
    files: { 'x.json': 'file,class\n' },
    message: /^x\.json: this is not JSON/,
  },
  {
    what: 'no annotations',
    path: 'x.json',
    files: { 'x.json': `{"images":[${image}]}` },
    message: /the list annotations is missing/,
  },
  {
    what: 'UTF-16 that ends in the middle of a character',
    path: 'x.json',
    files: { 'x.json': Buffer.from('\ufeff{ ', 'utf16le').subarray(0, 5) },
    message: /^x\.json: the text is not whole UTF-16/,
  },
  {
    what: 'Latin-1',
    path: 'x.json',
    files: { 'x.json': Buffer.from('{"annotations":[],"images":[{"file_name":"\xe4.jpg"}]}', 'latin1') },
    message: /images\[0\].*not UTF-8/,
  },
  {
    what: 'NaN',
    path: 'x.json',
    files: annotated('[1,2,NaN,4]'),
    message: /annotations\[0\]\.bbox\[2\]: a finite number was expected, not null/,
  },
  {
    what: 'infinity',
    path: 'x.json',
    files: annotated('[1,2,1e999,4]'),
    message: /annotations\[0\]\.bbox\[2\]: a finite number was expected, not Infinity/,
  },
  {
    what: 'a negative size',
    path: 'x.json',
    files: annotated('[1,2,-3,4]'),
    message: /annotations\[0\]\.bbox: \[1,2,-2,6\]$/,
  },
  {
    what: 'three numbers',
    path: 'x.json',
    files: annotated('[1,2,3]'),
    message: /annotations\[0\]\.bbox: \[x, y, width, height\] was expected/,
  },
  {
    what: 'no bbox',
    path: 'x.json',
    files: annotated('null'),
    message: /annotations\[0\]\.bbox: there is no box, and no shape to take it from/,
  },
  {
    what: 'a score over 1',
    path: 'x.json',
    files: annotated('[1,2,3,4]', ',"score":7'),
    message: /annotations\[0\]\.score: 7$/,
  },
  {
    what: 'runs that do not fill the mask',
    path: 'x.json',
    files: annotated('[1,2,3,4]', ',"segmentation":{"size":[2,2],"counts":[1,2]}'),
    message: /segmentation\.counts: the runs add up to 3 pixels, and the mask is 2×2/,
  },
  {
    what: 'an odd polygon',
    path: 'x.json',
    files: annotated('[1,2,3,4]', ',"segmentation":[[1,2,3,4,5]]'),
    message: /segmentation\[0\]: x, y pairs/,
  },
  {
    what: 'keypoints not in threes',
    path: 'x.json',
    files: annotated('[1,2,3,4]', ',"keypoints":[1,2]'),
    message: /keypoints: triples/,
  },
  {
    what: 'an unknown category',
    path: 'x.json',
    files: coco(image, '{"image_id":1,"category_id":5,"bbox":[1,2,3,4]}', category),
    message: /annotations\[0\]\.category_id: no category has the id 5/,
  },
  {
    what: 'an unknown image',
    path: 'x.json',
    files: coco(image, '{"image_id":"7","category_id":1,"bbox":[1,2,3,4]}', category),
    message: /annotations\[0\]\.image_id: no image has the id "7"/,
  },
  {
    what: 'an image id twice',
    path: 'x.json',
    files: coco(`${image},${image}`, '', category),
    message: /images\[1\]\.id: the image id 1 comes twice/,
  },
  {
    what: 'an image without a name',
    path: 'x.json',
    files: coco('{"id":1}', '', category),
    message: /images\[0\]\.file_name: text was expected, not nothing/,
  },
  {
    what: 'a negative size of the image',
    path: 'x.json',
    files: coco('{"id":1,"file_name":"a.jpg","width":-5}', '', category),
    message: /images\[0\]\.width: -5$/,
  },
  {
    what: 'an annotation that is none',
    path: 'x.json',
    files: coco(image, '7', category),
    message: /annotations\[0\]: an object was expected, not 7/,
  },
  {
    what: 'annotations that are no list',
    path: 'x.json',
    files: { 'x.json': '{"images":[],"annotations":{},"categories":[]}' },
    message: /annotations: a list was expected/,
  },
  {
    what: 'a class with no name',
    path: 'x.json',
    files: coco(image, '', '{"id":1,"name":" "}'),
    message: /categories\[0\]\.name: the class name is empty/,
  },
  {
    what: 'something after the end',
    path: 'x.json',
    files: { 'x.json': '{"images":[],"annotations":[]} x' },
    message: /something after the end/,
  },
  {
    what: 'a missing comma',
    path: 'x.json',
    files: { 'x.json': '{"images":[] "annotations":[]}' },
    message: /a comma or } was expected/,
  },
  { what: 'a folder without JSON', path: '.', files: { 'x.txt': '' }, message: /there is no COCO file in this folder/ },
]);

describe('run lengths and areas', () => {
  it('refuses damaged compressed counts', () => {
    assert.equal(decodeCounts('61X1 '), null);
    assert.equal(decodeCounts('6oooooooooo'), null);
    assert.deepEqual(decodeCounts(''), []);
  });

  it('has the area of a rectangle whichever way round and wherever it starts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 1, max: 99 }),
        fc.nat(3),
        fc.boolean(),
        (w, h, start, turn) => {
          const corners = [
            [0, 0],
            [w, 0],
            [w, h],
            [0, h],
          ];
          const order = turn ? corners.toReversed() : corners;
          const polygon = [...order.slice(start), ...order.slice(0, start)].flat();
          assert.equal(polygonArea(polygon), w * h);
        },
      ),
    );
  });
});
