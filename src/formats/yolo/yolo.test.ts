import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import {
  brokenFiles,
  contextFor,
  hashesBelow,
  inTemporaryFolder,
  namesIn,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import fc from '../../../test/properties.ts';
import type { Box } from '../../core/boxes.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { parseSplit, planSplits } from '../splits.ts';
import { yoloBox } from './rows.ts';
import { yamlText } from './yolo.ts';

describe('yolo', () => {
  it('writes labels beside images, and no label file for an image without objects', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('yolo', out, streamOf(images), contextFor(images, seeds));
      assert.deepEqual(Object.keys(await hashesBelow(out)).sort(), [
        'data.yaml',
        'images/b.png',
        'images/day 1/a.jpg',
        'labels/day 1/a.txt',
      ]);
      // (10 + 110) / 2 / 200, (20 + 70.5) / 2 / 100, 100 / 200, 50.5 / 100; (0 + 50) / 2 / 200, …
      assert.equal(
        await readFile(join(out, 'labels/day 1/a.txt'), 'utf8'),
        '0 0.300000 0.452500 0.500000 0.505000\n1 0.125000 0.250000 0.250000 0.500000\n',
      );
      assert.equal(
        await readFile(join(out, 'data.yaml'), 'utf8'),
        'train: images\nval: images\nnc: 2\nnames:\n  0: dog\n  1: zebra fish\n',
      );
    });
  });

  it('puts splits into folders, and lists names where there are no image files', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const splits = await planSplits(streamOf(images), parseSplit('train=.5,val=.5'), 1);
      await exportDataset('yolo', join(folder, 'a'), streamOf(images), contextFor(images, seeds, { splits }));
      const yaml = parse(await readFile(join(folder, 'a', 'data.yaml'), 'utf8'));
      assert.deepEqual([yaml.train, yaml.val], ['images/train', 'images/val']);
      assert.deepEqual(await namesIn(join(folder, 'a', 'images')), ['train', 'val']);

      await exportDataset('yolo', join(folder, 'b'), streamOf(images), contextFor(images, seeds, { images: 'none' }));
      assert.deepEqual(await namesIn(join(folder, 'b')), ['all.txt', 'data.yaml', 'labels']);
      const listed = (await readFile(join(folder, 'b', 'all.txt'), 'utf8')).trim().split('\n').sort();
      assert.deepEqual(listed, ['./images/b.png', './images/day 1/a.jpg']);
      const read = await readAll('yolo', join(folder, 'b'));
      assert.deepEqual(read.map(({ file, regions }) => [file, regions.length]).sort(), [
        ['images/b.png', 0],
        ['images/day 1/a.jpg', 2],
      ]);
    });
  });

  it('renames folders called images and images that differ in their extension only', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const files = ['images/x.jpg', 'images/x.png'];
      const renamed = images.map((image, i) => ({ ...image, file: files[i] }));
      const summary = await exportDataset('yolo', join(folder, 'o'), streamOf(renamed), contextFor(renamed, seeds));
      assert.equal(summary.renamed, 2);
      assert.deepEqual(await namesIn(join(folder, 'o/images/images_')), [
        'x.jpg',
        `x~${renamed[1]?.id.slice(0, 8)}.png`,
      ]);
    });
  });

  it('has centre, size and corners within 0 to 1 after rounding, and the box within a millionth or so', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100_000 }));
    const fraction = fc.oneof(fc.constantFrom(0, 1, 1 / 3, 0.5), fc.double({ min: -0.5, max: 1.5, noNaN: true }));
    fc.assert(
      fc.property(size, size, fc.tuple(fraction, fraction, fraction, fraction), (width, height, [a, b, c, d]) => {
        const box: Box = [
          Math.min(a, c) * width,
          Math.min(b, d) * height,
          Math.max(a, c) * width,
          Math.max(b, d) * height,
        ];
        const found = yoloBox(box, width, height);
        if (found === null) {
          const wide = Math.min(box[2], width) - Math.max(box[0], 0);
          const high = Math.min(box[3], height) - Math.max(box[1], 0);
          assert.ok(wide <= 0 || high <= 0);
          return;
        }
        const [cx, cy, w, h] = found;
        for (const value of found) assert.ok(Number.isInteger(value) && value >= 0 && value <= 1e6, String(found));
        for (const [centre, length, from, to] of [
          [cx, w, box[0] / width, box[2] / width],
          [cy, h, box[1] / height, box[3] / height],
        ] as const) {
          assert.ok(length >= 2 && centre - length / 2 >= 0 && centre + length / 2 <= 1e6);
          assert.ok(Math.abs((centre - length / 2) / 1e6 - Math.max(from, 0)) <= 2.5e-6);
          assert.ok(Math.abs((centre + length / 2) / 1e6 - Math.min(to, 1)) <= 2.5e-6);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('writes any class name as YAML that reads as that name', () => {
    const words = fc.constantFrom(
      'yes',
      'NO',
      'null',
      '~',
      '1',
      '1.5e3',
      '- a',
      'a: b',
      '#',
      "'",
      '"',
      '',
      ' a',
      '*a',
      '&a',
      '!x',
      '0x1',
      'a #b',
    );
    fc.assert(
      fc.property(fc.oneof(words, fc.string({ unit: 'grapheme' })), (name) => {
        for (const version of ['1.1', '1.2'] as const)
          assert.deepEqual(parse(`names:\n  0: ${yamlText(name)}\n`, { version }), { names: { 0: name } });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('yolo of other tools', () => {
  const row = '0 0.5 0.5 0.2 0.4\n';
  it('reads train, valid and test folders beside data.yaml, as Roboflow exports them', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'data.yaml':
          "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['no', '01']\nroboflow:\n  version: 1\n",
        'train/images/a.jpg': '',
        'train/labels/a.txt': '1 0.5 0.5 0.2 0.4\r\n',
        'valid/images/b.jpg': '',
      });
      const read = await readAll('yolo', folder);
      assert.deepEqual(
        read.map(({ file, split, regions }) => [file, split, regions.map((region) => region.labels[0]?.className)]),
        [
          ['train/images/a.jpg', 'train', ['01']],
          ['valid/images/b.jpg', 'val', []],
        ],
      );
    });
  });

  it('reads images and labels in one folder with classes.txt, and labels without images', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'one/classes.txt': 'cat\n', 'one/a.jpg': '', 'one/a.txt': row, 'one/notes.txt': 'x' });
      await writeFiles(folder, { 'two/labels/classes.txt': 'cat\n', 'two/labels/sub/a.txt': row });
      assert.deepEqual(
        (await readAll('yolo', join(folder, 'one'))).map(({ file, regions }) => [file, regions.length]),
        [['a.jpg', 1]],
      );
      assert.deepEqual(
        (await readAll('yolo', join(folder, 'two'))).map(({ file, regions }) => [file, regions.length]),
        [['images/sub/a', 1]],
      );
    });
  });

  it('reads confidences, polygons and keypoints', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'data.yaml': 'names: {0: person}\ntrain: images\nkpt_shape: [2, 3]\n',
        'images/a.jpg': '',
        'labels/a.txt': '0 .5 .5 .2 .4 .75\n0 .5 .5 .2 .4 .1 .2 2 0 0 0\n',
        'outlines/data.yaml': 'names: {0: person}\ntrain: images\n',
        'outlines/images/a.jpg': '',
        'outlines/labels/a.txt': '0 .1 .2 .3 .2 .3 .6\n',
      });
      const [outline] = (await readAll('yolo', join(folder, 'outlines')))[0]?.regions ?? [];
      assert.deepEqual(outline?.polygons, [[0.1, 0.2, 0.3, 0.2, 0.3, 0.6]]);
      assert.deepEqual(outline?.box, [0.1, 0.2, 0.3, 0.6]);
      const regions = (await readAll('yolo', folder))[0]?.regions;
      assert.equal(regions?.[0]?.labels[0]?.confidence, 0.75);
      assert.deepEqual(regions?.[1]?.keypoints, [
        [0.1, 0.2, 2],
        [0, 0, 0],
      ]);
    });
  });

  it('fails where nothing names the classes', async () => {
    await inTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'labels'));
      await writeFile(join(folder, 'labels', 'a.txt'), row);
      await assert.rejects(readAll('yolo', folder), /nothing says which class each number stands for/);
    });
  });
});

