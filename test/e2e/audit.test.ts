/** `audit` through the built command line: drawn, answered as a CSV and as folders, read back. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { imagesIn } from '../workspace.ts';

const IMAGES = 24;

interface Result {
  readonly accuracy: { readonly estimate: number; readonly low: number; readonly high: number };
  readonly checked: number;
  readonly right: number;
  readonly drawn: number;
  readonly population: number;
  readonly classes: readonly { readonly className: string; readonly checked: number; readonly right: number }[];
  readonly unanswered: number;
  readonly newClasses: readonly string[];
}

/** Images that clusters call day (even) and night (odd). */
async function guessed(t: TestContext, origin = 'cluster', confidence?: number): Promise<string> {
  const cwd = await scratch(t);
  await mkdir(join(cwd, 'images'));
  const rows = ['file,class,confidence,origin,task'];
  for (let n = 0; n < IMAGES; n++) {
    const name = `${String(n).padStart(2, '0')}.jpg`;
    await writeFile(join(cwd, 'images', name), await jpegScene(96, 72, n));
    rows.push(`${name},${n % 2 ? 'night' : 'day'},${confidence ?? 0.4 + n / 50},${origin},class`);
  }
  await writeFile(join(cwd, 'guesses.csv'), `${rows.join('\n')}\n`);
  await runJson(['add', 'images'], { cwd });
  await runJson(['import', 'csv', 'guesses.csv'], { cwd });
  return cwd;
}

