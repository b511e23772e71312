import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  brokenFiles,
  bytesOf,
  contextFor,
  inTemporaryFolder,
  namesIn,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import { tarOf } from '../../../test/fixtures/zip-and-tar.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { Tally } from '../format.ts';
import { webdataset } from './webdataset.ts';

const noTar = spawnSync('tar', ['--version']).error === undefined ? false : 'there is no tar on this machine';

describe('webdataset', () => {
  it('tar sees samples with keys that have no dots', { skip: noTar }, async () => {
    const { images: given, seeds } = twoImages();
    const images = given.map((image) => ({ ...image, file: image.file.replace('a.jpg', 'a.b.c.JPG') }));
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('webdataset', out, streamOf(images), contextFor(images, seeds));
      assert.deepEqual(await namesIn(out), ['classes.txt', 'data-000000.tar']);
      const shard = join(out, 'data-000000.tar');
      const list = spawnSync('tar', ['tf', shard], { encoding: 'utf8' });
      assert.deepEqual(list.stdout.trim().split('\n'), [
        'day 1/a%2Eb%2Ec.jpg',
        'day 1/a%2Eb%2Ec.cls',
        'day 1/a%2Eb%2Ec.json',
        'b.png',
        'b.json',
      ]);
      const of = (member: string) => spawnSync('tar', ['xfO', shard, member]).stdout;
      assert.deepEqual(of('day 1/a%2Eb%2Ec.jpg'), bytesOf(seeds.get(images[0]?.id ?? '') as string));
      assert.equal(of('day 1/a%2Eb%2Ec.cls').toString(), '0');
      assert.equal(JSON.parse(of('b.json').toString()).file, 'b.png');
      assert.equal(await readFile(join(out, 'classes.txt'), 'utf8'), 'dog\nzebra fish\n');
    });
  });

  it('begins a new shard when one is full', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('webdataset', out, streamOf(images), contextFor(images, seeds, { shardImages: 1 }));
      assert.deepEqual(await namesIn(out), ['classes.txt', 'data-000000.tar', 'data-000001.tar']);
      const read = await readAll('webdataset', out);
      assert.deepEqual(
        read.map(({ sha256 }) => sha256),
        images.map(({ id }) => id),
      );
    });
  });

  it('a shard that cannot be written ends the export with its error, also between two images', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      // Nothing can be made where a file stands already; the second image comes when that is known.
      async function* slowly(target: string) {
        await mkdir(target, { recursive: true });
        await writeFile(join(target, 'data-000000.tar'), 'stands here already');
        for (const image of images) {
          yield { ...image, split: null };
          await setTimeout(200);
        }
      }
      const job = { ...contextFor(images, seeds), images: 'copy' as const, tally: new Tally() };
      await assert.rejects(webdataset.write(slowly(folder), folder, job), { code: 'EEXIST' });
    });
  });

  it("reads other tools' shards: cls by itself, JSON that says other things, images alone", async () => {
    const shard = await tarOf([
      { name: './n01/0001.jpg', content: Buffer.from('x') },
      { name: './n01/0001.cls', content: Buffer.from('1\n') },
      { name: '0002.png', content: Buffer.from('x') },
      { name: '0002.json', content: Buffer.from('{"caption":"a dog"}') },
      { name: '0002.txt', content: Buffer.from('a dog') },
    ]);
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 's/x-0.tar': shard, 's/classes.txt': 'cat\ndog\n', 'lone.tar': shard });
      const read = await readAll('webdataset', join(folder, 's'));
      assert.deepEqual(
        read.map(({ file, labels }) => [file, labels[0]?.className ?? null]),
        [
          ['n01/0001.jpg', 'dog'],
          ['0002.png', null],
        ],
      );
      assert.equal((await readAll('webdataset', join(folder, 'lone.tar')))[0]?.labels[0]?.className, '1');
    });
  });
});

const json = (text: string) =>
  tarOf([
    { name: 'a.jpg', content: Buffer.from('x') },
    { name: 'a.json', content: Buffer.from(text) },
  ]);

brokenFiles('webdataset', [
  {
    what: 'cut',
    files: { 'x.tar': (await json(`{"file":"a.jpg","n":"${'x'.repeat(3000)}"}`)).subarray(0, 2500) },
    path: 'x.tar',
    message: /x\.tar after a\.json: not a whole tar file/,
  },
  {
    what: 'noise',
    files: { 'x.tar': Buffer.alloc(2048, 'x') },
    path: 'x.tar',
    message: /x\.tar: not a whole tar file/,
  },
  {
    what: 'JSON that is cut',
    files: { 'x.tar': await json('{"file":"a.jp') },
    path: 'x.tar',
    message: /x\.tar a\.json: not valid JSON/,
  },
  {
    what: 'a negative size',
    files: { 'x.tar': await json('{"file":"a.jpg","regions":[{"box":[5,0,1,1]}]}') },
    path: 'x.tar',
    message: /x\.tar a\.json regions\[0\]\.box: \[.*\]$/,
  },
  {
    what: 'a wrong type',
    files: { 'x.tar': await json('{"file":"a.jpg","regions":[{"box":"x"}]}') },
    path: 'x.tar',
    message: /a\.json regions\[0\]\.box: a list was expected/,
  },
  {
    what: 'a class number too high',
    files: { 'd/x.tar': await tarOf([{ name: 'a.cls', content: Buffer.from('7') }]), 'd/classes.txt': 'a\n' },
    path: 'd',
    message: /x\.tar a\.cls: the class number "7" is unknown/,
  },
  { what: 'a folder without', files: { 'd/x.txt': '' }, path: 'd', message: /there are no tar files in it/ },
]);
