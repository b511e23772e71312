/** The programs of `examples`, checked by the compiler against the built types and run as a user runs them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../cli.ts';
import { photographs } from '../fixtures/photographs.ts';

const ROOT = resolve(import.meta.dirname, '../..');

function run(cwd: string, example: string, ...args: readonly string[]): string[] {
  const path = join(ROOT, 'examples', example);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

test('the compiler takes them, with the types as they are published', () => {
  const { status, stdout } = spawnSync('tsc', ['-p', 'examples'], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  assert.equal(status, 0, stdout);
});

test('every example is run here, and told of in their README', () => {
  const own = readFileSync(import.meta.filename, 'utf8');
  const readme = readFileSync(join(ROOT, 'examples/README.md'), 'utf8');
  const names = globSync('examples/*.ts', { cwd: ROOT }).map((path) => basename(path));
  assert.ok(names.length >= 4);
  assert.deepEqual(
    names.filter((name) => !own.includes(`'${name}'`) || !readme.includes(`](${name})`)),
    [],
  );
});

test('label-a-folder finds people and things', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'));
  const [first, ...classes] = run(dir, 'label-a-folder.ts', 'photos');
  assert.match(first ?? '', /^7 new images, 0 known already, 0 unreadable$/);
  assert.ok(classes.some((line) => /^person: [1-9]/.test(line)));
  assert.match(run(dir, 'label-a-folder.ts', 'photos')[0] ?? '', /^0 new images/);
});

test('photos-of-a-week adds what is new', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['meal_1.jpg', 'other_2.jpg']);
  await utimes(join(dir, 'photos/meal_1.jpg'), 1_000_000_000, 1_000_000_000);
  assert.deepEqual(run(dir, 'photos-of-a-week.ts', 'photos', '7'), ['1 new images of the last 7 days']);
});

test('count-labels reads whatever it is given', async (t) => {
  const dir = await scratch(t);
  await writeFile(join(dir, 'labels.csv'), 'file,class\na.jpg,cat\nb.jpg,cat\nc.jpg,dog\n');
  assert.deepEqual(run(dir, 'count-labels.ts', 'labels.csv'), ['csv: 3 images', 'cat: 2', 'dog: 1']);
});

test('nearest-neighbours finds nearly all by hashing', async (t) => {
  const [line = ''] = run(await scratch(t), 'nearest-neighbours.ts');
  const [, share] = /^found ([\d.]+) % of 100 × 10 neighbours$/.exec(line) ?? [];
  assert.ok(Number(share) > 90, line);
});

test('export-for-training splits what people labelled', async (t) => {
  const dir = await scratch(t);
  const files = ['meal_1.jpg', 'meal_2.jpg', 'other_2.jpg', 'samples.jpg'];
  await photographs(join(dir, 'photos'));
  const rows = files.map((file) => `${file},${file.startsWith('meal') ? 'meal' : 'other'}`);
  await writeFile(join(dir, 'labels.csv'), ['file,class', ...rows, 'nowhere.jpg,meal', ''].join('\n'));
  const [first, second, ...splits] = run(dir, 'export-for-training.ts', 'photos', 'labels.csv', 'out');
  assert.equal(first, '4 rows matched an image, 1 did not');
  assert.equal(second, '4 images, 3 with no label left out');
  const written = globSync('out/*/*/*.jpg', { cwd: dir }).map((path) => path.split(sep).slice(1).join('/'));
  assert.equal(written.length, 4);
  assert.ok(written.every((path) => /^(train|val|test)\/(meal\/meal_|other\/(other_2|samples))/.test(path)));
  assert.equal(splits.length, 3);
});

test('own-format takes in boxes of a file that nobody else reads', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['meal_1.jpg', 'other_2.jpg']);
  const lines = ['meal_1.jpg 10 20 60 80 soup, hot', 'other_2.jpg 5 5 50 50 street', 'gone.jpg 1 1 9 9 cat'];
  await writeFile(join(dir, 'boxes.txt'), `${lines.join('\n')}\n`);
  assert.deepEqual(run(dir, 'own-format.ts', 'photos', 'boxes.txt'), ['2 boxes, 1 of images that are not there']);
});
