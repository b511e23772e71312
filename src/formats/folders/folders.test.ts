import assert from 'node:assert/strict';
import { lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  brokenFiles,
  bytesOf,
  contextFor,
  hashesBelow,
  inTemporaryFolder,
  namesIn,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import type { DatasetImage } from '../../core/dataset.ts';
import { LabelsmithError } from '../../errors.ts';
import { exportDataset } from '../../stages/export/write.ts';
import type { ExportContext } from '../format.ts';
import { parseSplit, planSplits } from '../splits.ts';

/** Images labelled one class each. */
function classed(classes: readonly string[]) {
  const { images, seeds } = twoImages();
  const named = images.map(
    (image, i): DatasetImage => ({
      ...image,
      regions: [],
      labels:
        classes[i] === undefined ? [] : [{ className: classes[i], confidence: 1, origin: 'human', task: 'class' }],
    }),
  );
  const task = { name: 'class', rule: 'single', items: 'images' } as const;
  const context = (changes: Partial<ExportContext> = {}) => contextFor(named, seeds, { task, ...changes });
  return { images: named, context };
}

describe('folders', () => {
  it('puts each image under its best class, at its path, and unlabelled ones only when asked', () =>
    inTemporaryFolder(async (folder) => {
      const { images, seeds } = twoImages();
      const without = await exportDataset(
        'folders',
        join(folder, 'a'),
        streamOf(images),
        contextFor(images, seeds, { unlabelled: false }),
      );
      assert.deepEqual(Object.keys(await hashesBelow(join(folder, 'a'))), ['dog/day 1/a.jpg']);
      assert.deepEqual(
        [without.images, without.unlabelledSkipped, without.lost],
        [1, 1, { 'other classes of an image': 1, regions: 2 }],
      );
      await exportDataset('folders', join(folder, 'b'), streamOf(images), contextFor(images, seeds));
      assert.deepEqual(Object.keys(await hashesBelow(join(folder, 'b'))).sort(), [
        '_unlabelled/b.png',
        'dog/day 1/a.jpg',
      ]);
    }));

  it('takes the best-ranked class of a single task, not the most confident', () =>
    inTemporaryFolder(async (folder) => {
      const { images, context } = classed(['cat']);
      const two = images.map((image) => ({
        ...image,
        labels: image.labels.flatMap((label) => [
          { ...label, confidence: 0.2 },
          { ...label, className: 'dog' },
        ]),
      }));
      await exportDataset(
        'folders',
        join(folder, 'o'),
        streamOf(two),
        context({ classNames: ['cat', 'dog'], unlabelled: false }),
      );
      assert.deepEqual(await namesIn(join(folder, 'o')), ['cat']);
    }));

  it('writes classes.json when a folder cannot have the class’s name, and believes it', () =>
    inTemporaryFolder(async (folder) => {
      for (const names of [
        ['a/b', 'CON'],
        ['train', 'test'],
        ['..', '_unlabelled'],
        ['Cat', 'cat'],
      ]) {
        const { images, context } = classed(names);
        const out = join(folder, names.join('-').replace('/', ''));
        await exportDataset('folders', out, streamOf(images), context());
        assert.ok((await namesIn(out)).includes('classes.json'), names.join());
        const read = await readAll('folders', out);
        assert.deepEqual(read.map((image) => image.labels[0]?.className).sort(), names.slice().sort());
        assert.ok(read.every((image) => image.split === null));
      }
      const { images, context } = classed(['cat', 'dog']);
      await exportDataset('folders', join(folder, 'plain'), streamOf(images), context());
      assert.deepEqual(await namesIn(join(folder, 'plain')), ['cat', 'dog']);
    }));

  it('writes splits above classes', () =>
    inTemporaryFolder(async (folder) => {
      const { images, context } = classed(['train', 'dog']);
      const splits = await planSplits(streamOf(images), parseSplit('a=.5,b=.5'), 1);
      await exportDataset('folders', join(folder, 'o'), streamOf(images), context({ splits }));
      const read = await readAll('folders', join(folder, 'o'));
      assert.deepEqual(read.map((image) => image.split).sort(), ['a', 'b']);
    }));

  it('reads trees of other tools: splits by name, files between them left alone', () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'x/train/cat/1.JPG': '',
        'x/valid/dog/deep/2.png': '',
        'x/valid/dog/notes.txt': '',
        'x/README.md': '',
        'y/train/1.jpg': '',
      });
      assert.deepEqual(
        (await readAll('folders', join(folder, 'x'))).map((image) => [
          image.file,
          image.split,
          image.labels[0]?.className,
        ]),
        [
          ['train/cat/1.JPG', 'train', 'cat'],
          ['valid/dog/deep/2.png', 'val', 'dog'],
        ],
      );
      assert.equal((await readAll('folders', join(folder, 'y')))[0]?.labels[0]?.className, 'train', 'a class of COCO');
    }));

  it('reads folders that are linked in a circle once', () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'tree/cat/1.jpg': '', 'tree/cat/deep/2.jpg': '', 'elsewhere/3.jpg': '' });
      await symlink('.', join(folder, 'tree/loop'));
      await symlink('../..', join(folder, 'tree/cat/up'));
      await mkdir(join(folder, 'tree/dog'));
      await symlink('../../elsewhere', join(folder, 'tree/dog/linked'));
      await symlink('../tree/dog', join(folder, 'elsewhere/back'));
      const read = await readAll('folders', join(folder, 'tree'));
      assert.deepEqual(
        read.map(({ file }) => file),
        ['cat/1.jpg', 'cat/deep/2.jpg', 'dog/linked/3.jpg'],
      );
    }));
});

