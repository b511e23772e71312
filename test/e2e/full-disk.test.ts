/** A full disk: what was there stays, nothing half-written is left, and with more space the same command completes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runFailing, runJson, scratch } from '../cli.ts';
import { writeScenes } from '../fixtures/images.ts';
import { copyModel } from '../model-files.ts';
import { filesUnder, imagesIn, statusIn } from '../workspace.ts';

/** A small disk that is gone after the test, or the reason why none can be made. */
function smallDisk(t: TestContext, size: string): { readonly path: string } | string {
  const path = mkdtempSync(join(tmpdir(), 'labelsmith-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { encoding: 'utf8' });
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', [path]);
    rmdirSync(path);
  });
  if (mounted.status === 0) return { path };
  return `no small disk can be mounted here (${mounted.error?.message ?? mounted.stderr.trim()})`;
}

function resize(path: string, size: string): void {
  assert.equal(spawnSync('mount', ['-o', `remount,size=${size}`, path]).status, 0);
}

/** Leaves `kB` of room on it. */
function fill(path: string, kB: number): void {
  const used = Number.parseInt(spawnSync('du', ['-sk', path], { encoding: 'utf8' }).stdout, 10);
  resize(path, `${used + kB}k`);
}

test('a full disk', async (t) => {
  const dir = await scratch(t);
  const small = smallDisk(t, '680k');
  if (typeof small === 'string') return t.skip(small);
  const disk = small.path;
  await writeScenes(join(dir, 'files'), 100);
  const shards = ['--shard-size', '4', '--threads', '2'];
  const add = ['add', join(dir, 'files'), ...shards];

  await t.test('under the workspace in add: what was committed stays, and more space completes it', async () => {
    const { code, text } = await runFailing(add, { cwd: disk });
    assert.equal(code, 'DISK_FULL', text);
    assert.match(text, /No room left.*Free some space and run the command again/);
    resize(disk, '60m');
    const { images, integrity, runs } = await statusIn(disk);
    assert.equal(integrity, 'ok');
    assert.ok(images > 0 && images < 100 && images % 4 === 0, `${images} images: whole shards`);
    // The record of how it ended may not have found room itself; then it counts as running until its lease is over.
    assert.match(runs[0]?.status ?? '', /failed|interrupted|running/);
    const again = await runJson(add, { cwd: disk });
    assert.deepEqual([again.images, again.unchanged], [100 - images, images]);
    assert.deepEqual([...(await imagesIn(disk)).keys()].length, 100);
  });

  await t.test('under status: what is there is told all the same', async () => {
    fill(disk, 0);
    const { images } = await statusIn(disk);
    assert.equal(images, 100);
    resize(disk, '60m');
  });

  await t.test('under an export: nothing is left of it, and the earlier one stands', async () => {
    await runJson(['export', 'coco', 'out', '--images', 'none', '--empty', '--background', 'all'], { cwd: disk });
    const before = filesUnder(join(disk, 'out'));
    fill(disk, 60);
    for (const format of ['coco', 'yolo'] as const) {
      const args = ['export', format, 'out', '--images', 'copy', '--empty', '--background', 'all', '--replace'];
      const { code, text } = await runFailing(args, { cwd: disk });
      assert.equal(code, 'DISK_FULL', text);
      assert.match(text, /no room left while writing .*as it was before.*Free some space/i);
      assert.deepEqual(filesUnder(join(disk, 'out')), before);
      assert.deepEqual(readdirSync(disk).sort(), ['.labelsmith', 'out']);
    }
    resize(disk, '60m');
    const { images } = await runJson(
      ['export', 'coco', 'out', '--images', 'copy', '--empty', '--background', 'all', '--replace'],
      {
        cwd: disk,
      },
    );
    assert.equal(images, 100);
  });

  await t.test('under the model cache', async () => {
    const cache = join(disk, 'cache');
    await copyModel('centernet', cache);
    await rm(join(cache, 'models'), { recursive: true });
    fill(disk, 500);
    const { code, text } = await runFailing(['detect', '--limit', '1'], {
      cwd: disk,
      env: { LABELSMITH_CACHE: cache },
    });
    assert.equal(code, 'DISK_FULL', text);
    assert.match(text, /disk is full.*LABELSMITH_CACHE/);
    resize(disk, '60m');
    const { detected } = await runJson(['detect', '--limit', '1'], { cwd: disk, env: { LABELSMITH_CACHE: cache } });
    assert.equal(detected, 1);
  });

  await t.test('under the report', async () => {
    fill(disk, 40);
    const { code, text } = await runFailing(['report', 'report.html'], { cwd: disk });
    assert.equal(code, 'DISK_FULL', text);
    assert.equal(existsSync(join(disk, 'report.html')), false);
  });
});
