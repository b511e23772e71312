/** `teach rounds --fine-tune` through the built command line, on three kinds of patterns made by code. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { runCli, runJson } from '../cli.ts';
import { killedFineTuning } from '../fine-tune-kill.ts';
import { EACH, KINDS, patternGround } from '../patterns.ts';
import { importSmallEmbedder, SMALL_EMBEDDER } from '../small-embedder.ts';

interface Tuned {
  readonly steps: readonly { readonly fineTuned?: string }[];
  readonly warnings: readonly string[];
  readonly fineTuning: {
    readonly labels: number;
    readonly depths: readonly { readonly depth: string; readonly round: number; readonly why: string }[];
  } | null;
}

test('the embedder is fine-tuned within a budget; killed, it goes on to the same bytes; what comes out predicts', async (t) => {
  const dir = await patternGround(t);
  // What is run many times is run with a small network; test/slow/fine-tune-kill.test.ts takes the package's too.
  const env = { LABELSMITH_CACHE: join(dir, 'cache') };
  await importSmallEmbedder(dir, env);
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir, env });
  const { model } = await killedFineTuning(t, dir, { amid: [1], spread: 0, env, model: SMALL_EMBEDDER });
  const found = await runJson<{ predictions: object[] }>(['teach', 'predict', 'images', '--model', model], {
    cwd: dir,
    env,
  });
  assert.equal(found.predictions.length, EACH * KINDS.length);

  const auto = ['teach', 'rounds', '--fine-tune', 'auto', '--budget', '40s'];
  const { steps, warnings, fineTuning } = await runJson<Tuned>(auto, { cwd: dir, env });
  assert.deepEqual(
    fineTuning?.depths.flatMap(({ depth, round }) => (round === 1 ? depth : [])),
    ['last', 'all', 'bias'],
  );
  assert.ok(fineTuning?.depths.every(({ why }) => why !== ''));
  // On a machine that is busy with other things, a depth may not fit; then it is named.
  const tried = new Set(steps.flatMap(({ fineTuned }) => fineTuned ?? []));
  for (const depth of ['bias', 'last', 'all']) {
    assert.ok(
      tried.has(depth) || warnings.some((text) => text.includes(`fine-tuning step ${depth} was left out`)),
      depth,
    );
  }
  const short = await runCli([...auto.slice(0, -1), '1s', '--keep-embedder', 'mine', '--strict'], { cwd: dir, env });
  assert.equal(short.code, 1, short.stderr);
  assert.match(
    short.stderr,
    /nothing was kept as mine: (no depth was tried|the embedder stays as it is \(last: left out, )/,
  );
  assert.match(short.stderr, /fine-tuning step all was left out: .*(budget|would take)/);

  const head = ['teach', 'rounds', '--dry-run', '--fine-tune', 'head', '--keep-embedder', 'mine'];
  const headAlone = await runCli(head, { cwd: dir, env });
  assert.equal(headAlone.code, 2);
  assert.match(
    headAlone.stderr,
    /--fine-tune head trains no embedder that could be kept.[\s\S]*auto, bias, last or all/,
  );

  const left = join(dir, '.labelsmith', 'cache', 'fine-tune', 'class', 'left.state');
  const leaveTraining = async () => {
    await mkdir(dirname(left), { recursive: true });
    await writeFile(left, 'of a training that was stopped');
  };
  await leaveTraining();
  await runJson(['teach', 'rounds'], { cwd: dir, env });
  assert.ok(!existsSync(left), 'a run without fine-tuning ends too, and what it labelled is learned from otherwise');
  const [columns = '', ...rows] = (await readFile(join(dir, 'labels.csv'), 'utf8')).trim().split('\n');
  const firsts = [...new Map(rows.map((row) => [row.split(',')[1], row])).values()];
  await writeFile(join(dir, 'one.csv'), [columns, ...firsts].join('\n'));
  await runJson(['import', 'csv', 'one.csv', '--as', 'human', '--task', 'one'], { cwd: dir, env });
  const one = await runCli(['teach', 'rounds', '--task', 'one', '--fine-tune', 'bias'], { cwd: dir, env });
  assert.match(one.stderr, /not fine-tuned: with one example a class nothing can be measured/);
  assert.match(one.stderr, /teach select --audit \d+ --task one/);
  const [gone = ''] = (await readdir(join(dir, 'images'))).sort();
  const bytes = await readFile(join(dir, 'images', gone));
  await rm(join(dir, 'images', gone));
  await leaveTraining();
  const without = await runCli(['teach', 'rounds', '--fine-tune', 'bias', '--budget', '30s'], { cwd: dir, env });
  await writeFile(join(dir, 'images', gone), bytes);
  assert.match(without.stderr, new RegExp(`the pictures of 1 item cannot be read any more \\(\\S*${gone}\\)`));
  assert.match(without.stdout, /depth +right held out +loss[\s\S]*as it is[\s\S]*bias +/);
  assert.ok(!existsSync(left), 'one with it ends, and nothing of it stays');

  const sheet = join(dir, 'views.jpg');
  const { images } = await runJson<{ images: number }>(['teach', 'augment', '--preview', sheet, '-n', '4'], {
    cwd: dir,
    env,
  });
  const { width = 0, height = 0 } = await sharp(sheet).metadata();
  assert.deepEqual([images, Math.round(width / height)], [4, 2], 'nine views a row, four rows');
  const again = await runCli(['teach', 'augment', '--preview', sheet], { cwd: dir, env });
  assert.match(again.stderr, /views\.jpg/);
  await runJson(['teach', 'augment', '--preview', sheet, '--replace'], { cwd: dir, env });
  const strange = await runCli(['teach', 'augment', '--preview', join(dir, 'other.jpg'), '--task', 'nosuch'], {
    cwd: dir,
    env,
  });
  assert.equal(strange.code, 1, strange.stderr);
  assert.match(strange.stderr, /There is no task "nosuch"/);
  // Labelled images come first, and the others after them.
  const whole = ['teach', 'augment', '--preview', join(dir, 'all.jpeg'), '-n', '99'];
  assert.equal((await runJson<{ images: number }>(whole, { cwd: dir, env })).images, EACH * KINDS.length);
  for (const wrong of [[], ['--preview', 'views.png']]) {
    const refused = await runCli(['teach', 'augment', ...wrong], { cwd: dir, env });
    assert.deepEqual(
      [refused.code, /ends in \.jpg or \.jpeg, such as/.test(refused.stderr)],
      [2, true],
      refused.stderr,
    );
  }
});
