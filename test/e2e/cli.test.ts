/** The command line itself: help, wrong usage, what goes to which stream, exit codes. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { allCommands } from '../../src/cli/commands/table.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { valuesOf } from '../../src/cli/values.ts';
import { exitCodeOf, LabelsmithError } from '../../src/errors.ts';
import { runCli, runJson, scratch, startCli } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { photographs } from '../fixtures/photographs.ts';
import { filesUnder } from '../workspace.ts';

const COMMANDS = await allCommands();

test('every command has help with its options and examples', async (t) => {
  const dir = await scratch(t);
  const texts = new Map<string, string>();
  const waiting = COMMANDS.map(({ name }) => name);
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { code, stdout, stderr } = await runCli([...name.split(' '), '--help'], { cwd: dir });
      assert.deepEqual([code, stderr], [0, ''], name);
      texts.set(name, stdout);
    }
  };
  await Promise.all([worker(), worker()]);
  for (const { name, args, options, examples } of COMMANDS) {
    const text = texts.get(name) ?? '';
    assert.match(text, new RegExp(`^Usage: labelsmith ${name} `));
    for (const { usage } of Object.values(args)) assert.ok(text.includes(usage), `${name}: ${usage}`);
    for (const { flags } of Object.values(options)) assert.ok(text.includes(flags), `${name}: ${flags}`);
    assert.ok(examples.length > 0, `${name} has no example`);
    for (const [example] of examples) assert.ok(text.includes(example), `${name}: ${example}`);
    assert.match(text, /--workspace <dir>/);
  }
  for (const group of new Set(
    COMMANDS.flatMap(({ name }) => (name.includes(' ') ? name.split(' ').slice(0, 1) : [])),
  )) {
    const { stdout } = await runCli([group, '--help'], { cwd: dir });
    const own = COMMANDS.filter(({ name }) => name.startsWith(`${group} `));
    for (const { examples } of own)
      assert.ok(stdout.includes(examples[0]?.[0] ?? '?'), `${group}: ${examples[0]?.[0]}`);
  }
  assert.equal(existsSync(join(dir, '.labelsmith')), false, 'help writes nothing');
});

test('every example of the help is a command line that parses, to the command it is an example of', async () => {
  for (const { name, examples } of COMMANDS) {
    for (const [example] of examples) {
      // What stands before a pipe into it, and where its output goes, is the shell's.
      const line = /(?:^|[ |])labelsmith (.*?)(?: [|>] .*)?$/.exec(example)?.[1];
      assert.ok(line, `${name}: ${example}`);
      const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
      let ran = '';
      const recording = COMMANDS.map((spec) => ({
        ...spec,
        run: async (typed: Parameters<typeof spec.run>[0]) => {
          valuesOf(spec.args, typed.args);
          valuesOf(spec.options, typed.options);
          ran = spec.name;
          return undefined;
        },
      }));
      await runCommandLine(words, recording, new AbortController().signal);
      assert.equal(ran, name, example);
    }
  }
});

test('wrong usage: exit code 2, what was wrong, and what to do', async (t) => {
  const dir = await scratch(t);
  const cases: readonly (readonly [args: string, says: RegExp])[] = [
    ['detct', /unknown command 'detct'\n.*Did you mean detect\?.*\n.*labelsmith --help/],
    [
      'detect --treshold 0.3',
      /unknown option '--treshold'\n.*Did you mean --threshold\?.*\n.*labelsmith detect --help/,
    ],
    ['models lst', /unknown command 'lst'\n.*Did you mean list\?/],
    ['models', /Usage: labelsmith models/],
    ['add', /missing required argument 'source'\n.*labelsmith add --help/],
    ['detect extra', /too many arguments/],
    ['detect --threshold', /--threshold <t>' argument missing/],
    ['teach rounds --fine-tune', /--fine-tune <depth>' argument missing\n.*labelsmith teach rounds --help/],
    ['detect --threshold 3', /--threshold takes a number from 0 to 1.* not "3"/],
    ['detect --threshold person', /--threshold takes .* not "person"/],
    ['detect --classes a,,b', /--classes takes names with commas/],
    ['detect --threads 0', /--threads takes a whole number of at least 1, not "0"/],
    ['detect --limit 1.5', /--limit takes a whole number/],
    ['detect --shard-size none', /--shard-size takes a whole number/],
    ['detect --seed -1', /--seed takes a whole number of at least 0/],
    [
      'detect --image-labels best',
      /--image-labels takes any, most-confident or largest-area, not "best"\.\n.*labelsmith detect --help/,
    ],
    ['export coc out', /no format "coc"\n.*coco, yolo, /],
    ['export coco out --split train=.9', /add up to 0.9, not 1/],
    ['export coco out --origin me', /--origin takes human, imported/],
    ['export coco out --min-confidence 2', /--min-confidence takes a number from 0 to 1/],
    ['export csv labels.csv --images copy', /csv has no place for image files/],
    ['auto photos --dry-run', /takes no --dry-run.*\n.*These commands can: add, detect/],
  ];
  await writeFile(join(dir, 'one.jpg'), await jpegScene(64, 48));
  await runJson(['add', 'one.jpg'], { cwd: dir });
  const expected = filesUnder(dir);
  const asProcess = new Set(['detct', 'models', 'detect --treshold 0.3', 'detect --threads 0', 'export coc out']);
  for (const [args, says] of cases) {
    if (asProcess.has(args)) {
      const { code, stdout, stderr } = await runCli(args.split(' '), { cwd: dir });
      assert.deepEqual([code, stdout], [2, ''], args);
      assert.match(stderr, says, args);
      continue;
    }
    const words = [...args.split(' '), '-w', join(dir, '.labelsmith')];
    await assert.rejects(runCommandLine(words, COMMANDS, new AbortController().signal), (error) => {
      assert.ok(error instanceof LabelsmithError && exitCodeOf(error) === 2, `${args}: ${error}`);
      assert.match(`${error.message}\n${error.hint}`, says, args);
      return true;
    });
  }
  assert.deepEqual([...filesUnder(dir).keys()], [...expected.keys()], 'nothing was written');
});

test('without a workspace: exit code 1 and how to get one', async (t) => {
  const dir = await scratch(t);
  const needing = [
    'detect',
    'status',
    'corpus list',
    'export csv out.csv',
    'import csv in.csv',
    'evaluate truth',
    'report r.html',
  ];
  for (const args of needing) {
    const { code, stderr } = await runCli(args.split(' '), { cwd: dir });
    assert.equal(code, 1, args);
    assert.match(stderr, /no workspace at .*\n.*labelsmith add FOLDER.*--workspace/, args);
  }
  assert.equal(existsSync(join(dir, '.labelsmith')), false, 'and none is made');
});

describe('streams', () => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-test-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  before(async () => {
    await photographs(join(dir, 'photos'), ['other_2.jpg', 'meal_1.jpg', 'report_1.jpg']);
    await writeFile(join(dir, 'photos/bad.jpg'), '');
  });

  test('--json: exactly one document on stdout, everything else on stderr', async () => {
    const lines: readonly (readonly [args: string, code: number])[] = [
      ['auto photos', 0],
      ['add photos', 0],
      ['detect', 0],
      ['detect --force', 0],
      ['detect --dry-run', 0],
      ['status --quarantine --check', 0],
      ['corpus list', 0],
      ['export coco out', 0],
      ['export coco out', 1], // OUT is there
      ['export coco empty --min-confidence 1', 1], // no label is left
      ['export coco empty --min-confidence 1 --empty', 0],
      ['export coco out --replace', 0],
      ['import coco out', 0],
      ['evaluate out/annotations.json', 0],
      ['report report.html', 0],
      ['models list', 0],
      ['models pull centernet', 0],
      ['doctor', 0],
      ['import csv not-there.csv', 1],
      ['export csv', 2],
      ['nonsense', 2],
      ['teach', 2],
      ['corpus', 2],
    ];
    for (const [args, expected] of lines) {
      const { code, stdout, stderr } = await runCli([...args.split(' '), '--json'], { cwd: dir });
      if (args !== 'doctor') assert.equal(code, expected, `${args}: ${stderr}`);
      const document = JSON.parse(stdout) as { error?: { code: string; message: string } };
      assert.equal(typeof document, 'object', args);
      if (expected === 0) {
        assert.equal(document.error, undefined);
        continue;
      }
      assert.ok(document.error?.code && document.error.message, args);
      assert.ok(stderr.includes(document.error.message), `${args}: people see the message too`);
    }
  });

  test('results on stdout, progress on stderr, --quiet leaves only what was asked for', async () => {
    const loud = await runCli(['detect', '--force'], { cwd: dir });
    assert.match(loud.stdout, /^Detected \d+ regions in 3 images\.\n$/);
    assert.match(loud.stderr, /^detect +3\/3/m);
    const quiet = await runCli(['detect', '--force', '--quiet'], { cwd: dir });
    assert.deepEqual([quiet.stdout, quiet.stderr], ['', '']);
    const answer = await runCli(['corpus', 'list', '--quiet'], { cwd: dir });
    assert.match(answer.stdout, /^class .*\n/);
  });

  test('wrong usage points to the help of its command, whatever stands before it', async () => {
    const near = async (...args: string[]) => (await runCli(['-w', 'elsewhere', ...args], { cwd: dir })).stderr;
    assert.match(await near('export', 'coco'), /missing required argument 'out'\.?\n.*labelsmith export --help/);
    assert.match(await near('models', '--json'), /models needs a command: list, .*\n.*labelsmith models --help/);
  });

  test('global options stand before or after the command', async () => {
    const [after, ahead, between] = await Promise.all([
      runJson(['status', '-w', '.labelsmith'], { cwd: dir }),
      runJson(['-w', '.labelsmith', 'status'], { cwd: dir }),
      runCli(['--json', 'status', '--workspace=.labelsmith'], { cwd: dir }),
    ]);
    assert.deepEqual(after, ahead);
    assert.deepEqual(after, JSON.parse(between.stdout));
    const elsewhere = join(dir, 'elsewhere');
    await mkdir(elsewhere);
    assert.equal((await runCli(['--workspace', join(dir, '.labelsmith'), 'status'], { cwd: elsewhere })).code, 0);
  });

  test('a reader that closes the pipe ends the command quietly', async () => {
    const child = startCli(['export', '--help'], { cwd: dir });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout?.destroy();
    const code = await new Promise((done) => child.on('close', done));
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('nothing matched: exit code 1', async () => {
    await writeFile(join(dir, 'other.csv'), 'file,class\nnot-here.jpg,cat\n');
    const imported = await runCli(['import', 'csv', 'other.csv', '--as', 'human'], { cwd: dir });
    assert.equal(imported.code, 1);
    assert.match(imported.stderr, /1 image left out: no image of that name was added\n {2}other\.csv:2/);
    assert.equal((await runCli(['evaluate', 'other.csv'], { cwd: dir })).code, 1);
    await writeFile(join(dir, 'known.csv'), 'file,class\nmeal_1.jpg,meal\n');
    await runJson(['add', 'photos', '-w', 'unlabelled'], { cwd: dir });
    const nothing = await runCli(['evaluate', 'known.csv', '-w', 'unlabelled'], { cwd: dir });
    assert.equal(nothing.code, 1);
    assert.match(nothing.stdout, /Nothing to compare/);
    const args = ['export', 'crops', 'nothing', '--min-confidence', '1'];
    assert.equal((await runCli(args, { cwd: dir })).code, 1);
  });

  test('an import says what is not there, and that nothing in it has a class', async () => {
    const at = { cwd: dir };
    await mkdir(join(dir, 'hollow'));
    assert.match((await runCli(['import', 'crops', 'hollow'], at)).stderr, /hollow: there is no crops\.csv in it/);
    assert.match((await runCli(['import', 'csv', 'not-here.csv'], at)).stderr, /not-here\.csv does not exist/);
    await writeFile(join(dir, 'unfilled.csv'), 'file,class\nmeal_1.jpg,\n');
    const unfilled = await runCli(['import', 'csv', 'unfilled.csv'], at);
    assert.deepEqual([unfilled.code, unfilled.stdout], [0, 'Imported 0 labels and 0 regions for 1 entry.\n']);
    assert.match(unfilled.stderr, /None of them has a class/);
    assert.match(
      (await runCli(['import', 'folders', 'unfilled.csv'], at)).stderr,
      /is a file; folders is read from a folder/,
    );
  });

  test('a workspace whose embedder this machine does not have: nobody used the command wrongly', async () => {
    const workspace = ['-w', 'elsewhere'];
    await runJson(['add', 'photos', ...workspace], { cwd: dir });
    await runJson(['embed', ...workspace], { cwd: dir });
    const database = new DatabaseSync(join(dir, 'elsewhere/labelsmith.sqlite'));
    database.exec(`UPDATE setting SET value = replace(value, '"model":"mobilenetv3-small"', '"model":"theirs"')`);
    database.close();
    for (const command of [['discover'], ['match', 'photos']]) {
      const { code, stderr } = await runCli([...command, ...workspace], { cwd: dir });
      assert.equal(code, 1, command[0]);
      assert.match(
        stderr,
        /This workspace was embedded with theirs: there is no model named "theirs"\.\n.*models import/,
      );
    }
  });

  test('a file with nothing in it says so', async () => {
    for (const [format, name, text] of [
      ['jsonl', 'empty.jsonl', ''],
      ['jsonl', 'blank.jsonl', '\n \n'],
      ['csv', 'header.csv', 'file,class\n'],
    ] as const) {
      await writeFile(join(dir, name), text);
      const { code, stdout, stderr } = await runCli(['import', format, name], { cwd: dir });
      assert.deepEqual([code, stdout, stderr], [1, '', `labelsmith: ${name}: there is nothing in it to import\n`]);
    }
  });

  test('a folder without images says so', async () => {
    await mkdir(join(dir, 'bare'));
    const { code, stderr } = await runCli(['add', 'bare', '-w', 'none'], { cwd: dir });
    assert.equal(code, 1);
    assert.match(stderr, /^Nothing in bare is named like an image or an archive/);
  });

  test('a second run says that there is nothing to do', async () => {
    const again = await runCli(['detect'], { cwd: dir });
    assert.deepEqual([again.code, again.stdout], [0, 'Nothing to do: no image is left to detect in.\n']);
    await runJson(['embed'], { cwd: dir });
    const embedded = await runCli(['embed'], { cwd: dir });
    assert.deepEqual([embedded.code, embedded.stdout], [0, 'Nothing to do: no image is left to embed, of 3.\n']);
  });

  test('--limit: what it leaves for later is not counted as known', async () => {
    const pilot = ['add', 'photos', '--limit', '2', '-w', 'pilot'];
    const first = await runJson<Record<string, number>>(pilot, { cwd: dir });
    assert.deepEqual([first.files, first.images, first.unchanged], [2, 1, 0], 'bad.jpg and one photograph');
    const second = await runJson<Record<string, number>>(pilot, { cwd: dir });
    assert.deepEqual([second.files, second.images, second.unchanged], [2, 2, 2]);
    assert.equal(second.stillQuarantined, 1);
    const exported = await runCli(['export', 'csv', 'pilot.csv', '--limit', '1', '-w', 'pilot'], { cwd: dir });
    assert.match(exported.stderr, /--limit means nothing to export/);
    const again = await runCli(['add', 'photos', '-w', 'pilot', '--strict'], { cwd: dir });
    assert.equal(again.code, 1, 'a bad file does not become good by being known');
    assert.match(again.stdout, /Put aside earlier and unchanged: 1 file\./);
  });

  test('--strict: exit code 1 when a row matches nothing or a file was put aside', async () => {
    await writeFile(join(dir, 'some.csv'), 'file,class\nnot-here.jpg,cat\nmeal_1.jpg,meal\n');
    assert.equal((await runCli(['import', 'csv', 'some.csv'], { cwd: dir })).code, 0);
    assert.equal((await runCli(['import', 'csv', 'some.csv', '--strict'], { cwd: dir })).code, 1);
    assert.equal((await runCli(['add', 'photos', '-w', 'fresh'], { cwd: dir })).code, 0);
    assert.equal((await runCli(['add', 'photos', '-w', 'fresh-strict', '--strict'], { cwd: dir })).code, 1);
  });
});
