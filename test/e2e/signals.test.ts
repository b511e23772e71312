/** A command that is told to stop: it finishes the shard under way, or ends at once, and what it did is kept. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniquePhotos } from '../../bench/photos.ts';
import { runJson, scratch, startCli } from '../cli.ts';
import { photographs } from '../fixtures/photographs.ts';
import { imagesIn, statusIn } from '../workspace.ts';

const PHOTOS = 40;
const SHARDS = ['--shard-size', '4', '--threads', '1'];

/** Starts `detect`, and sends the signal once the first shard is committed. */
async function interrupted(dir: string, signals: readonly NodeJS.Signals[]) {
  const child = startCli(['detect', ...SHARDS, '--json'], { cwd: dir });
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = new Promise<number | null>((done) => child.on('close', done));
  const database = new DatabaseSync(join(dir, '.labelsmith/labelsmith.sqlite'), { readOnly: true });
  while (Number(database.prepare('SELECT count(*) AS n FROM detection').get()?.n) === 0) await sleep(20);
  database.close();
  for (const signal of signals) {
    child.kill(signal);
    await sleep(50);
  }
  return { code: await closed, stdout, stderr };
}

async function ground(t: Parameters<typeof scratch>[0]): Promise<string> {
  const dir = await scratch(t);
  await photographs(join(dir, 'originals'));
  await uniquePhotos(join(dir, 'originals'), PHOTOS, join(dir, 'photos'));
  await runJson(['add', 'photos'], { cwd: dir });
  return dir;
}

test('Ctrl-C finishes the shard and says so; running again does the rest', async (t) => {
  const dir = await ground(t);
  const { code, stdout, stderr } = await interrupted(dir, ['SIGINT']);
  assert.equal(code, 130);
  assert.match(stderr, /Stopping after what is under way/);
  assert.match(stderr, /^Interrupted: of detect \d+ of 40 are done, and kept\. Run the same command again/m);
  const result = JSON.parse(stdout) as { interrupted: boolean; detected: number };
  assert.equal(result.interrupted, true);
  const { detected } = result;
  assert.ok(detected > 0 && detected < PHOTOS && detected % 4 === 0, `${detected} images: whole shards`);
  const status = await statusIn(dir);
  assert.deepEqual([status.runs[0]?.stage, status.runs[0]?.status], ['detect', 'interrupted']);
  const again = await runJson(['detect', ...SHARDS], { cwd: dir });
  assert.equal(again.detected, PHOTOS - detected);
  assert.equal([...(await imagesIn(dir)).values()].filter(({ regions }) => regions.length > 0).length > 20, true);
});

test('SIGTERM does the same; a second signal ends it at once, and nothing is lost', async (t) => {
  const dir = await ground(t);
  assert.equal((await interrupted(dir, ['SIGTERM', 'SIGTERM'])).code, 130);
  const { integrity } = await statusIn(dir);
  assert.equal(integrity, 'ok');
  const { images: left } = await runJson<{ images: number }>(['detect', '--dry-run'], { cwd: dir });
  const again = await runJson(['detect', ...SHARDS], { cwd: dir });
  assert.equal(again.detected, left);
});
