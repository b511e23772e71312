/** Two commands at once on one workspace. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { writeScenes } from '../fixtures/images.ts';
import { inSlowRuns } from '../thorough.ts';
import { filesUnder, imagesIn, statusIn } from '../workspace.ts';

test('two processes at once: nothing lost, nothing doubled', async (t) => {
  const dir = await scratch(t);
  await writeScenes(join(dir, 'files/a'), 40);
  await writeScenes(join(dir, 'files/b'), 40, 30); // 10 of them the same bytes as in a
  const shards = ['--shard-size', '4', '--threads', '1'];
  /** What is known of every image by its content: of its paths, the one that stands for it depends on who came first. */
  const known = async (where: string) =>
    [...(await imagesIn(where)).values()]
      .map(({ file: _, ...row }) => row)
      .sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));

  await t.test('two adds of folders that overlap', async () => {
    const sources = ['files', 'files/b'];
    await Promise.all(sources.map((source) => runJson(['add', source, ...shards], { cwd: dir })));
    const { images, paths, duplicatePaths, integrity } = await statusIn(dir);
    assert.deepEqual([images, paths, duplicatePaths, integrity], [70, 80, 10, 'ok']);
  });

  await t.test('two detects of the same images', { skip: inSlowRuns }, async () => {
    const detect = ['detect', '--limit', '16', ...shards];
    type Counts = { readonly images: number; readonly detected: number; readonly byOthers: number };
    const both = await Promise.all([detect, detect].map((args) => runJson<Counts>(args, { cwd: dir })));
    // Each runs the model on its own part. By rules that it learned of the pile it may go over all candidates then, the other's too.
    const left = await runJson<{ images: number; stored: number }>(['detect', '--dry-run'], { cwd: dir });
    const lookedAt = (await statusIn(dir)).images - (left.images - left.stored);
    for (const { images, detected, byOthers } of both) {
      assert.ok(detected <= 16, `ran on ${detected}`);
      assert.ok(images + byOthers <= lookedAt, `${images} and ${byOthers} of ${lookedAt}`);
    }
    await runJson(['detect', ...shards], { cwd: dir });
    const alone = join(dir, 'alone');
    await mkdir(alone);
    await runJson(['add', join(dir, 'files'), ...shards], { cwd: alone });
    await runJson(['detect', ...shards], { cwd: alone });
    assert.equal((await statusIn(dir)).integrity, 'ok');
    assert.deepEqual(await known(dir), await known(alone));
  });

  await t.test('add while detect runs', async () => {
    await writeScenes(join(dir, 'more'), 40, 200);
    const [added, detected] = await Promise.all([
      runJson(['add', 'more', ...shards], { cwd: dir }),
      runJson(['detect', '--force', '--limit', '24', ...shards], { cwd: dir }),
    ]);
    assert.deepEqual([added.images, detected.detected], [40, 24]);
    await runJson(['detect', ...shards], { cwd: dir });
    const { images, paths, integrity } = await statusIn(dir);
    assert.deepEqual([images, paths, integrity], [110, 120, 'ok']);
    assert.equal((await runJson(['detect', '--dry-run'], { cwd: dir })).images, 0);
  });

  await t.test('two exports to one place', async () => {
    const exporting = ['export', 'coco', 'out', '--images', 'copy', '--replace', '--json'];
    const both = await Promise.all([1, 2].map(() => runCli(exporting, { cwd: dir })));
    assert.ok(both.some(({ code }) => code === 0));
    for (const { code, stderr } of both) assert.ok(code === 0 || code === 1, stderr);
    for (const { stderr } of both) assert.doesNotMatch(stderr, /this is a bug/);
    // 110 photographs, the annotations and the marker.
    assert.equal(filesUnder(join(dir, 'out')).size, 112);
    await runJson(['export', 'coco', 'again', '--images', 'copy'], { cwd: dir });
    assert.deepEqual(filesUnder(join(dir, 'out')), filesUnder(join(dir, 'again')));
    const left = readdirSync(dir).filter((name) => name.startsWith('.out'));
    assert.deepEqual(left, []);
  });
});
