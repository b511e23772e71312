/** An import is all or nothing: killed at any moment it has left nothing, or everything. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { runCli, runJson, scratch } from '../cli.ts';
import { statusIn } from '../workspace.ts';

const [IMAGES, BOXES, MOMENTS] = [600, 12, 4];
const IMPORT = ['import', 'jsonl', 'labels.jsonl', '--as', 'human'];

async function prepare(dir: string): Promise<void> {
  await mkdir(join(dir, 'photos'));
  const lines: string[] = [];
  for (let i = 0; i < IMAGES; i++) {
    const background = { r: i % 256, g: i >> 8, b: 90 };
    const image = sharp({ create: { width: 40, height: 30, channels: 3, background } });
    await image.png({ compressionLevel: 0 }).toFile(join(dir, 'photos', `${i}.png`));
    const regions = Array.from({ length: BOXES }, (_, n) => ({
      box: [n, n, n + 12, n + 9],
      labels: [{ class: `class-${(i + n) % 5}`, origin: 'human', task: 'objects' }],
    }));
    lines.push(JSON.stringify({ file: `${i}.png`, split: 'train', regions }));
  }
  await writeFile(join(dir, 'labels.jsonl'), lines.join('\n'));
  await runJson(['add', 'photos'], { cwd: dir });
  cpSync(join(dir, '.labelsmith'), join(dir, 'before'), { recursive: true });
}

async function exported(dir: string): Promise<string> {
  await runJson(['export', 'jsonl', 'out.jsonl', '--replace'], { cwd: dir });
  return readFile(join(dir, 'out.jsonl'), 'utf8');
}

test('SIGKILL during an import leaves nothing of it or all of it, and a plain re-run brings the rest', async (t) => {
  const dir = await scratch(t);
  await prepare(dir);
  const startedAt = performance.now();
  await runJson(IMPORT, { cwd: dir });
  const lengthMs = performance.now() - startedAt;
  const [whole, expected] = [await statusIn(dir), await exported(dir)];
  assert.equal(whole.regions, IMAGES * BOXES);

  let killed = 0;
  let empty = 0;
  for (let moment = 0; moment < MOMENTS; moment++) {
    rmSync(join(dir, '.labelsmith'), { recursive: true });
    cpSync(join(dir, 'before'), join(dir, '.labelsmith'), { recursive: true });
    // The first third is reading and checking, before anything is written.
    const killAfterMs = lengthMs * (0.35 + (0.6 * moment) / (MOMENTS - 1));
    const { code } = await runCli(IMPORT, { cwd: dir, killAfterMs });
    if (code === null) killed++;
    const { regions, labels, integrity } = await statusIn(dir);
    assert.equal(integrity, 'ok');
    if (regions === 0) {
      empty++;
      assert.deepEqual(labels, {}, `moment ${moment}: neither boxes nor labels`);
    } else assert.deepEqual([regions, labels], [whole.regions, whole.labels], `moment ${moment}: all of it`);
    await runJson(IMPORT, { cwd: dir });
    assert.equal(await exported(dir), expected, `moment ${moment}: the export is that of an undisturbed import`);
  }
  assert.ok(killed >= MOMENTS / 2 && empty >= 1, `only ${killed} kills hit the import, ${empty} before its end`);
});
