/**
 * What becomes of a run when the machine does not do what it should: no permission, a full disk, another process, a
 * damaged or newer workspace, a damaged model, no network. Every outcome is written down: the error's code and what the
 * user is told to do; and after the cause is gone, the same command completes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { cacheDirectory, sourcePath } from '../../src/fetch/cache.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { prepareModel } from '../../src/models/prepare.ts';
import { CLI, type CliOptions, runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { photographs } from '../fixtures/photographs.ts';
import { filesUnder, imagesIn, statusIn } from '../workspace.ts';

const DATABASE = '.labelsmith/labelsmith.sqlite';

/** `count` pictures that all differ, in `dir`. */
async function pictures(dir: string, count: number, from = 0): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (let i = from; i < from + count; i++) await writeFile(join(dir, `${i}.jpg`), await jpegScene(64, 48, 100 + i));
}

/** The error document of a command that has to fail, with exit code 1. */
async function failing(args: readonly string[], options: CliOptions): Promise<{ code: string; text: string }> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options);
  assert.equal(code, 1, `labelsmith ${args.join(' ')}\n${stdout}\n${stderr}`);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint?: string } };
  return { code: error.code, text: `${error.message} ${error.hint ?? ''}` };
}

const NOBODY = 65534;

/** Whom permissions hold for: this user, or nobody where the tests run as root; a string says why that cannot be. */
function underPermissions(): { readonly uid?: number } | string {
  if (process.getuid?.() === undefined) return 'no POSIX permissions on this system';
  if (process.getuid() !== 0) return {};
  const tried = spawnSync(process.execPath, [CLI, '--version'], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
  if (tried.status === 0) return { uid: NOBODY };
  return `root may read everything, and nobody cannot run ${CLI} (${tried.error?.message ?? tried.stderr.split('\n')[0]})`;
}
const user = underPermissions();
const noPermissions = typeof user === 'string' ? user : false;
const uid = typeof user === 'string' ? undefined : user.uid;

/** Gives a folder to the user that permissions hold for. */
function giveAway(dir: string): void {
  if (uid === undefined) return;
  chownSync(dir, uid, uid);
  for (const name of readdirSync(dir, { recursive: true })) chownSync(join(dir, String(name)), uid, uid);
}

test('an import passes over a folder of the tree that may not be read, and tells it', {
  skip: noPermissions,
}, async (t) => {
  const dir = await scratch(t);
  await pictures(join(dir, 'tree', 'cat'), 1);
  await pictures(join(dir, 'tree', 'dog'), 1, 1);
  await pictures(join(dir, 'tree', 'closed'), 1, 2);
  giveAway(dir);
  chmodSync(join(dir, 'tree', 'closed'), 0);
  await runJson(['add', 'tree'], { cwd: dir, uid });
  for (const format of ['auto', 'folders']) {
    const { labels, reckoning } = await runJson<{
      labels: number;
      reckoning: { problems: { reason: string; examples: { where: string }[] }[] };
    }>(['import', format, 'tree'], { cwd: dir, uid });
    assert.equal(labels, 2);
    assert.deepEqual(
      reckoning.problems.map(({ reason, examples }) => [reason, examples.map(({ where }) => where)]),
      [['folder-unreadable', ['closed']]],
    );
  }
  chmodSync(join(dir, 'tree'), 0);
  const { text } = await failing(['import', 'folders', 'tree'], { cwd: dir, uid });
  chmodSync(join(dir, 'tree'), 0o700);
  assert.match(text, /EACCES|permission denied/);
});

test('files and folders that may not be read', { skip: noPermissions }, async (t) => {
  const dir = await scratch(t);
  const files = join(dir, 'files');
  await pictures(files, 3);
  await pictures(join(files, 'locked'), 1, 3);
  giveAway(dir);
  chmodSync(join(files, '1.jpg'), 0);
  chmodSync(join(files, 'locked'), 0);
  const added = await runJson(['add', 'files'], { cwd: dir, uid });
  assert.deepEqual([added.images, added.quarantined], [2, 2]);
  const rows = (await statusIn(dir)).quarantine.map(({ path, reason }) => [path.slice(files.length + 1), reason]);
  assert.deepEqual(rows, [
    ['1.jpg', 'unreadable'],
    ['locked', 'unreadable'],
  ]);

  chmodSync(join(files, '1.jpg'), 0o644);
  chmodSync(join(files, 'locked'), 0o755);
  const again = await runJson(['add', 'files'], { cwd: dir, uid });
  assert.deepEqual([again.images, again.unchanged], [2, 2], 'tried again, though neither size nor time has changed');
  assert.deepEqual(
    (await statusIn(dir)).quarantine.filter(({ path }) => path.endsWith('.jpg')),
    [],
  );
});

test('a workspace that may not be written', { skip: noPermissions }, async (t) => {
  const dir = await scratch(t);
  await pictures(join(dir, 'files'), 2);
  giveAway(dir);
  await runJson(['add', 'files'], { cwd: dir, uid });
  const before = filesUnder(join(dir, '.labelsmith'));
  const protect = (mode: number) => {
    for (const name of readdirSync(join(dir, '.labelsmith'))) chmodSync(join(dir, '.labelsmith', name), mode & 0o666);
    chmodSync(join(dir, '.labelsmith'), mode);
  };
  protect(0o555);
  const { code, text } = await failing(['add', 'files'], { cwd: dir, uid });
  assert.equal(code, 'WORKSPACE', text);
  assert.match(text, /may only be read here.*right to write.*--workspace/);
  const { images } = await runJson(['status'], { cwd: dir, uid });
  assert.equal(images, 2, 'what is there can be read');
  assert.deepEqual(filesUnder(join(dir, '.labelsmith')), before);
  protect(0o755);
  assert.equal((await runJson(['add', 'files'], { cwd: dir, uid })).unchanged, 2);

  await t.test('and a folder in which none can be made', async () => {
    chmodSync(dir, 0o555);
    const { code, text } = await failing(['add', 'files', '-w', 'new'], { cwd: dir, uid });
    chmodSync(dir, 0o755);
    assert.equal(code, 'WORKSPACE');
    assert.match(text, /cannot be (created|made).*--workspace/);
  });
});

test('something else where the workspace should be', async (t) => {
  const dir = await scratch(t);
  await pictures(join(dir, 'files'), 1);
  const outcomes: readonly (readonly [what: string, make: (workspace: string) => void, message: RegExp])[] = [
    ['a file', (workspace) => writeFileSync(workspace, 'a file'), /cannot be (created|made|opened).*--workspace/],
    [
      'words for a database',
      (workspace) => {
        mkdirSync(workspace);
        writeFileSync(join(workspace, 'labelsmith.sqlite'), 'These are words. '.repeat(1000));
      },
      /damaged or not a database.*Put back a copy/,
    ],
    [
      'the database of another program',
      (workspace) => {
        mkdirSync(workspace);
        const database = new DatabaseSync(join(workspace, 'labelsmith.sqlite'));
        database.exec('CREATE TABLE notes (text TEXT); PRAGMA application_id = 1');
        database.close();
      },
      /another program.*--workspace/,
    ],
  ];
  for (const [i, [what, make, message]] of outcomes.entries()) {
    await t.test(what, async () => {
      const workspace = join(dir, `workspace-${i}`);
      make(workspace);
      const before = existsSync(join(workspace, 'labelsmith.sqlite')) ? filesUnder(workspace) : undefined;
      for (const command of [['add', 'files'], ['detect'], ['status']]) {
        const { code, text } = await failing([...command, '-w', workspace], { cwd: dir });
        assert.equal(code, 'WORKSPACE', text);
        assert.match(text, command[0] === 'add' || before ? message : /no workspace|cannot be/);
      }
      if (before) assert.deepEqual(filesUnder(workspace), before, 'left as it was');
    });
  }

  await t.test('a workspace of a newer version', async () => {
    await runJson(['add', 'files'], { cwd: dir });
    const database = new DatabaseSync(join(dir, DATABASE));
    database.exec('PRAGMA user_version = 99');
    database.close();
    const before = filesUnder(join(dir, '.labelsmith'));
    for (const command of [['add', 'files'], ['detect'], ['status'], ['export', 'csv', 'out.csv']]) {
      const { code, text } = await failing(command, { cwd: dir });
      assert.equal(code, 'WORKSPACE');
      assert.match(text, /newer version of labelsmith \(schema 99.*npm install labelsmith@latest/);
    }
    assert.deepEqual(filesUnder(join(dir, '.labelsmith')), before, 'left as it was');
  });

  await t.test('a cut database', async () => {
    const damaged = join(dir, 'damaged');
    await pictures(join(dir, 'many'), 40);
    await runJson(['add', 'many', '-w', damaged], { cwd: dir });
    const file = join(damaged, 'labelsmith.sqlite');
    writeFileSync(file, readFileSync(file).subarray(0, 40_000));
    const { code, text } = await failing(['export', 'csv', 'out.csv', '--unlabelled', '-w', damaged], { cwd: dir });
    assert.equal(code, 'WORKSPACE', text);
    assert.match(text, /damaged/);
  });
});

test('outputs over what must not be lost', async (t) => {
  const dir = await scratch(t);
  await pictures(join(dir, 'files/sub'), 2);
  await runJson(['add', 'files'], { cwd: dir });
  await pictures(join(dir, 'precious'), 1);
  const before = filesUnder(dir);
  const outcomes: readonly (readonly [out: string, options: readonly string[], message: RegExp])[] = [
    ['files', ['--replace'], /is a source.*Choose an output outside/],
    ['files/sub', ['--replace'], /a source.*Choose an output outside/],
    ['files/new', [], /inside a source.*Choose an output outside/],
    ['.', ['--replace'], /contains.*Choose an output outside/],
    ['.labelsmith', ['--replace'], /is the workspace.*Choose an output outside/],
    ['.labelsmith/out', [], /inside the workspace.*Choose an output outside/],
    ['precious', [], /there already and not empty.*--replace/],
  ];
  for (const [out, options, message] of outcomes) {
    const { code, text } = await failing(['export', 'coco', out, '--images', 'copy', ...options], { cwd: dir });
    assert.equal(code, 'REFUSED', text);
    assert.match(text, message);
  }
  const after = filesUnder(dir);
  for (const [file, hash] of before) if (!file.startsWith('.labelsmith')) assert.equal(after.get(file), hash, file);
  assert.deepEqual([...after.keys()].filter((file) => !file.startsWith('.labelsmith')).length, 3);
});

/** A small disk that is gone after the test, or the reason why none can be made. */
function smallDisk(t: TestContext, size: string): { readonly path: string } | string {
  const path = mkdtempSync(join(tmpdir(), 'labelsmith-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { encoding: 'utf8' });
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', [path]);
    rmdirSync(path);
  });
  if (mounted.status === 0) return { path };
  return `no small disk can be mounted here (${mounted.error?.message ?? mounted.stderr.trim()})`;
}

function resize(path: string, size: string): void {
  assert.equal(spawnSync('mount', ['-o', `remount,size=${size}`, path]).status, 0);
}

/** Leaves `kB` of room on it. */
function fill(path: string, kB: number): void {
  const used = Number.parseInt(spawnSync('du', ['-sk', path], { encoding: 'utf8' }).stdout, 10);
  resize(path, `${used + kB}k`);
}

test('a full disk', async (t) => {
  const dir = await scratch(t);
  const small = smallDisk(t, '680k');
  if (typeof small === 'string') return t.skip(small);
  const disk = small.path;
  await pictures(join(dir, 'files'), 100);
  const shards = ['--shard-size', '4', '--threads', '2'];
  const add = ['add', join(dir, 'files'), ...shards];

  await t.test('under the workspace in add: what was committed stays, and more space completes it', async () => {
    const { code, text } = await failing(add, { cwd: disk });
    assert.equal(code, 'DISK_FULL', text);
    assert.match(text, /No room left.*Free some space and run the command again/);
    resize(disk, '60m');
    const { images, integrity, runs } = await statusIn(disk);
    assert.equal(integrity, 'ok');
    assert.ok(images > 0 && images < 100 && images % 4 === 0, `${images} images: whole shards`);
    // The record of how it ended may not have found room itself; then it counts as running until its lease is over.
    assert.match(runs[0]?.status ?? '', /failed|interrupted|running/);
    const again = await runJson(add, { cwd: disk });
    assert.deepEqual([again.images, again.unchanged], [100 - images, images]);
    assert.deepEqual([...(await imagesIn(disk)).keys()].length, 100);
  });

  await t.test('under status: what is there is told all the same', async () => {
    fill(disk, 0);
    const { images } = await statusIn(disk);
    assert.equal(images, 100);
    resize(disk, '60m');
  });

  await t.test('under an export: nothing is left of it, and the earlier one stands', async () => {
    await runJson(['export', 'coco', 'out', '--images', 'none', '--empty', '--background', 'all'], { cwd: disk });
    const before = filesUnder(join(disk, 'out'));
    fill(disk, 60);
    for (const format of ['coco', 'yolo'] as const) {
      const args = ['export', format, 'out', '--images', 'copy', '--empty', '--background', 'all', '--replace'];
      const { code, text } = await failing(args, { cwd: disk });
      assert.equal(code, 'DISK_FULL', text);
      assert.match(text, /no room left while writing .*as it was before.*Free some space/i);
      assert.deepEqual(filesUnder(join(disk, 'out')), before);
      assert.deepEqual(readdirSync(disk).sort(), ['.labelsmith', 'out']);
    }
    resize(disk, '60m');
    const { images } = await runJson(
      ['export', 'coco', 'out', '--images', 'copy', '--empty', '--background', 'all', '--replace'],
      {
        cwd: disk,
      },
    );
    assert.equal(images, 100);
  });

  await t.test('under the model cache', async () => {
    const cache = join(disk, 'cache');
    await copyModel('centernet', cache);
    await rm(join(cache, 'models'), { recursive: true });
    fill(disk, 500);
    const { code, text } = await failing(['detect', '--limit', '1'], { cwd: disk, env: { LABELSMITH_CACHE: cache } });
    assert.equal(code, 'DISK_FULL', text);
    assert.match(text, /disk is full.*LABELSMITH_CACHE/);
    resize(disk, '60m');
    const { detected } = await runJson(['detect', '--limit', '1'], { cwd: disk, env: { LABELSMITH_CACHE: cache } });
    assert.equal(detected, 1);
  });

  await t.test('under the report', async () => {
    fill(disk, 40);
    const { code, text } = await failing(['report', 'report.html'], { cwd: disk });
    assert.equal(code, 'DISK_FULL', text);
    assert.equal(existsSync(join(disk, 'report.html')), false);
  });
});

test('two processes at once: nothing lost, nothing doubled', async (t) => {
  const dir = await scratch(t);
  await pictures(join(dir, 'files/a'), 40);
  await pictures(join(dir, 'files/b'), 40, 30); // 10 of them the same bytes as in a
  const shards = ['--shard-size', '4', '--threads', '1'];
  /** What is known of every image by its content: of its paths, the one that stands for it depends on who came first. */
  const known = async (where: string) =>
    [...(await imagesIn(where)).values()]
      .map(({ file: _, ...row }) => row)
      .sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));

  await t.test('two adds of folders that overlap', async () => {
    const sources = ['files', 'files/b'];
    await Promise.all(sources.map((source) => runJson(['add', source, ...shards], { cwd: dir })));
    const { images, paths, duplicatePaths, integrity } = await statusIn(dir);
    assert.deepEqual([images, paths, duplicatePaths, integrity], [70, 80, 10, 'ok']);
  });

  await t.test('two detects of the same images', async () => {
    const detect = ['detect', '--limit', '16', ...shards];
    type Counts = { readonly images: number; readonly byOthers: number };
    const both = await Promise.all([detect, detect].map((args) => runJson<Counts>(args, { cwd: dir })));
    // Each tells its own part. What it learned of the pile by then may give it other rules, by which it does the other's images again.
    for (const { images, byOthers } of both) assert.ok(images + byOthers <= 16, `${images} and ${byOthers}`);
    await runJson(['detect', ...shards], { cwd: dir });
    const alone = join(dir, 'alone');
    await mkdir(alone);
    await runJson(['add', join(dir, 'files'), ...shards], { cwd: alone });
    await runJson(['detect', ...shards], { cwd: alone });
    assert.equal((await statusIn(dir)).integrity, 'ok');
    assert.deepEqual(await known(dir), await known(alone));
  });

  await t.test('add while detect runs', async () => {
    await pictures(join(dir, 'more'), 40, 200);
    const [added, detected] = await Promise.all([
      runJson(['add', 'more', ...shards], { cwd: dir }),
      runJson(['detect', '--force', '--limit', '24', ...shards], { cwd: dir }),
    ]);
    assert.deepEqual([added.images, detected.detected], [40, 24]);
    await runJson(['detect', ...shards], { cwd: dir });
    const { images, paths, integrity } = await statusIn(dir);
    assert.deepEqual([images, paths, integrity], [110, 120, 'ok']);
    assert.equal((await runJson(['detect', '--dry-run'], { cwd: dir })).images, 0);
  });

  await t.test('two exports to one place', async () => {
    const exporting = ['export', 'coco', 'out', '--images', 'copy', '--replace', '--json'];
    const both = await Promise.all([1, 2].map(() => runCli(exporting, { cwd: dir })));
    assert.ok(both.some(({ code }) => code === 0));
    for (const { code, stderr } of both) assert.ok(code === 0 || code === 1, stderr);
    for (const { stderr } of both) assert.doesNotMatch(stderr, /this is a bug/);
    // 110 photographs, the annotations and the marker.
    assert.equal(filesUnder(join(dir, 'out')).size, 112);
    await runJson(['export', 'coco', 'again', '--images', 'copy'], { cwd: dir });
    assert.deepEqual(filesUnder(join(dir, 'out')), filesUnder(join(dir, 'again')));
    const left = readdirSync(dir).filter((name) => name.startsWith('.out'));
    assert.deepEqual(left, []);
  });
});