const labelled = (text: string, yaml = 'names: [a, b]\ntrain: images\n') => ({
  'data.yaml': yaml,
  'images/x/1.jpg': '',
  'labels/x/1.txt': text,
});
const good = '0 .5 .5 .1 .1\n';
brokenFiles('yolo', [
  {
    what: 'an unknown class',
    path: '.',
    files: labelled(`${good}7 .5 .5 .1 .1\n`),
    message: /^labels\/x\/1\.txt:2: the class number 7 is unknown; data\.yaml has 0 to 1/,
  },
  {
    what: 'half a class',
    path: '.',
    files: labelled('0.5 .5 .5 .1 .1'),
    message: /1\.txt:1: "0\.5" is no class number/,
  },
  {
    what: 'a negative class',
    path: '.',
    files: labelled('-1 .5 .5 .1 .1'),
    message: /1\.txt:1: "-1" is no class number/,
  },
  {
    what: 'a cut row',
    path: '.',
    files: labelled(`${good}\n0 .5 .5 .1`),
    message: /1\.txt:3: 5 columns were expected .* not 4/,
  },
  {
    what: 'a keypoint short of a number',
    path: '.',
    files: labelled('0 .5 .5 .2 .4 .1 .2 2 0 0\n', 'names: [a, b]\ntrain: images\nkpt_shape: [2, 3]\n'),
    message:
      /1\.txt:1: 11 columns were expected \(class, box and 2 keypoints of 3 numbers, as kpt_shape says\), not 10/,
  },
  {
    what: 'NaN',
    path: '.',
    files: labelled('0 .5 nan .1 .1'),
    message: /1\.txt:1: a finite number was expected, not "nan"/,
  },
  {
    what: 'a negative size',
    path: '.',
    files: labelled('0 .5 .5 -.0001 .1'),
    message: /1\.txt:1: \[0\.50005,0\.45,0\.49995,0\.55\]$/,
  },
  {
    what: 'pixels',
    path: '.',
    files: labelled('0 120 80 40 30'),
    message: /1\.txt:1: 120 is not a fraction of the image/,
  },
  {
    what: 'bytes',
    path: '.',
    files: { ...labelled(''), 'labels/x/1.txt': Buffer.from([0x30, 0, 0xff, 0]) },
    message: /1\.txt: this is no text file: it holds zero bytes/,
  },
  {
    what: 'a confidence over 1',
    path: '.',
    files: labelled('0 .5 .5 .1 .1 1.5'),
    message: /1\.txt:1: 1\.5$/,
  },
  {
    what: 'broken YAML',
    path: '.',
    files: labelled(good, 'names: [a\ntrain: images\n'),
    message: /^data\.yaml:\d+: not valid YAML/,
  },
  { what: 'YAML that is a list', path: '.', files: labelled(good, '- a\n'), message: /^data\.yaml: keys and values/ },
  {
    what: 'names that are none',
    path: '.',
    files: labelled(good, 'names: 7\n'),
    message: /^data\.yaml names: a list of names/,
  },
  {
    what: 'a class number that is none',
    path: '.',
    files: labelled(good, 'names: {x: a}\n'),
    message: /^data\.yaml names: "x" is no class number/,
  },
  {
    what: 'a set that is not there',
    path: '.',
    files: labelled(good, 'names: [a]\ntrain: gone\n'),
    message: /^data\.yaml train: there is no "gone"/,
  },
  {
    what: 'a list of something else',
    path: '.',
    files: { ...labelled(good, 'names: [a]\ntrain: t.txt\n'), 't.txt': './images/x/1.jpg\nhello\n' },
    message: /^t\.txt:2: the path of an image/,
  },
  {
    what: 'an empty name',
    path: '.',
    files: { 'classes.txt': 'a\n\nb\n', 'labels/1.txt': good },
    message: /^classes\.txt:2: the class name is empty/,
  },
]);
