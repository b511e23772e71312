/** Rows of a table that contradict one another: which task they go into, what is told, and what is left out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCli, runJson } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';

const dir = mkdtempSync(join(tmpdir(), 'labelsmith-test-'));
after(() => rmSync(dir, { recursive: true, force: true }));
before(async () => {
  await mkdir(join(dir, 'photos'));
  for (const [i, name] of ['meal_1.jpg', 'report_1.jpg', 'other_2.jpg'].entries())
    await writeFile(join(dir, 'photos', name), await jpegScene(96, 72, i));
  await runJson(['add', 'photos'], { cwd: dir });
});

test('rows that say two classes of one image are told, wherever they stand', async () => {
  const rows = ['file,class', 'meal_1.jpg,meal', 'report_1.jpg,paper', 'meal_1.jpg,lunch', 'meal_1.jpg,meal'];
  await writeFile(join(dir, 'two.csv'), rows.join('\n'));
  type Summary = { tasks: object; severalClasses: object[] };
  const anyTask = await runJson<Summary>(['import', 'csv', 'two.csv'], { cwd: dir });
  // What a row says again is one label.
  assert.deepEqual(anyTask.tasks, { labels: 3 });
  assert.deepEqual(anyTask.severalClasses, [{ task: 'labels', keeps: 'all', where: 'two.csv:4' }]);
  const single = await runCli(['import', 'csv', 'two.csv', '--task', 'class'], { cwd: dir });
  assert.equal(single.code, 0);
  assert.match(single.stderr, /^two\.csv:4 says another class of an image; the task class keeps one, the last said/);
  await writeFile(join(dir, 'agree.csv'), 'file,class\nmeal_1.jpg,meal\nreport_1.jpg,paper\nmeal_1.jpg,meal\n');
  const agreed = await runJson<Summary>(['import', 'csv', 'agree.csv'], { cwd: dir });
  assert.deepEqual([agreed.tasks, agreed.severalClasses], [{ class: 2 }, []]);
});

test('a few rows that contradict others leave a table of one class an image what it is', async () => {
  const pictures = Array.from({ length: 20 }, (_, i) => `${i}.jpg`);
  await mkdir(join(dir, 'few'));
  for (const [i, name] of pictures.entries()) await writeFile(join(dir, 'few', name), await jpegScene(40, 30, 500 + i));
  const at = { cwd: join(dir, 'few') };
  await runJson(['add', '.'], at);
  const rows = pictures.map((name, i) => `${name},${i % 2 === 0 ? 'meal' : 'paper'}`);
  type Summary = {
    tasks: object;
    severalClasses: object[];
    reckoning: { problems: { reason: string; count: number; examples: object[] }[] };
  };
  const read = async (more: string[]) => {
    await writeFile(join(dir, 'few', 'few.csv'), ['file,class', ...rows, ...more].join('\n'));
    return runJson<Summary>(['import', 'csv', 'few.csv'], at);
  };
  const few = await read(['0.jpg,paper', '1.jpg,meal']);
  assert.deepEqual([few.tasks, few.severalClasses], [{ class: 22 }, []]);
  const examples = [
    { where: 'few.csv:22', what: '0.jpg is "paper", and was another class' },
    { where: 'few.csv:23', what: '1.jpg is "meal", and was another class' },
  ];
  assert.deepEqual(
    few.reckoning.problems.map(({ reason, count, examples: shown }) => [reason, count, shown]),
    [['class-contradicts', 2, examples]],
  );
  // One more, and several classes are meant.
  assert.deepEqual((await read(['0.jpg,paper', '1.jpg,meal', '2.jpg,paper'])).tasks, { labels: 23 });
});

test('answers of a sheet stay in their task; those that contradict each other are named and left out', async () => {
  const at = { cwd: dir };
  const workspace = ['-w', 'answers'];
  await runJson(['add', 'photos', ...workspace], at);
  const write = (rows: string[]) => writeFile(join(dir, 'sheet.csv'), ['file,class,not', ...rows].join('\n'));
  const sheet = ['import', 'csv', 'sheet.csv', '--as', 'human', ...workspace];
  type Summary = Record<'matched' | 'labels', number> & {
    tasks: object;
    severalClasses: object[];
    contradictions: string[];
    unknownClasses: string[];
  };
  await write(['meal_1.jpg,meal,', 'report_1.jpg,paper,meal', 'other_2.jpg,,papr', 'meal_1.jpg,lunch,']);
  const rivals = await runJson<Summary>(sheet, at);
  assert.deepEqual([rivals.matched, rivals.labels, rivals.tasks], [4, 3, { class: 3 }]);
  assert.deepEqual(rivals.contradictions, ['sheet.csv:2, sheet.csv:5: meal_1.jpg is said to be "meal" and "lunch"']);
  assert.deepEqual(rivals.unknownClasses, ['sheet.csv:4: there is no class "papr"; is "paper" meant?']);
  assert.deepEqual(rivals.severalClasses, []);

  await write(['meal_1.jpg,meal,meal', 'report_1.jpg,paper,', 'other_2.jpg,,meal', 'other_2.jpg,,paper']);
  const itself = await runCli(sheet, at);
  assert.equal(itself.code, 0);
  assert.match(itself.stdout, /^Imported 3 labels/);
  assert.match(
    itself.stderr,
    /^The answers for 1 item contradict each other and were left out:\n {2}sheet\.csv:2: meal_1\.jpg is said to be "meal" and not to be$/m,
  );
  assert.equal((await runCli([...sheet, '--strict'], at)).code, 1);
  await runJson(['export', 'csv', 'answers.csv', ...workspace], at);
  assert.doesNotMatch(await readFile(join(dir, 'answers.csv'), 'utf8'), /meal_1/);
});
