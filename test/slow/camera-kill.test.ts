/** Kills over `push`, `capture` and `watch`: whatever the moment, the same command finishes the work, and nothing is lost, doubled or cut. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { DATA, runCli, runJson, scratch, without } from '../cli.ts';
import { startS3 } from '../fixtures/s3-server.ts';
import { imagesIn, statusIn } from '../workspace.ts';

const KILLS = Number(process.env.LABELSMITH_KILLS ?? 100);
/** Of `watch`, each of which begins with the start of a model. */
const WATCH_KILLS = Number(process.env.LABELSMITH_WATCH_KILLS ?? 70);
const withoutFfmpeg = spawnSync('ffmpeg', ['-version']).error ? 'no ffmpeg here (apt-get install ffmpeg)' : false;

test(`push, killed ${KILLS} times`, async (t) => {
  const dir = await scratch(t);
  const server = await startS3();
  t.after(() => server.close());
  mkdirSync(join(dir, 'frames'));
  for (let i = 0; i < 150; i++)
    writeFileSync(join(dir, 'frames', `${i}.jpg`), createHash('sha256').update(`${i}`).digest());
  writeFileSync(join(dir, 'frames/large.bin'), Buffer.alloc(20_000_000, 'large'));
  const cli = { cwd: dir, env: server.env };
  // The larger part of it is Node's start.
  const startedAt = performance.now();
  await runJson(['push', 'frames', 's3://bucket/whole'], cli);
  const lengthMs = performance.now() - startedAt;
  let killed = 0;
  for (let i = 0; i < KILLS; i++) {
    // Ten times over the whole length, each to a place of its own, ten kills a place.
    const target = `s3://bucket/place-${Math.floor(i / 10)}`;
    for (const file of readdirSync(join(dir, 'frames'))) {
      if (i % 10 === 0 && file.startsWith('.labelsmith')) rmSync(join(dir, 'frames', file));
    }
    const { code } = await runCli(['push', 'frames', target], {
      ...cli,
      killAfterMs: (lengthMs * ((i % 10) + 0.5)) / 10,
    });
    if (code === null) killed++;
    if (i % 10 < 9) continue;
    await runJson(['push', 'frames', target], cli);
    for (const file of readdirSync(join(dir, 'frames'))) {
      if (file.startsWith('.')) continue;
      const response = await fetch(`${server.url}/bucket/place-${Math.floor(i / 10)}/${file}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.ok(bytes.equals(readFileSync(join(dir, 'frames', file))), `${file} after ${i + 1} kills`);
    }
  }
  // The later ones of a place have less to do.
  assert.ok(killed >= KILLS / 4, `only ${killed} kills hit the running command`);
});

test(`capture, killed ${KILLS} times`, { skip: withoutFfmpeg }, async (t) => {
  const dir = await scratch(t);
  const args = ['capture', 'gate=lavfi:testsrc=size=320x240:rate=30', '--to', 'frames', '--every', '0.05s'];
  // From the start until some frames are there, and somewhat longer.
  const startedAt = performance.now();
  await runJson([...args, '--count', '3'], { cwd: dir });
  const lengthMs = performance.now() - startedAt;
  for (let i = 0; i < KILLS; i++) {
    await runCli(args, { cwd: dir, killAfterMs: lengthMs * (0.3 + (1.2 * (i + 0.5)) / KILLS) });
  }
  await runJson([...args, '--count', '3'], { cwd: dir });
  const files = readdirSync(join(dir, 'frames'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const numbers = new Set<string>();
  for (const { name, parentPath } of files) {
    if (name.endsWith('.tmp')) continue;
    const number = /-(\d{6,})\.jpg$/.exec(name)?.[1];
    assert.ok(number !== undefined && !numbers.has(number), name);
    numbers.add(number);
    await sharp(join(parentPath, name)).stats();
  }
  assert.ok(numbers.size > 6, 'none of those that were killed wrote any');
  assert.deepEqual(
    files.filter(({ name }) => name.endsWith('.tmp')),
    [],
    'what kills left is gone',
  );
});

test(`watch, killed ${WATCH_KILLS} times`, { skip: without('caltech-30') }, async (t) => {
  const dir = await scratch(t);
  const kinds = ['accordion', 'leopards'].map((kind) => {
    const folder = join(DATA, 'caltech-30', kind);
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  });
  const fill = (folder: string, from: number, to: number) => {
    mkdirSync(join(dir, folder), { recursive: true });
    for (const [k, files] of kinds.entries()) {
      for (let i = from; i < to; i++) cpSync(files[i % files.length], join(dir, folder, `${k}-${i}.jpg`));
    }
  };
  fill('photos', 0, 12);
  for (const command of [['add', 'photos'], ['embed'], ['discover', '--k', '2']]) await runJson(command, { cwd: dir });
  cpSync(join(dir, '.labelsmith'), join(dir, 'before'), { recursive: true });
  const watch = (folder: string) => ['watch', folder, '--skip-detect', '--until-idle', '0.5s'];
  const labelsOf = async () =>
    [...(await imagesIn(dir))].map(([file, { labels }]) => [
      file,
      labels.map(({ task, class: name, confidence }) => `${task} ${name} ${confidence}`),
    ]);

  // Undisturbed: what every image is called, and how long it takes.
  fill('arriving', 12, 18);
  const startedAt = performance.now();
  await runJson(watch('arriving'), { cwd: dir });
  const lengthMs = performance.now() - startedAt;
  const [expected, { images }] = [await labelsOf(), await statusIn(dir)];

  let killed = 0;
  for (let i = 0; i < WATCH_KILLS; i++) {
    // Ten kills over the whole length, one after the other in one workspace, while images still arrive; then seven times anew.
    const round = i % 10;
    if (round === 0) {
      for (const folder of ['.labelsmith', 'arriving']) rmSync(join(dir, folder), { recursive: true });
      cpSync(join(dir, 'before'), join(dir, '.labelsmith'), { recursive: true });
      mkdirSync(join(dir, 'arriving'));
    }
    const before = Math.floor((round * 6) / 10);
    fill('arriving', 12 + before, 12 + Math.floor(((round + 1) * 6) / 10));
    const { code } = await runCli(watch('arriving'), {
      cwd: dir,
      killAfterMs: (lengthMs * (((i * 7) % WATCH_KILLS) + 0.5)) / WATCH_KILLS,
    });
    if (code === null) killed++;
    if (round < 9) continue;
    await runJson(watch('arriving'), { cwd: dir });
    const status = await statusIn(dir);
    const at = `after ${i + 1} kills`;
    assert.deepEqual([status.integrity, status.images, status.paths], ['ok', images, images], at);
    assert.deepEqual(await labelsOf(), expected, at);
    // It has nothing left to do.
    const { counts } = await runJson<{ readonly counts: Readonly<Record<string, number>> }>(watch('arriving'), {
      cwd: dir,
    });
    assert.deepEqual([counts.images, counts.labelled], [0, 0], at);
  }
  assert.ok(killed >= WATCH_KILLS / 2, `only ${killed} kills hit the running command`);
});
