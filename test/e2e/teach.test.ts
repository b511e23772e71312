/** `teach` from labels to a classifier, through the built command line, on three kinds of patterns made by code. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as web from 'onnxruntime-web/wasm';
import sharp from 'sharp';
import { onnxRuntime } from '../../src/onnx/runtime.ts';
import { openClassifier } from '../../src/stages/classify/classifier-file.ts';
import { pixelsFor } from '../../src/stages/item-pixels.ts';
import { runCli, runJson, scratch } from '../cli.ts';
import { KINDS, pattern, patternGround, TAUGHT } from '../patterns.ts';
import { thorough } from '../thorough.ts';

interface Rounds {
  readonly modelSha256: string;
  readonly model: string;
  readonly labelled: number;
  readonly classes: number;
  readonly accuracy: {
    readonly newImages: { readonly accuracy: number; readonly interval: readonly [number, number] };
  };
  readonly evaluation: { readonly measuredOn: string };
  readonly warnings: readonly string[];
  readonly steps: readonly { readonly method: string }[];
}

test('with no labels there is nothing to learn, and nothing is embedded for it', async (t) => {
  const dir = await patternGround(t);
  const { code, stderr } = await runCli(['teach', 'rounds'], { cwd: dir });
  assert.equal(code, 1);
  assert.match(stderr, /Nobody has labelled anything in the task "class"[\s\S]*teach select/);
  assert.equal(existsSync(join(dir, '.labelsmith', 'vectors')), false);
});

test('labels in, labels and a classifier out; people win; the same bytes after kills', async (t) => {
  const dir = await patternGround(t);
  const at = { cwd: dir };
  await writeFile(join(dir, 'one.csv'), 'file,class\n0-0.png,level\n0-1.png,level\n');
  await runJson(['import', 'csv', 'one.csv', '--as', 'human'], at);
  const pilot = await runCli(['teach', 'rounds', '--limit', '4'], at);
  assert.match(pilot.stderr, /--limit 4 is of what is embedded now, 4 images; all 4 that are embedded take part/);
  const oneClass = await runCli(['teach', 'train', '--quiet'], at);
  assert.equal(oneClass.code, 1);
  assert.match(oneClass.stderr, /All 2 labels .* are of one class, "level"/);

  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], at);
  const startedAt = performance.now();
  // Remarks about the accuracy leave nothing out.
  const result = await runJson<Rounds>(['teach', 'rounds', '--threshold', '0.4', '--strict'], at);
  assert.ok(result.warnings.length > 0);
  const lengthMs = performance.now() - startedAt;
  assert.equal(result.labelled, 3 * TAUGHT);
  assert.equal(result.classes, 3);
  assert.equal(result.evaluation.measuredOn, 'cross-validation');
  assert.deepEqual(
    result.steps.map(({ method }) => method),
    ['base', 'naive', 'metric'],
  );
  const { classification } = await runJson<{ classification: { accuracyForced: number; coverage: number } }>(
    ['evaluate', 'truth.csv'],
    at,
  );
  assert.ok(classification.accuracyForced > 0.8, `${classification.accuracyForced}`);

  // A class that is renamed is the same class to what was guessed before.
  await runJson(['corpus', 'rename', 'level', 'flat'], at);
  const renamed = await runJson<{ classification: object }>(['evaluate', 'truth.csv'], at);
  assert.deepEqual(renamed.classification, classification);
  await runJson(['corpus', 'undo'], at);

  // At 20 moments: test/slow/teach-kill.test.ts.
  for (const share of thorough([0.6], [0.4, 0.8])) {
    await rm(join(dir, '.labelsmith/models'), { recursive: true });
    await runCli(['teach', 'rounds', '--threshold', '0.4'], { ...at, killAfterMs: share * lengthMs });
    const again = await runJson<Rounds>(['teach', 'rounds', '--threshold', '0.4'], at);
    assert.equal(again.modelSha256, result.modelSha256, `killed at ${share}`);
  }

  await runJson(['export', 'csv', 'out.csv', '--origin', 'human'], at);
  const human = (await readFile(join(dir, 'out.csv'), 'utf8')).split('\n').filter((line) => line.includes(',human,'));
  assert.equal(human.length, 3 * TAUGHT, 'what people said is there as it was');

  await t.test('the classifier alone: no workspace, a broken file beside, plain ONNX Runtime', async () => {
    const model = join(dir, 'alone.onnx');
    await rename(result.model, model);
    await mkdir(join(dir, 'new'));
    await writeFile(join(dir, 'new', 'fresh.png'), await pattern(1, 99));
    await writeFile(join(dir, 'new', 'broken.png'), 'no image');
    const elsewhere = await scratch(t);
    const found = await runJson<{
      predictions: { file: string; class: string; confidence: number }[];
      failed: { file: string }[];
    }>(['teach', 'predict', join(dir, 'new'), '--model', model], { cwd: elsewhere });
    assert.equal(existsSync(join(elsewhere, '.labelsmith')), false);
    assert.deepEqual(
      found.predictions.map(({ file, class: name }) => [file, name]),
      [['fresh.png', 'upright']],
    );
    assert.deepEqual(
      found.failed.map(({ file }) => file),
      ['broken.png'],
    );
    const pilot = await runJson<{ predictions: { file: string }[] }>(
      ['teach', 'predict', join(dir, 'images'), '--model', model, '--limit', '3'],
      { cwd: elsewhere },
    );
    assert.deepEqual(
      pilot.predictions.map(({ file }) => file),
      ['0-0.png', '0-1.png', '0-10.png'],
    );
    const nowhere = await runCli(['teach', 'predict', 'not-there', '--model', model], { cwd: elsewhere });
    assert.deepEqual([nowhere.code, nowhere.stdout], [1, '']);
    assert.match(nowhere.stderr, /not-there does not exist/);
    await mkdir(join(elsewhere, 'bare'));
    const bare = await runCli(['teach', 'predict', 'bare', '--model', model], { cwd: elsewhere });
    assert.deepEqual([bare.code, bare.stdout], [1, 'file,class,confidence\n']);
    const bytes = await readFile(model);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), result.modelSha256);
    const ort = onnxRuntime();
    const session = await ort.InferenceSession.create(bytes, {});
    const [meta] = session.inputMetadata;
    const dims = (meta && 'shape' in meta ? meta.shape : []) as number[];
    const grey = new Uint8Array(dims.reduce((a, b) => a * b, 1)).fill(128);
    const answered = await session.run({ pixels: new ort.Tensor('uint8', grey, dims) }, session.outputNames);
    const probabilities = answered.probabilities?.data as Float32Array;
    const sum = [...probabilities].reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-5);
    await session.release();

    // ONNX Runtime's WebAssembly build, on the pixels of the file: what the command printed, to 1e-4.
    web.env.wasm.numThreads = 1;
    const elsewhereRun = await web.InferenceSession.create(bytes);
    const { info, close } = await openClassifier(model, { threads: 1 });
    await close();
    const seen = await pixelsFor(await readFile(join(dir, 'new', 'fresh.png')), info.input);
    const answer = await elsewhereRun.run({ pixels: new web.Tensor('uint8', seen, dims) });
    const same = answer.probabilities?.data as Float32Array;
    assert.deepEqual([...info.classNames].sort(), [...KINDS].sort());
    assert.equal(info.classNames[same.indexOf(Math.max(...same))], 'upright');
    assert.ok(Math.abs(Math.max(...same) - found.predictions[0]?.confidence) < 1e-4);
    const uneven = await elsewhereRun.run({ pixels: new web.Tensor('uint8', grey, dims) });
    assert.ok(uneven.probabilities);
    for (const [i, p] of (uneven.probabilities.data as Float32Array).entries()) {
      assert.ok(Math.abs(p - probabilities[i]) < 1e-4);
    }
    await elsewhereRun.release();
    // Weights that are no numbers: no image gets a class.
    const damaged = join(dir, 'damaged.onnx');
    await writeFile(damaged, Buffer.from(bytes).fill(0xff, 2_000_000, 2_004_000));
    const nonsense = await runCli(['teach', 'predict', 'new', '--model', damaged], at);
    assert.equal(nonsense.code, 1);
    assert.match(nonsense.stderr, /damaged\.onnx gives probabilities that are no numbers/);
    const noModel = await runCli(['teach', 'predict', 'new', '--model', 'truth.csv'], at);
    assert.equal(noModel.code, 1);
    assert.match(noModel.stderr, /truth\.csv is not a classifier of labelsmith/);
  });

  await t.test('auto --classifier labels another folder; again it has nothing to do', async () => {
    const elsewhere = await scratch(t);
    const model = join(dir, 'alone.onnx');
    const wrong = await runCli(['auto', join(dir, 'new'), '--classifier', 'nowhere'], { cwd: elsewhere });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /There is no classifier "nowhere"/);
    type Auto = { classified: { task: string; classified: number; labelled: number } };
    const first = await runJson<Auto>(['auto', join(dir, 'new'), '--classifier', model], { cwd: elsewhere });
    assert.deepEqual([first.classified.task, first.classified.classified], ['class', 1]);
    assert.equal(first.classified.labelled, 1);
    const again = await runJson<Auto>(['auto', join(dir, 'new'), '--classifier', model], { cwd: elsewhere });
    assert.equal(again.classified.classified, 0);
    // Its guesses are derived, and made again where they are gone.
    await rm(join(elsewhere, '.labelsmith/vectors'), { recursive: true });
    const healed = await runJson<Auto>(['auto', join(dir, 'new'), '--classifier', model], { cwd: elsewhere });
    assert.equal(healed.classified.classified, 1);
    await runJson(['export', 'csv', 'out.csv', '--task', 'class'], { cwd: elsewhere });
    assert.match(await readFile(join(elsewhere, 'out.csv'), 'utf8'), /fresh\.png,upright,.*model/);
  });
});

test('select, sort, import: the folder comes back as labels; the audit set is never trained on', async (t) => {
  const dir = await patternGround(t);
  const at = { cwd: dir };
  const chosen = await runJson<{ selected: number; audit: number; questions: { file: string; why: string }[] }>(
    ['teach', 'select', '-n', '9', '--audit', '6', '--out', 'sort'],
    at,
  );
  assert.deepEqual([chosen.selected, chosen.audit], [9, 6]);
  const kinds = new Set(chosen.questions.filter(({ why }) => why === 'typical').map(({ file }) => file[0]));
  assert.equal(kinds.size, 3, 'every kind is asked about');
  for (const [i, { file }] of chosen.questions.entries()) {
    const folder = KINDS[Number(file[0])] === 'level' ? 'level' : Number(file[0]) === 1 ? 'upright' : 'squares';
    await mkdir(join(dir, 'sort', folder), { recursive: true });
    const name = `${String(i + 1).padStart(2, '0')}-${file}`;
    await rename(join(dir, 'sort/_unlabelled', name), join(dir, 'sort', folder, name));
  }
  await runJson(['import', 'folders', 'sort', '--as', 'human'], at);
  const result = await runJson<Rounds & { audit: number; evaluation: { count: number; interval: number[] } }>(
    ['teach', 'rounds'],
    at,
  );
  assert.equal(result.labelled, 9, 'the six of the audit are labelled, and not learned from');
  assert.deepEqual(
    [result.evaluation.measuredOn, result.evaluation.count],
    ['cross-validation', 9],
    'six audit items say less than the labels',
  );
  assert.deepEqual(result.evaluation.interval, result.accuracy.newImages.interval);
  const wide = await runJson<Rounds>(
    ['teach', 'train', ...BACKBONES, '--search', 'wide', '--views', '2', '--budget', '4s'],
    at,
  );
  assert.ok(wide.accuracy.newImages.accuracy > 0.4 && wide.model.endsWith('class.base.onnx'));
  await checkBackbones(dir);
  const refused = await runCli(['teach', 'select', '--audit', '3', '--out', 'images/x'], at);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is inside a source/);
  assert.equal((await runCli(['teach', 'select', '--audit', '3', '--out', 'sort'], at)).code, 1);
  const { audit } = await runJson<{ audit: number }>(['teach', 'train'], at);
  assert.equal(audit, result.audit, 'what is refused draws no audit items');
  await checkAuditSize(dir);
});

/** Of 42 items 9 are labelled and 6 labelled in the audit set: no more than 31 may be, and those that are not labelled go. */
async function checkAuditSize(dir: string): Promise<void> {
  const at = { cwd: dir };
  for (const size of ['26', '27', '400']) {
    const refused = await runCli(['teach', 'select', '-n', '0', '--audit', size, '--out', 'more.csv'], at);
    assert.equal(refused.code, 2, size);
    assert.match(refused.stderr, /of 42 images, 27 are left to draw from/);
    assert.match(refused.stderr, /Give --audit 25 or less\. Or: .*--drop-audit/);
  }
  assert.equal(existsSync(join(dir, 'more.csv')), false);
  const drawn = await runJson<{ audit: number }>(
    ['teach', 'select', '-n', '0', '--audit', '25', '--out', 'more.csv'],
    at,
  );
  assert.equal(drawn.audit, 25);
  const full = await runCli(['teach', 'select', '--audit', '1', '--out', 'yet-more.csv'], at);
  assert.equal(full.code, 2);
  assert.match(full.stderr, /No more can be drawn\. Or: .*--drop-audit/);
  const dropping = ['teach', 'select', '-n', '0', '--drop-audit'];
  assert.deepEqual(await runJson(dropping, at), { dropped: 25 });
  assert.deepEqual(await runJson(dropping, at), { dropped: 0 }, 'what is labelled stays in the audit set');
  const asked = ['teach', 'select', '-n', '40', '--drop-audit', '--audit', '2', '--out', 'all.csv'];
  const { stdout } = await runCli(asked, at);
  assert.match(stdout, /Chose 25 images to label and drew 2 for the audit set/);
  assert.match(stdout, /Fill in its column class, then: labelsmith import csv all\.csv --as human\n/);
}

