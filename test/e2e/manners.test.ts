/** What the command line says, and does not do, in awkward situations: streams that end, few images, other people's files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { photographs } from '../fixtures/photographs.ts';

test('streams that end or are full', async (t) => {
  const dir = await scratch(t);
  await writeFile(join(dir, 'one.jpg'), await jpegScene(320, 240));
  await runJson(['add', 'one.jpg'], { cwd: dir });
  if (existsSync('/dev/full')) {
    const full = spawnSync(process.execPath, [CLI, 'status', '--json'], {
      cwd: dir,
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      encoding: 'utf8',
    });
    assert.equal(full.status, 1);
    assert.equal(full.stderr, 'labelsmith: the output cannot be written: the disk is full\n');
  } else t.diagnostic('no /dev/full here: a full disk at stdout is not tried');
  // Nobody reads what is remarked.
  const deaf = spawnSync('sh', ['-c', `"$0" "$1" status --limit 1 2>&1 >answer.txt | true`, process.execPath, CLI], {
    cwd: dir,
  });
  assert.equal(deaf.status, 0);
  const closed = spawnSync('sh', ['-c', '"$0" "$1" status --limit 1 2>&-', process.execPath, CLI], { cwd: dir });
  assert.equal(closed.status, 0);
  assert.match(closed.stdout.toString(), /^Workspace /);
});

test('auto with few images says what was not done, and what comes next; again, that it was here before', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_1.jpg', 'other_2.jpg']);
  const first = await runCli(['auto', 'photos', '--threads', '1000'], { cwd: dir });
  assert.equal(first.code, 0, first.stderr);
  assert.match(
    first.stdout,
    /Too few for clusters that say anything: whole images are grouped from 20 on, and here are 2\. lab/,
  );
  assert.match(first.stdout, /Next:\n( {2}labelsmith [^\n]+\n {6}[^\n]+\n)+$/);
  assert.match(first.stderr, /note: \d+ threads are used: more would cost memory/);
  const again = await runJson<{ next: { command: string }[]; notClustered: unknown }>(['auto', 'photos'], { cwd: dir });
  assert.ok(again.next.length > 0);
  assert.deepEqual(again.notClustered, { images: 2, embedded: 0, least: 20 });
  const asked = await runCli(['auto', 'photos', '--k', '2'], { cwd: dir });
  assert.match(asked.stdout, /Grouped 2 images into 2 clusters\./);
  const many = await runCli(['auto', 'photos', '--k', '3', '-w', 'many'], { cwd: dir });
  assert.deepEqual([many.code, many.stderr.includes('Detect')], [2, false], many.stderr);
  assert.match(many.stderr, /3 clusters cannot be made of 2 images\./);
  const told = await runCli(['auto', 'photos'], { cwd: dir });
  assert.match(told.stdout, /^This workspace has 2 images already/);
  const quiet = await runCli(['auto', 'photos', '-q'], { cwd: dir });
  assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', '']);
  await mkdir(join(dir, 'empty'));
  const nothing = await runCli(['auto', 'empty', '-w', 'other'], { cwd: dir });
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /There is no image in empty/);
});

test('a report takes the place of a report only, and shows no path of this machine', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos/a.jpg'), await jpegScene(320, 240));
  await copyFile(join(dir, 'photos/a.jpg'), join(dir, 'photos/b.jpg'));
  await writeFile(join(dir, 'photos/bad.jpg'), 'x');
  await writeFile(join(dir, 'notes.txt'), 'precious');
  await runJson(['add', 'photos'], { cwd: dir });
  const photo = await readFile(join(dir, 'photos/a.jpg'));
  for (const args of [
    ['report', 'photos/a.jpg'],
    ['report', 'notes.txt'],
    ['auto', 'photos', '--report', 'notes.txt'],
    ['export', 'csv', 'photos/a.jpg', '--unlabelled', '--replace'],
    ['export', 'csv', 'notes.txt', '--unlabelled', '--replace'],
    ['export', 'coco', 'photos', '--replace'],
    ['corpus', 'export', 'notes.txt', '--format', 'json', '--replace'],
  ]) {
    const { code, stderr } = await runCli(args, { cwd: dir });
    assert.equal(code, 1, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /is not replaced|is a source|contains a source/, args.join(' '));
  }
  assert.deepEqual(await readFile(join(dir, 'photos/a.jpg')), photo);
  assert.equal(await readFile(join(dir, 'notes.txt'), 'utf8'), 'precious');
  await runJson(['report', 'r.html'], { cwd: dir });
  await runJson(['report', 'r.html'], { cwd: dir });
  const page = await readFile(join(dir, 'r.html'), 'utf8');
  assert.ok(page.includes('photos/b.jpg') && page.includes('bad.jpg'), 'files are named');
  assert.ok(!page.includes(dir), 'no absolute path');
  await runJson(['report', 'r.html', '--paths', 'absolute'], { cwd: dir });
  assert.ok((await readFile(join(dir, 'r.html'), 'utf8')).includes(dir));
});

test('an export names its task, has no background that nobody looked at, and is not empty without a word', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_1.jpg', 'other_2.jpg', 'report_1.jpg']);
  await runJson(['add', 'photos'], { cwd: dir });
  const nothing = await runCli(['export', 'coco', 'out'], { cwd: dir });
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /There is no label in the task objects to export to coco\.\n.*--empty/);
  assert.equal(existsSync(join(dir, 'out')), false);
  await runJson(['export', 'coco', 'empty', '--empty'], { cwd: dir });
  await runJson(['detect', '--limit', '2'], { cwd: dir });
  interface Exported {
    readonly task: string | null;
    readonly images: number;
    readonly notLookedAt: number;
    readonly background: string;
  }
  const imagesOf = async (out: string, ...options: string[]) => {
    const { task, images, notLookedAt } = await runJson<Exported>(['export', 'coco', out, ...options], { cwd: dir });
    return [task, images, notLookedAt];
  };
  assert.deepEqual(await imagesOf('looked'), ['objects', 2, 1]);
  assert.deepEqual(await imagesOf('all', '--background', 'all'), ['objects', 3, 0]);
  assert.deepEqual(await imagesOf('same', '--unlabelled'), ['objects', 3, 0]);
  const told = await runCli(['export', 'coco', 'told'], { cwd: dir });
  assert.match(told.stdout, / of the task objects as coco to /);
  assert.match(told.stderr, /Left out 1 image that no detector went over/);
  await runJson(['detect'], { cwd: dir });
  assert.deepEqual(await imagesOf('whole'), ['objects', 3, 0]);
  await writeFile(join(dir, 'signs.csv'), 'file,class,x1,y1,x2,y2\nother_1.jpg,sign,5,5,60,60\n');
  await runJson(['import', 'csv', 'signs.csv', '--task', 'signs'], { cwd: dir });
  assert.deepEqual(await imagesOf('signs', '--task', 'signs'), ['signs', 1, 2], 'nothing looked for signs');
  assert.deepEqual((await runJson<Exported>(['export', 'jsonl', 'all.jsonl'], { cwd: dir })).task, null);
});

test('a name that fills what a file system allows is exported as sidecar under a shorter one', async (t) => {
  const dir = await scratch(t);
  const name = `${'漢'.repeat(83)}.jpg`;
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', name), await jpegScene(320, 240));
  await writeFile(join(dir, 'labels.csv'), `file,class\n${name},cat\n`);
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['import', 'csv', 'labels.csv'], { cwd: dir });
  const { images, renamed } = await runJson<{ images: number; renamed: number }>(['export', 'xmp', 'out'], {
    cwd: dir,
  });
  assert.deepEqual([images, renamed], [1, 1]);
});

test('names that nothing has are told', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_1.jpg']);
  await runJson(['add', 'photos'], { cwd: dir });
  await writeFile(join(dir, 'none.json'), '{"Person": "human", "vases": "pot"}');
  await writeFile(join(dir, 'some.json'), '{"person": "human", "vases": "pot"}');
  const none = await runCli(['detect', '--mapping', 'none.json'], { cwd: dir });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /names nothing that the model finds: Person, vases\.\n.*Did you mean person, vase\?/);
  const some = await runCli(['detect', '--mapping', 'some.json'], { cwd: dir });
  assert.equal(some.code, 0);
  assert.match(some.stderr, /The mapping names what this model does not find: vases\./);
  await writeFile(join(dir, 'labels.csv'), 'file,class\nother_1.jpg,resistor\n');
  await runJson(['import', 'csv', 'labels.csv'], { cwd: dir });
  await writeFile(join(dir, 'map.json'), '{"resister": "part"}');
  const mapped = await runCli(['corpus', 'map', 'map.json'], { cwd: dir });
  assert.match(mapped.stderr, /"resister" is no class here; did you mean resistor\?/);
});

/** What a user can do is never a bug of ours, however odd. Files of a line each are made first. */
const ODD: readonly (readonly [args: string, files?: Readonly<Record<string, string>>])[] = [
  ['report /dev/full'],
  ['report photos/'],
  ['export coco photos/a.jpg/out'],
  ['export csv ./'],
  [`export csv ${'n'.repeat(300)}.csv --unlabelled`],
  ['export folders out --task nope'],
  ['import csv photos'],
  ['import csv /dev/null'],
  ['import jsonl deep.jsonl', { 'deep.jsonl': `{"file":"a.jpg","labels":${'['.repeat(50_000)}${']'.repeat(50_000)}}` }],
  ['import jsonl half.jsonl', { 'half.jsonl': '{"file":"a.jpg","labels":[{"class":"\\ud800","task":"class"}]}' }],
  ['import jsonl task.jsonl', { 'task.jsonl': '{"file":"a.jpg","labels":[{"class":"x","task":"\\udfff"}]}' }],
  ['import coco deep.json', { 'deep.json': `${'['.repeat(50_000)}` }],
  ['import coco odd.json', { 'odd.json': '{"images":7,"annotations":{},"categories":null}' }],
  ['import voc photos'],
  ['corpus map deep.json', { 'deep.json': `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}` }],
  ['corpus import odd.json', { 'odd.json': '{"classes":[{"name":{"a":1}}]}' }],
  ['corpus import half.csv', { 'half.csv': 'class\n"' }],
  ['corpus rename x y'],
  ['corpus undo 99999999'],
  ['detect --mapping photos'],
  ['detect --model /dev/null'],
  ['detect --threshold person=0.5,person=0.6 --classes person,person'],
  ['models import photos/a.jpg'],
  ['models import empty.onnx', { 'empty.onnx': '' }],
  ['match photos'],
  ['match empty'],
  ['similar photos/a.jpg'],
  ['discover --k 4 --level 1'],
  ['teach predict photos --model photos/a.jpg'],
  ['teach rounds'],
  ['teach select --out photos'],
  ['audit class'],
  ['audit nope --read photos'],
  ['evaluate photos'],
  ['evaluate /dev/null'],
  ['add /dev/zero'],
  ['add @photos/a.jpg'],
  ['status -w photos/a.jpg'],
  ['status -w /dev/null'],
  ['status --seed 9007199254740991'],
];

test('never "this is a bug" for what a user can do', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  await mkdir(join(dir, 'empty'));
  await writeFile(join(dir, 'photos/a.jpg'), await jpegScene(320, 240));
  await runJson(['add', 'photos'], { cwd: dir });
  const waiting = [...ODD];
  const wrong: string[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [args, files = {}] = next;
      const own = await scratch(t);
      for (const [name, text] of Object.entries(files)) await writeFile(join(own, name), text);
      const words = args.split(' ').map((word) => (word in files ? join(own, word) : word));
      const { code, stdout, stderr } = await runCli([...words, '--json'], { cwd: dir, killAfterMs: 60_000 });
      const isBug = /this is a bug|"BUG"|^ {4}at /m.test(stderr + stdout);
      if (isBug || code === null) wrong.push(`${args.slice(0, 80)}: exit ${code}\n${stderr.slice(0, 400)}`);
    }
  };
  await Promise.all([worker(), worker()]);
  assert.deepEqual(wrong, []);
});
