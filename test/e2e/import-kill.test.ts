/**
 * An import is all or nothing: killed at any moment it has left nothing, or everything; and while it is under way others
 * read and write, and what a person says meanwhile is there in the end.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { openStore } from '../../src/store/open.ts';
import { runJson, scratch, startCli } from '../cli.ts';
import { thorough } from '../thorough.ts';
import { statusIn } from '../workspace.ts';

/** Several pages of an import (`src/stages/import/writer.ts`). */
const [IMAGES, BOXES] = [1100, 3];
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

function anew(dir: string): void {
  rmSync(join(dir, '.labelsmith'), { recursive: true });
  cpSync(join(dir, 'before'), join(dir, '.labelsmith'), { recursive: true });
}

async function exported(dir: string): Promise<string> {
  await runJson(['export', 'jsonl', 'out.jsonl', '--replace'], { cwd: dir });
  return readFile(join(dir, 'out.jsonl'), 'utf8');
}

const ended = (child: ChildProcess) => new Promise<number | null>((done) => child.on('close', (code) => done(code)));

interface Held {
  readonly child: ChildProcess;
  /** Asked for from the beginning: it may end before anybody waits. */
  readonly code: Promise<number | null>;
  release(): void;
}

/** An import that has staged a page and now stands still before the next, since the lock is ours until `release`. */
async function startAndHold(dir: string): Promise<Held> {
  const child = startCli(IMPORT, { cwd: dir });
  const code = ended(child);
  child.stdout?.resume();
  child.stderr?.resume();
  const database = new DatabaseSync(join(dir, '.labelsmith/labelsmith.sqlite'));
  database.exec('PRAGMA busy_timeout = 30000');
  const staged = database.prepare('SELECT count(*) AS n FROM staged_image');
  for (;;) {
    database.exec('BEGIN IMMEDIATE');
    if (Number(staged.get()?.n) > 0) break;
    database.exec('ROLLBACK');
    assert.equal(child.exitCode, null, 'the import ended before anybody saw it stage anything');
    await sleep(2);
  }
  return {
    child,
    code,
    release() {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

test('SIGKILL during an import leaves nothing of it or all of it, and a plain re-run brings the rest', async (t) => {
  const dir = await scratch(t);
  await prepare(dir);
  await runJson(IMPORT, { cwd: dir });
  const [whole, expected] = [await statusIn(dir), await exported(dir)];
  assert.equal(whole.regions, IMAGES * BOXES);

  // Killed with a page staged, and so long after the lock is free again: among further pages, in the switch, after it.
  for (const killAfterMs of thorough([null, 80], [null, 0, 80, 250])) {
    anew(dir);
    const { child, code: ending, release } = await startAndHold(dir);
    if (killAfterMs === null) child.kill('SIGKILL');
    else {
      release();
      await sleep(killAfterMs);
      child.kill('SIGKILL');
    }
    const code = await ending;
    if (killAfterMs === null) release();
    const { regions, labels, integrity } = await statusIn(dir);
    assert.equal(integrity, 'ok');
    const moment = `killed after ${killAfterMs} ms`;
    if (killAfterMs === null) assert.deepEqual([code, regions], [null, 0], 'nobody sees what is staged');
    if (regions === 0) assert.deepEqual(labels, {}, `${moment}: neither boxes nor labels`);
    else assert.deepEqual([regions, labels], [whole.regions, whole.labels], `${moment}: all of it`);
    await runJson(IMPORT, { cwd: dir });
    assert.equal(await exported(dir), expected, `${moment}: the export is that of an undisturbed import`);
  }
});

test('while an import is under way others look and write, and what a person says of its images stays', async (t) => {
  const dir = await scratch(t);
  await prepare(dir);
  const { code, release } = await startAndHold(dir);
  release();
  const store = await openStore(join(dir, '.labelsmith'));
  t.after(() => store.close());
  const { images, regions } = await statusIn(dir);
  assert.equal(images, IMAGES);
  assert.ok(regions === 0 || regions === IMAGES * BOXES, `${regions} of ${IMAGES * BOXES} boxes were seen`);
  const ids: string[] = [];
  for await (const page of store.images({ limit: 20 })) ids.push(...page.map(({ id }) => id));
  for (const itemId of ids) {
    await store.putLabels([
      { itemId, task: 'class', className: 'meanwhile', present: true, origin: 'human', confidence: 1, runId: null },
    ]);
  }
  assert.equal(await code, 0);
  const after = await statusIn(dir);
  assert.equal(after.regions, IMAGES * BOXES);
  const said = [...(await store.labelsOf(ids, 'class')).values()].flat();
  assert.deepEqual(
    said.map(({ className }) => className),
    ids.map(() => 'meanwhile'),
  );
});