const BACKBONES = ['--backbones', 'mobilenetv3-small,centernet-backbone'];

/** Two embedders and both side by side are tried on the labelled images; what is chosen is the same after a kill. */
async function checkBackbones(dir: string): Promise<void> {
  const at = { cwd: dir };
  const search = ['teach', 'train', ...BACKBONES];
  const startedAt = performance.now();
  const found = await runJson<Wide>(search, at);
  const lengthMs = performance.now() - startedAt;
  assert.deepEqual(
    [...new Set(found.backbones.map(({ model }) => model))],
    ['mobilenetv3-small', 'centernet-backbone', 'mobilenetv3-small+centernet-backbone'],
  );
  assert.ok(found.backbones.every(({ labels, accuracy }) => labels === 9 && accuracy >= 0 && accuracy <= 1));
  assert.ok(found.backbones.some(({ model }) => model === found.embedder));
  await runCli(search, { ...at, killAfterMs: 0.6 * lengthMs });
  assert.equal((await runJson<Wide>(search, at)).modelSha256, found.modelSha256);
  for (const [names, said] of [
    ['no-such-model', /there is no model named "no-such-model"/],
    ['mobilenetv3-small,centernet', /model centernet is a detector, not an embedder/],
    ['mobilenetv3-small+nope', /there is no model named "nope"/],
  ] as const) {
    for (const args of [
      ['teach', 'rounds', '--backbones', names],
      ['embed', '--model', names.split(',').at(-1) as string],
    ]) {
      const refused = await runCli(args, at);
      assert.equal(refused.code, 2, args.join(' '));
      assert.match(refused.stderr, said);
      assert.match(refused.stderr, /Known embedders(?:: mobilenetv3-small, | like it: )centernet-backbone/);
    }
  }
}

