import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { inTemporaryFolder, readAll, toldOf, writeFiles } from '../../test/contracts/format.ts';
import { LabelsmithError } from '../errors.ts';
import { Reckoning } from './reckoning.ts';
import { recogniseFormat } from './recognise.ts';

const isBadFile = (error: unknown) => error instanceof LabelsmithError && error.code === 'BAD_FILE';

it('waits at no pipe, whatever it is called', async () => {
  await inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { 'l/a.jpg': '', 't/a.jpg': '' });
    await mkdir(join(folder, 'k'));
    for (const name of ['c.json', 'l/a.json', 'k/a.json', 't/a.csv']) execFileSync('mkfifo', [join(folder, name)]);
    for (const name of ['c.json', 'l', 't'])
      await assert.rejects(recogniseFormat(join(folder, name)), (error) => error instanceof LabelsmithError, name);
    await assert.rejects(recogniseFormat(join(folder, 'c.json')), /c\.json: this is a pipe and no file/);
    for (const name of ['l', 'k']) {
      const images = await readAll('labelme', join(folder, name)).catch((error) => assert.ok(isBadFile(error)));
      assert.deepEqual(images ?? [], []);
    }
    await assert.rejects(readAll('csv', join(folder, 't')), isBadFile);
  });
});

it('takes a picture whose label file cannot be read for no background', async () => {
  await inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { 'classes.txt': 'cat\n', 'images/a.jpg': '', 'images/b.jpg': '', 'labels/b.txt': '' });
    await symlink('gone.txt', join(folder, 'labels/a.txt'));
    const reckoning = new Reckoning();
    const images = await readAll('yolo', folder, { reckoning });
    assert.deepEqual(
      images.map(({ file }) => file),
      ['images/b.jpg'],
    );
    assert.deepEqual(toldOf(reckoning), ['file-unreadable: labels/a.txt: no file, or a link to none']);
  });
});

it('refuses XML that is nested deeper than any tool writes', async () => {
  await inTemporaryFolder(async (folder) => {
    const deep = `<annotation>${'<a>'.repeat(1e5)}${'</a>'.repeat(1e5)}</annotation>`;
    await writeFiles(folder, { 'a.xml': deep });
    await assert.rejects(readAll('voc', join(folder, 'a.xml')), isBadFile);
  });
});

it('takes a name that no file can have for none, and a line that no image has for damage', async () => {
  await inTemporaryFolder(async (folder) => {
    const long = 'a'.repeat(20_000);
    await writeFiles(folder, {
      'a.jsonl': `{"file":"${long}"}\n{"file":"b.jpg"}\n`,
      'a.csv': `file,class\n${long}.jpg,cat\nb.jpg,cat\n`,
      'long.jsonl': Buffer.alloc(2 ** 26 + 2 ** 19, 'a'),
    });
    for (const format of ['jsonl', 'csv'] as const) {
      const reckoning = new Reckoning();
      const images = await readAll(format, join(folder, `a.${format}`), { reckoning });
      assert.deepEqual(
        images.map(({ file }) => file),
        ['b.jpg'],
      );
      assert.match(toldOf(reckoning).join(), /image-unreadable: .*a name of 2000\d characters is none of a file/);
    }
    await assert.rejects(readAll('jsonl', join(folder, 'long.jsonl')), /long\.jsonl:1: the line is too long/);
  });
});

it('takes an empty picture of a mask for damage of that one', async () => {
  await inTemporaryFolder(async (folder) => {
    const shape = (mask: string) => ({
      label: 'cat',
      shape_type: 'mask',
      mask,
      points: [
        [1, 2],
        [4, 6],
      ],
    });
    const picture = { imagePath: 'a.jpg', imageWidth: 16, imageHeight: 12, shapes: [shape(''), shape('====')] };
    await writeFiles(folder, { 'l/a.json': JSON.stringify(picture), 'm/masks/a.png': '', 'm/classes.txt': 'cat\n' });
    for (const [format, told] of [
      ['labelme', 'object-unreadable'],
      ['voc', 'file-unreadable'],
    ] as const) {
      const reckoning = new Reckoning();
      const images = await readAll(format, join(folder, format === 'voc' ? 'm' : 'l'), { reckoning });
      assert.deepEqual(
        images.flatMap(({ regions }) => regions),
        [],
      );
      assert.match(toldOf(reckoning).join('\n'), new RegExp(`${told}: .*the picture is empty`));
    }
  });
});