/** Rows of audit.csv, the header apart; no cell here is quoted. */
async function sheet(path: string): Promise<{ head: string[]; rows: string[][] }> {
  const [head, ...rows] = (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return { head: head, rows };
}

test('as a CSV: drawn with pictures, answered in part, then whole', async (t) => {
  const cwd = await guessed(t);
  const drawn = await runJson<{ items: number; out: string }>(['audit', 'class', '-n', '12'], { cwd });
  assert.equal(drawn.items, 12);
  assert.equal(drawn.out, join(cwd, 'audit-class'));
  const path = join(drawn.out, 'audit.csv');
  const { head, rows } = await sheet(path);
  assert.equal(rows.length, 12);
  for (const row of rows) {
    const picture = await readFile(join(drawn.out, row[head.indexOf('picture')]));
    assert.equal(picture.readUInt16BE(0), 0xffd8, 'a JPEG');
  }
  const nothing = await runCli(['audit', 'class', '--read', drawn.out], { cwd });
  assert.equal(nothing.code, 1, 'nothing was answered');

  const answers = ['yes', 'yes', 'no', 'dusk', 'none', '', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'];
  const write = (list: readonly string[]) =>
    writeFile(
      path,
      `${[head, ...rows.map((row, i) => [...row.slice(0, -1), list[i]])].map((row) => row.join(',')).join('\n')}\n`,
    );
  await write(answers);
  const part = await runJson<Result>(['audit', 'class', '--read', path], { cwd });
  assert.deepEqual([part.drawn, part.checked, part.right, part.unanswered, part.population], [12, 11, 8, 1, IMAGES]);
  assert.deepEqual(part.newClasses, ['dusk']);
  await write(answers.with(5, 'yes'));
  const whole = await runJson<Result>(['audit', 'class', '--read', drawn.out], { cwd });
  assert.deepEqual([whole.checked, whole.right, whole.unanswered], [12, 9, 0]);
  assert.ok(Math.abs(whole.accuracy.estimate - 9 / 12) < 0.1);
  assert.ok(whole.accuracy.low < 9 / 12 && whole.accuracy.high > 9 / 12 && whole.accuracy.high < 1);
  assert.equal(
    whole.classes.reduce((sum, { checked }) => sum + checked, 0),
    12,
  );
  const once = await runJson<Result>(['audit', 'class', '--result'], { cwd });
  assert.deepEqual(once.accuracy, whole.accuracy);
  assert.match((await runCli(['audit', 'class', '--result'], { cwd })).stdout, /95 % interval/);

  const labels = [...(await imagesIn(cwd)).values()].flatMap((image) => image.labels);
  assert.equal(labels.filter(({ origin }) => origin === 'human').length, 10, 'nine right and one dusk');
  const next = await runJson<{ items: number }>(['audit', 'class', '--out', 'second'], { cwd });
  assert.equal(next.items, IMAGES - 12, 'what people answered is not asked again');
});

/** Answers the sheet by the truth that every third image is wrong; gives how many were right. */
async function answerByTruth(out: string): Promise<number> {
  const { head, rows } = await sheet(join(out, 'audit.csv'));
  const right = (row: string[]) => Number(row[head.indexOf('file')]?.match(/(\d\d)\.jpg/)?.[1]) % 3 !== 0;
  const lines = [head, ...rows.map((row) => [...row.slice(0, -1), right(row) ? 'yes' : 'no'])];
  await writeFile(join(out, 'audit.csv'), `${lines.map((row) => row.join(',')).join('\n')}\n`);
  return rows.filter(right).length;
}

// Of one stratum, n answers of N labels are worth (n − 1) / (1 − n / N) = 22 for 12 of 24. By the number right:
// scipy.stats.beta.ppf(.025, p·22, 22 − p·22 + 1) and beta.ppf(.975, p·22 + 1, 22 − p·22), SciPy 1.10.1.
const BOUNDS: Readonly<Record<number, readonly [low: number, high: number]>> = {
  3: [0.0924392592, 0.4782311767],
  4: [0.1495493115, 0.5638165917],
  5: [0.2131088979, 0.6434687664],
  6: [0.2822105209, 0.7177894791],
  7: [0.3565312336, 0.7868911021],
  8: [0.4361834083, 0.8504506885],
  9: [0.5217688233, 0.9075607408],
  10: [0.6147092659, 0.9561809058],
  11: [0.7184470044, 0.9911175365],
};

for (const origin of ['detector', 'cluster', 'reference', 'model', 'imported'] as const) {
  test(`labels of origin ${origin}: the accuracy and its interval are those of SciPy`, async (t) => {
    const cwd = await guessed(t, origin, 0.7);
    const { out } = await runJson<{ out: string }>(['audit', 'class', '-n', '12', '--origin', origin], { cwd });
    const right = await answerByTruth(out);
    const { accuracy, checked, classes } = await runJson<Result>(['audit', 'class', '--read', out], { cwd });
    assert.deepEqual([checked, accuracy.estimate], [12, right / 12]);
    const [low, high] = BOUNDS[right];
    assert.ok(Math.abs(accuracy.low - low) < 1e-6 && Math.abs(accuracy.high - high) < 1e-6, JSON.stringify(accuracy));
    assert.deepEqual([...new Set(classes.map(({ className }) => className))].sort(), ['day', 'night']);
    assert.deepEqual(
      [classes.reduce((sum, one) => sum + one.checked, 0), classes.reduce((sum, one) => sum + one.right, 0)],
      [12, right],
    );
  });
}

/** Without when it was drawn: that is another time each time. */
function dayless(result: Result): unknown {
  return JSON.parse(JSON.stringify(result), (key, value) => (key === 'atMs' ? undefined : value));
}

test('SIGKILL while it is drawn and while it is read back: run again, the same sheet, the same result', async (t) => {
  const cwd = await guessed(t);
  const bare = join(cwd, 'bare');
  await cp(join(cwd, '.labelsmith'), bare, { recursive: true });
  const undisturbed = await runJson<{ out: string }>(['audit', 'class', '-n', '12'], { cwd });
  const wanted = await readFile(join(undisturbed.out, 'audit.csv'), 'utf8');
  await answerByTruth(undisturbed.out);
  const answered = await readFile(join(undisturbed.out, 'audit.csv'), 'utf8');
  const startedAt = performance.now();
  const result = await runJson<Result>(['audit', 'class', '--read', 'audit-class'], { cwd });
  const lengthMs = performance.now() - startedAt;
  const labels = JSON.stringify([...(await imagesIn(cwd))]);
  let killed = 0;
  // Early enough that a run which is quicker than the timed one is hit too.
  for (const share of [0.3, 0.5, 0.7]) {
    await rm(join(cwd, '.labelsmith'), { recursive: true });
    await rm(join(cwd, 'audit-class'), { recursive: true, force: true });
    await cp(bare, join(cwd, '.labelsmith'), { recursive: true });
    const draw = ['audit', 'class', '-n', '12', '--replace'];
    if ((await runCli(draw, { cwd, killAfterMs: lengthMs * share })).code === null) killed++;
    await runJson(draw, { cwd });
    assert.equal(await readFile(join(cwd, 'audit-class', 'audit.csv'), 'utf8'), wanted, `drawn, killed at ${share}`);
    await writeFile(join(cwd, 'audit-class', 'audit.csv'), answered);
    const read = ['audit', 'class', '--read', 'audit-class'];
    if ((await runCli(read, { cwd, killAfterMs: lengthMs * share })).code === null) killed++;
    const again = await runJson<Result>(read, { cwd });
    assert.deepEqual(dayless(again), dayless({ ...result, newClasses: [] }), `read, killed at ${share}`);
    assert.equal(JSON.stringify([...(await imagesIn(cwd))]), labels, `labels, killed at ${share}`);
  }
  assert.ok(killed >= 2, `only ${killed} of 6 kills hit the running command`);
});

test('as folders: what is moved is answered, what stays is not', async (t) => {
  const cwd = await guessed(t);
  await runJson(['audit', 'class', '-n', '10', '--as', 'folders', '--out', 'sort'], { cwd });
  const at = (...parts: string[]) => join(cwd, 'sort', ...parts);
  assert.deepEqual((await readdir(at())).filter((name) => !name.startsWith('.')).sort(), [
    '_none',
    '_to-check',
    '_wrong',
    'audit.json',
    'day',
    'night',
  ]);
  const days = await readdir(at('_to-check', 'day'));
  const nights = await readdir(at('_to-check', 'night'));
  assert.equal(days.length + nights.length, 10);
  const move = (from: string, to: string, name: string) => rename(at('_to-check', from, name), at(to, name));
  const [wrong, other, ...right] = days as [string, string, ...string[]];
  await move('day', '_wrong', wrong);
  await move('day', 'night', other);
  for (const name of right) await move('day', 'day', name);
  await mkdir(at('dawn'));
  await move('night', 'dawn', nights[0]);
  await move('night', '_none', nights[1]);
  await writeFile(at('day', 'mine.jpg'), 'x');
  const result = await runJson<Result & { unknown: string[] }>(['audit', 'class', '--read', 'sort'], { cwd });
  assert.deepEqual([result.checked, result.right], [days.length + 2, right.length]);
  assert.equal(result.unanswered, nights.length - 2);
  assert.deepEqual(result.unknown, ['day/mine.jpg']);
  assert.deepEqual(result.newClasses, ['dawn']);
});

test('regions are shown as crops', async (t) => {
  const cwd = await guessed(t);
  await writeFile(
    join(cwd, 'boxes.csv'),
    'file,class,confidence,origin,task,x1,y1,x2,y2\n00.jpg,cat,0.5,detector,objects,4,4,30,24\n01.jpg,dog,0.7,detector,objects,4,4,30,24\n',
  );
  await runJson(['import', 'csv', 'boxes.csv'], { cwd });
  const { out } = await runJson<{ out: string }>(['audit', 'objects', '--origin', 'detector'], { cwd });
  const { rows } = await sheet(join(out, 'audit.csv'));
  assert.deepEqual(rows.map((row) => row.slice(4, 9).join()).sort(), ['4,4,30,24,cat', '4,4,30,24,dog']);
});

test('what cannot be audited is refused with what to do', async (t) => {
  const cwd = await guessed(t);
  await runJson(['audit', 'class', '-n', '4'], { cwd });
  const cases: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['audit', 'nothing'], 1, /no task "nothing"/],
    [['audit', 'objects'], 1, /No label/],
    [['audit', 'objects', '--result'], 1, /Nothing was audited/],
    [['audit', 'class', '--origin', 'human', '--out', 'x'], 2, /--origin takes/],
    [['audit', 'class', '-n', '0'], 2, /--number/],
    [['audit', 'class'], 1, /not empty/],
    [['audit', 'class', '--out', 'images/sub'], 1, /source/],
    [['audit', 'objects', '--read', 'audit-class'], 2, /of the task "class"/],
    [['audit', 'class', '--read', 'images'], 1, /no audit\.csv/],
    [['audit', 'class', '--read', 'audit-class', '--result'], 2, /not both/],
  ];
  for (const [args, code, message] of cases) {
    const result = await runCli(args, { cwd });
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, message, args.join(' '));
  }
  const path = join(cwd, 'audit-class', 'audit.csv');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/^1,/m, 'one,'));
  assert.match(
    (await runCli(['audit', 'class', '--read', path], { cwd })).stderr,
    /audit\.csv:2: audit is a whole number/,
  );
});
