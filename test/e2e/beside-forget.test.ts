/**
 * `embed` and `teach rounds` by the built command line, while other processes take images out of the record (`forget`): they end
 * with those that are left, and nothing that was forgotten is in quarantine or has a label.
 */
import assert from 'node:assert/strict';
import { globSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli, runJson } from '../cli.ts';
import { prepare } from '../contracts/stage/every-stage.ts';

interface Summary {
  readonly images: number;
  readonly quarantined: Readonly<Record<string, number>>;
}

test('embed and teach rounds end with the images that are left', async (t) => {
  const { dir, cacheDir } = await prepare(40);
  t.after(() => rm(dir, { recursive: true, force: true }));
  const options = { cwd: dir, env: { LABELSMITH_CACHE: cacheDir, LABELSMITH_OFFLINE: '1' } };
  const added = await runJson<{ quarantined: number }>(['add', 'photos'], options);
  const before = await summary();
  const red = readdirSync(join(dir, 'photos', 'red')).filter((name) => /^[0-9]+\.jpg$/.test(name));
  const batches = [5, 6, 7, 8].map((last) => red.filter((name) => name.endsWith(`${last}.jpg`)));
  async function summary(): Promise<Summary> {
    return runJson<Summary>(['status'], options);
  }
  const forget = async (names: readonly string[]) => {
    const ended = await runCli(['forget', ...names.map((name) => join('photos', 'red', name)), '--yes'], options);
    assert.equal(ended.code, 0, ended.stderr);
  };

  const embedding = runCli(['embed', '--model', 'means', '--shard-size', '2', '--threads', '1'], options);
  while (globSync('.labelsmith/vectors/**/*.arrow', { cwd: dir }).length === 0) await sleep(10);
  for (const batch of batches.slice(0, 2)) await forget(batch);
  const embedded = await embedding;
  assert.equal(embedded.code, 0, embedded.stderr);
  await runJson(['embed', '--model', 'means'], options);

  const names = ['red', 'green', 'blue'].flatMap((name) => [0, 2, 3, 4].map((n) => `photos/${name}/${n}.jpg,${name}`));
  writeFileSync(join(dir, 'labels.csv'), ['file,class', ...names, ''].join('\n'));
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], options);
  const teaching = runCli(['teach', 'rounds', '--threads', '1'], options);
  await sleep(700);
  for (const batch of batches.slice(2)) await forget(batch);
  const taught = await teaching;
  assert.equal(taught.code, 0, taught.stderr);

  const after = await summary();
  assert.equal(after.images, before.images - batches.flat().length);
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0);
  assert.equal(sum(after.quarantined), added.quarantined, 'those that were damaged from the beginning');
});