brokenFiles('folders', [
  { what: 'an empty folder', path: '.', files: { 'x.jpg': '' }, message: /there are no class folders in it/ },
  {
    what: 'a broken classes.json',
    path: '.',
    files: { 'classes.json': '{', 'a/1.jpg': '' },
    message: /^classes\.json: not valid JSON/,
  },
  {
    what: 'a split that climbs out',
    path: '.',
    files: { 'classes.json': '{"folders":[],"splits":["../x"]}', 'a/1.jpg': '' },
    message: /^classes\.json splits\[0\]: this is no split name/,
  },
  {
    what: 'a class that is no text',
    path: '.',
    files: { 'classes.json': '{"folders":[{"folder":"a","class":7}]}', 'a/1.jpg': '' },
    message: /^classes\.json folders\[0\]\.class: text was expected, not 7/,
  },
]);

describe('image files', () => {
  const real = async (folder: string, changes: Partial<ExportContext>) => {
    const { images, context } = classed(['cat', 'dog']);
    for (const [i, image] of images.entries()) await writeFile(join(folder, `source${i}`), image.id);
    const sourcePathOf = async (id: string) => join(folder, `source${images.findIndex((image) => image.id === id)}`);
    return exportDataset('folders', join(folder, 'o'), streamOf(images), context({ sourcePathOf, ...changes }));
  };

  it('links hard and soft', () =>
    inTemporaryFolder(async (folder) => {
      await real(folder, { images: 'hardlink' });
      const [linked] = await readAll('folders', join(folder, 'o'));
      assert.equal((await stat(join(folder, 'o', linked?.file ?? ''))).nlink, 2);
      await real(folder, { images: 'symlink', replace: true });
      const path = join(folder, 'o', linked?.file ?? '');
      assert.ok((await lstat(path)).isSymbolicLink());
      assert.match(await readlink(path), /source0$/);
    }));

  it('refuses to link what is in an archive, and leaves nothing behind', () =>
    inTemporaryFolder(async (folder) => {
      await assert.rejects(
        real(folder, { images: 'hardlink', sourcePathOf: async () => null }),
        (error) =>
          error instanceof LabelsmithError && error.code === 'UNSUPPORTED' && error.hint === 'Use --images copy.',
      );
      assert.deepEqual(await namesIn(folder), ['source0', 'source1']);
    }));

  it('leaves out and names an image whose bytes are gone', () =>
    inTemporaryFolder(async (folder) => {
      const { images } = classed(['cat', 'dog']);
      const summary = await real(folder, {
        readImage: async (id) => {
          if (id === images[0]?.id) throw new LabelsmithError('NOT_FOUND', 'no path of it is there');
          return bytesOf('x');
        },
      });
      assert.deepEqual([summary.images, summary.failedImages], [1, 1]);
      assert.deepEqual(summary.problems, [`${images[0]?.file}: no path of it is there`]);
      assert.deepEqual(await namesIn(join(folder, 'o')), ['dog']);
      await real(folder, { images: 'symlink', replace: true, sourcePathOf: async () => join(folder, 'gone') }).then(
        (none) => assert.equal(none.failedImages, 2),
      );
    }));

  it('refuses modes that a format has no place for', () =>
    inTemporaryFolder(async (folder) => {
      const { images, context } = classed(['cat', 'dog']);
      const attempt = (format: 'folders' | 'csv', mode: 'none' | 'copy') =>
        exportDataset(format, join(folder, 'o'), streamOf(images), context({ images: mode }));
      const isUsage = (error: unknown) => error instanceof LabelsmithError && error.code === 'USAGE';
      await assert.rejects(attempt('folders', 'none'), isUsage);
      await assert.rejects(attempt('csv', 'copy'), isUsage);
    }));

  it('stops when told to, leaving OUT as it was', () =>
    inTemporaryFolder(async (folder) => {
      await assert.rejects(
        real(folder, { signal: AbortSignal.abort() }),
        (error) => error instanceof LabelsmithError && error.code === 'INTERRUPTED',
      );
      assert.deepEqual(await namesIn(folder), ['source0', 'source1']);
    }));
});

