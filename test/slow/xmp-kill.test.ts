/** XMP sidecars whose writing is ended by SIGKILL: those of before or the new ones, each whole, and run again the same. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runJson, scratch, startCli } from '../cli.ts';
import { writeScenes } from '../fixtures/images.ts';
import { filesUnder } from '../workspace.ts';

const IMAGES = 300;

const exporting = (out: string) => ['export', 'xmp', out, '--replace'];

test('killed while it writes sidecars over earlier ones', async (t) => {
  const dir = await scratch(t);
  await writeScenes(join(dir, 'photos'), IMAGES);
  const rows = Array.from({ length: IMAGES }, (_, i) => `${i}.jpg,class ${i % 7}`);
  writeFileSync(join(dir, 'labels.csv'), ['file,class', ...rows].join('\n'));
  await runJson(['add', 'photos'], { cwd: dir });
  const withoutWords = [...exporting('out'), '--origin', 'cluster', '--empty', '--unlabelled'];
  await runJson(withoutWords, { cwd: dir });
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir });
  const earlier = filesUnder(join(dir, 'out'));
  await runJson(exporting('expected'), { cwd: dir });
  const expected = filesUnder(join(dir, 'expected'));
  const sidecars = (files: ReadonlyMap<string, string>) => [...files].filter(([name]) => name.endsWith('.xmp')).sort();
  assert.equal(sidecars(expected).length, IMAGES);
  assert.notDeepEqual(sidecars(earlier), sidecars(expected));

  const unfinished = () => readdirSync(dir).filter((name) => name.startsWith('.out'));
  const written = () => {
    try {
      return unfinished().flatMap((name) => readdirSync(join(dir, name), { recursive: true, encoding: 'utf8' })).length;
    } catch {
      // It was brought into its place meanwhile.
      return IMAGES;
    }
  };
  let cutShort = 0;
  for (const after of [1, 60, 150]) {
    const child = startCli(exporting('out'), { cwd: dir });
    const ended = once(child, 'exit');
    while (child.exitCode === null && written() < after) await sleep(1);
    child.kill('SIGKILL');
    await ended;
    const left = sidecars(filesUnder(join(dir, 'out')));
    const isEarlier = JSON.stringify(left) === JSON.stringify(sidecars(earlier));
    if (!isEarlier) assert.deepEqual(left, sidecars(expected), `ended after ${after}`);
    if (isEarlier && child.signalCode === 'SIGKILL') cutShort++;
    await runJson(withoutWords, { cwd: dir });
  }
  assert.ok(cutShort > 0, 'none was ended in the midst');
  await runJson(exporting('out'), { cwd: dir });
  assert.deepEqual(sidecars(filesUnder(join(dir, 'out'))), sidecars(expected));
  assert.deepEqual(unfinished(), []);
  assert.ok(!existsSync(join(dir, 'photos', '0.jpg.xmp')), 'the source is not written to');
});