/** Copies what the cache holds of a model, so that it can be damaged. */
async function copyModel(id: string, cache: string): Promise<readonly string[]> {
  const entry = CATALOGUE.find((known) => known.id === id);
  assert.ok(entry);
  await prepareModel(id);
  await cp(join(cacheDirectory(), 'models', id), join(cache, 'models', id), { recursive: true });
  await mkdir(join(cache, 'sources'), { recursive: true });
  const sources = entry.source.files.map(({ sha256 }) => sourcePath(cache, sha256 as string));
  for (const path of sources) await copyFile(sourcePath(cacheDirectory(), basename(path)), path);
  return sources;
}

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 64);
  writeFileSync(path, bytes);
}

/** A registry that no one answers at: port 9 is `discard`, which nothing listens to. */
const OFFLINE = { npm_config_registry: 'http://127.0.0.1:9' };

test('a damaged model in the cache', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_2.jpg']);
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['detect'], { cwd: dir });
  const expected = await imagesIn(dir);
  const cache = join(dir, 'cache');
  const sources = await copyModel('centernet', cache);
  const env = { LABELSMITH_CACHE: cache, ...OFFLINE };
  const folder = join(cache, 'models/centernet');
  const converted = readdirSync(folder).filter((name) => name.endsWith('.onnx'));

  await t.test('converted: noticed, put aside, made again from its source without network', async () => {
    for (const name of converted) damage(join(folder, name));
    const { code, stderr } = await runCli(['detect', '--force'], { cwd: dir, env });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /converted centernet in the model cache was damaged; it is put aside/);
    assert.deepEqual(await imagesIn(dir), expected, 'and finds the same');
    assert.equal(readdirSync(join(cache, 'corrupt')).length, 1);
  });

  await t.test('its record: made again', async () => {
    for (const name of readdirSync(folder)) if (name.endsWith('.json')) writeFileSync(join(folder, name), '{"sha');
    assert.equal((await runJson(['detect', '--force'], { cwd: dir, env })).detected, 1);
  });

  await t.test('a source, without network: noticed, and the message says which file goes where', async () => {
    damage(sources[1]);
    const { code, text } = await failing(['detect', '--force'], { cwd: dir, env });
    assert.equal(code, 'NETWORK');
    assert.ok(text.includes(`${sources[1]}`), text);
    assert.deepEqual(await imagesIn(dir), expected, 'labels stay as they were');
  });

  await t.test('a source, with network: fetched again', async () => {
    const { code, stderr } = await runCli(['detect', '--force'], { cwd: dir, env: { LABELSMITH_CACHE: cache } });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Fetching @vladmandic\/human/);
    assert.deepEqual(await imagesIn(dir), expected);
  });
});

