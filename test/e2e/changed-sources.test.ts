/** Sources that changed, vanished or hold nothing since they were added: nothing is lost, and it is said what to do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { photographs } from '../fixtures/photographs.ts';
import { statusIn } from '../workspace.ts';

test('files that change or vanish between add and detect', async (t) => {
  const dir = await scratch(t);
  const files = join(dir, 'files');
  await photographs(files, ['meal_1.jpg', 'meal_2.jpg', 'other_1.jpg', 'other_2.jpg']);
  await runJson(['add', 'files'], { cwd: dir });
  await rename(join(files, 'meal_1.jpg'), join(dir, 'elsewhere.jpg'));
  await writeFile(join(files, 'meal_2.jpg'), await jpegScene(320, 240, 1));
  await writeFile(join(files, 'other_1.jpg'), '');

  const first = await runJson(['detect'], { cwd: dir });
  assert.deepEqual([first.detected, first.quarantined, first.away], [1, 3, 1]);
  const reasons = Object.fromEntries(
    (await statusIn(dir)).quarantine.map(({ path, reason }) => [path.slice(files.length + 1), reason]),
  );
  assert.deepEqual(reasons, { 'meal_1.jpg': 'missing', 'meal_2.jpg': 'changed', 'other_1.jpg': 'changed' });

  const exported = await runJson(['export', 'coco', 'out', '--images', 'copy'], { cwd: dir });
  assert.deepEqual([exported.images, exported.notLookedAt], [1, 3], 'what no detector saw is no background');
  const all = ['export', 'coco', 'all', '--images', 'copy', '--background', 'all'];
  const { images: written, failedImages } = await runJson(all, { cwd: dir });
  assert.deepEqual([written, failedImages], [1, 3], 'an export names no file that is not there');

  await t.test('a file that comes back just as it was is detected in, and leaves the quarantine', async () => {
    await rename(join(dir, 'elsewhere.jpg'), join(files, 'meal_1.jpg'));
    const { detected } = await runJson(['detect'], { cwd: dir });
    assert.equal(detected, 1);
    assert.ok((await statusIn(dir)).quarantine.every(({ path }) => !path.endsWith('meal_1.jpg')));
  });

  await t.test('add --sync takes in the change; what is gone no longer counts', async () => {
    const synced = await runJson(['add', 'files', '--sync'], { cwd: dir });
    assert.deepEqual([synced.images, synced.quarantined], [1, 1]);
    await runJson(['detect'], { cwd: dir });
    const { images, quarantine } = await statusIn(dir);
    assert.equal(images, 3, 'the two whose files hold something else now no longer count');
    assert.deepEqual(
      quarantine.map(({ path, reason }) => [path.slice(files.length + 1), reason]),
      [['other_1.jpg', 'empty']],
    );
  });

  await t.test('new bytes of the same length and time are noticed by their hash when they are used', async () => {
    const path = join(files, 'other_2.jpg');
    const bytes = readFileSync(path);
    bytes[bytes.length - 3] = (bytes.at(-3) as number) ^ 1;
    const { mtime } = await stat(path);
    await writeFile(path, bytes);
    await utimes(path, mtime, mtime);
    assert.equal((await runJson(['add', 'files'], { cwd: dir })).files, 0, 'add cannot see it');
    await runJson(['detect', '--force'], { cwd: dir });
    const { quarantine } = await statusIn(dir);
    assert.equal(quarantine.find((row) => row.path === path)?.reason, 'changed');
  });
});

test('a source folder that is away: nothing is lost, and it is said what to do', async (t) => {
  const dir = await scratch(t);
  const files = join(dir, 'files');
  await photographs(files, ['meal_1.jpg', 'meal_2.jpg']);
  await runJson(['add', 'files'], { cwd: dir });
  await runJson(['detect'], { cwd: dir });
  await runJson(['embed'], { cwd: dir });
  const before = await statusIn(dir);
  await rename(files, join(dir, 'away'));
  for (const command of ['embed', 'detect']) {
    const { code, stdout } = await runCli([command, '--force'], { cwd: dir });
    assert.equal(code, 0, command);
    assert.match(stdout, /Could not read 2 images whose file is not there now; .*\n {2}Bring the folder back/, command);
    assert.equal((await runCli([command, '--force', '--strict'], { cwd: dir })).code, 1, command);
  }
  const { regions, quarantine } = await statusIn(dir);
  assert.deepEqual([regions, quarantine.map(({ reason }) => reason)], [before.regions, ['missing', 'missing']]);
  assert.equal((await runJson(['embed'], { cwd: dir })).total, 2);
  await rename(join(dir, 'away'), files);
  const again = await runJson(['embed', '--force'], { cwd: dir });
  assert.deepEqual([again.embedded, again.away, again.total], [2, 0, 2]);
  assert.deepEqual((await statusIn(dir)).quarantine, []);
});

test('sources with nothing in them', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'empty'));
  await mkdir(join(dir, 'words'));
  await writeFile(join(dir, 'words/notes.txt'), 'words');
  for (const [sources, hint] of [
    [['empty'], /Added 0 new images/],
    [['words'], /Added 0 new images/],
    [['not-there'], /does not exist/],
    [['nothing/*.jpg'], /nothing matches/],
    [['@no-list.txt'], /list .* does not exist/],
    [['ftp://host/key'], /not read by this version/],
  ] as const) {
    for (const command of ['add', 'auto']) {
      const { code, stdout, stderr } = await runCli([command, ...sources], { cwd: dir });
      assert.equal(code, 1, `${command} ${sources}: ${stdout}${stderr}`);
      assert.match(stdout + stderr, hint);
      assert.doesNotMatch(stderr, /this is a bug/);
    }
  }
});