interface Wide extends Rounds {
  readonly embedder: string;
  readonly backbones: readonly { readonly model: string; readonly labels: number; readonly accuracy: number }[];
}

test('regions: asked about in a sheet and a page, answered, learned, and the rest labelled', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await mkdir(join(dir, 'images'));
  const boxes = ['file,class,x1,y1,x2,y2'];
  for (let i = 0; i < 12; i++) {
    const halves = await Promise.all([pattern(0, i), pattern(1, i)]);
    const pair = sharp({ create: { width: 240, height: 120, channels: 3, background: '#fff' } })
      .composite(halves.map((input, side) => ({ input, left: 120 * side, top: 0 })))
      .png();
    await writeFile(join(dir, 'images', `pair-${i}.png`), await pair.toBuffer());
    boxes.push(`pair-${i}.png,thing,0,0,120,120`, `pair-${i}.png,thing,120,0,240,120`);
  }
  await writeFile(join(dir, 'boxes.csv'), boxes.join('\n'));
  await runJson(['add', 'images'], at);
  await runJson(['import', 'csv', 'boxes.csv'], at);
  const before = await runJson<{ regions: number }>(['status'], at);
  const chosen = await runJson<{ selected: number }>(
    ['teach', 'select', '--task', 'part', '--items', 'regions', '-n', '10', '--out', 'ask'],
    at,
  );
  assert.equal(chosen.selected, 10);
  assert.equal((await readFile(join(dir, 'ask/index.html'), 'utf8')).split('<li>').length - 1, 10);
  const [header, ...rows] = (await readFile(join(dir, 'ask/label.csv'), 'utf8')).trim().split('\n') as [
    string,
    ...string[],
  ];
  const columns = header.split(',');
  const answered = rows.map((row, i) => {
    const cells = row.split(',');
    const left = cells[columns.indexOf('x1')] === '0';
    // Of the last one only what it is not is known.
    if (i < 9) cells[1] = left ? 'level' : 'upright';
    else cells[columns.indexOf('not')] = left ? 'upright' : 'level';
    return cells.join(',');
  });
  await writeFile(join(dir, 'answers.csv'), [header, ...answered].join('\n'));
  const imported = await runJson<{ labels: number; regions: number }>(
    ['import', 'csv', 'answers.csv', '--as', 'human'],
    at,
  );
  assert.deepEqual(
    [imported.labels, imported.regions],
    [10, 0],
    'labels of the regions that were asked about, and one that is refused',
  );
  const result = await runJson<Rounds & { labels: number; unsure: number; items: number }>(
    ['teach', 'rounds', '--task', 'part', '--threshold', '0'],
    at,
  );
  assert.deepEqual([result.items, result.labelled, result.labels, result.unsure], [24, 9, 15, 0]);
  assert.equal((await runJson<{ regions: number }>(['status'], at)).regions, before.regions);
  await runJson(['export', 'csv', 'parts.csv', '--task', 'part'], at);
  const labels = (await readFile(join(dir, 'parts.csv'), 'utf8')).split('\n').filter((line) => line.includes(',part,'));
  const right = labels.filter((line) => line.includes(',upright,') === /,120,0,240,120/.test(line)).length;
  assert.ok(labels.length === 24 && right >= 20, `${right} of ${labels.length} right`);
  // By its task's name, in the workspace that taught it: the regions there are looked at again, what people said stays.
  const auto = await runJson<{ classified: { classified: number; labelled: number } }>(
    ['auto', 'images', '--classifier', 'part'],
    at,
  );
  assert.ok(auto.classified.classified >= 24, `${auto.classified.classified}`);
  await runJson(['export', 'csv', 'after.csv', '--task', 'part', '--origin', 'human'], at);
  const said = (await readFile(join(dir, 'after.csv'), 'utf8')).split('\n').filter((line) => line.includes(',human,'));
  assert.equal(said.length, 9);
  const whole = ['teach', 'select', '--items', 'images', '-n', '2', '--out', 'whole.csv', '--task'];
  assert.equal((await runJson<{ selected: number }>([...whole, 'pair'], at)).selected, 2, 'a new task of images');
  assert.match((await runCli([...whole.slice(0, -1), '--replace', '--task', 'part'], at)).stderr, /labels on regions/);
  const refused = await runCli(['teach', 'predict', 'images', '--task', 'part'], at);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /tells regions apart, not whole images/);
  assert.equal(refused.stdout, '');
});