describe('crops', () => {
  it('cuts each region into the folder of its class, with an index', () =>
    inTemporaryFolder(async (folder) => {
      const { images, seeds } = twoImages();
      const margins: number[] = [];
      const summary = await exportDataset('crops', join(folder, 'o'), streamOf(images), {
        ...contextFor(images, seeds, { margin: 0.1 }),
        crop: async (_bytes, boxes, margin) => {
          margins.push(margin);
          return boxes.map((box) => Buffer.from(box.join(' ')));
        },
      });
      assert.deepEqual([summary.regions, summary.images, margins], [2, 1, [0.1]]);
      assert.equal(await readFile(join(folder, 'o/dog/day 1/a_000000000000.jpg'), 'utf8'), '10 20 110 70.5');
      assert.equal(
        await readFile(join(folder, 'o/crops.csv'), 'utf8'),
        `crop,file,class,confidence,origin,task,x1,y1,x2,y2
dog/day 1/a_000000000000.jpg,day 1/a.jpg,dog,0.9,detector,objects,10,20,110,70.5
zebra fish/day 1/a_111111111111.jpg,day 1/a.jpg,zebra fish,0.123457,detector,objects,0,0,50,50
`,
      );
    }));

  it('leaves out and names an image that cannot be decoded', () =>
    inTemporaryFolder(async (folder) => {
      const { images, seeds } = twoImages();
      const context = contextFor(images, seeds, {
        crop: async () => {
          throw new LabelsmithError('BAD_IMAGE', 'truncated');
        },
      });
      const summary = await exportDataset('crops', join(folder, 'o'), streamOf(images), context);
      assert.deepEqual([summary.images, summary.problems], [0, [`${images[0]?.file}: truncated`]]);
    }));
});

brokenFiles('crops', [
  {
    what: 'a row without a box',
    path: '.',
    files: { 'crops.csv': 'file,class,x1,y1,x2,y2\na.jpg,cat,,,,\n' },
    message: /^crops\.csv:2: a row of crops has a box/,
  },
]);