test('no network on first use: says what to do, and doing it helps', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_2.jpg']);
  const cache = join(dir, 'cache');
  const env = { LABELSMITH_CACHE: cache, ...OFFLINE };
  const startedAt = performance.now();
  const { code, text } = await failing(['auto', 'photos'], { cwd: dir, env });
  assert.ok(performance.now() - startedAt < 20_000, 'it does not try for minutes');
  assert.equal(code, 'NETWORK');
  assert.match(text, /not in the model cache, and cannot ask http:\/\/127\.0\.0\.1:9/);
  assert.match(text, /labelsmith models pull centernet/);
  assert.ok(text.includes(cache), 'names the folder');
  assert.equal((await statusIn(dir)).images, 1, 'what add did is kept');

  // As told: pull where there is network (here: out of the shared cache), and put it where the message says.
  await copyModel('centernet', cache);
  const { detected } = await runJson(['detect'], { cwd: dir, env });
  assert.equal(detected, 1);

  await t.test('nothing but add, export, status and report is needed offline', async () => {
    await runJson(['models', 'list'], { cwd: dir, env });
    await runJson(['report', 'report.html'], { cwd: dir, env });
    const doctor = await runCli(['doctor', '--json'], { cwd: dir, env });
    assert.ok(doctor.code === 0 || doctor.code === 1);
    assert.doesNotMatch(doctor.stderr, /bug/);
  });
});
