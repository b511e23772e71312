/**
 * What becomes of a run where something may not be read or written, or something else is in its place. Every outcome is
 * written down: the error's code and what the user is told to do; and after the cause is gone, the same command completes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { CLI, runFailing, runJson, scratch } from '../cli.ts';
import { writeScenes } from '../fixtures/images.ts';
import { filesUnder, statusIn } from '../workspace.ts';

const DATABASE = '.labelsmith/labelsmith.sqlite';

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
  await writeScenes(join(dir, 'tree', 'cat'), 1);
  await writeScenes(join(dir, 'tree', 'dog'), 1, 1);
  await writeScenes(join(dir, 'tree', 'closed'), 1, 2);
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
  const { text } = await runFailing(['import', 'folders', 'tree'], { cwd: dir, uid });
  chmodSync(join(dir, 'tree'), 0o700);
  assert.match(text, /EACCES|permission denied/);
});

test('files and folders that may not be read', { skip: noPermissions }, async (t) => {
  const dir = await scratch(t);
  const files = join(dir, 'files');
  await writeScenes(files, 3);
  await writeScenes(join(files, 'locked'), 1, 3);
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
  await writeScenes(join(dir, 'files'), 2);
  giveAway(dir);
  await runJson(['add', 'files'], { cwd: dir, uid });
  const before = filesUnder(join(dir, '.labelsmith'));
  const protect = (mode: number) => {
    for (const name of readdirSync(join(dir, '.labelsmith'))) chmodSync(join(dir, '.labelsmith', name), mode & 0o666);
    chmodSync(join(dir, '.labelsmith'), mode);
  };
  protect(0o555);
  const { code, text } = await runFailing(['add', 'files'], { cwd: dir, uid });
  assert.equal(code, 'WORKSPACE', text);
  assert.match(text, /may only be read here.*right to write.*--workspace/);
  const { images } = await runJson(['status'], { cwd: dir, uid });
  assert.equal(images, 2, 'what is there can be read');
  assert.deepEqual(filesUnder(join(dir, '.labelsmith')), before);
  protect(0o755);
  assert.equal((await runJson(['add', 'files'], { cwd: dir, uid })).unchanged, 2);

  await t.test('and a folder in which none can be made', async () => {
    chmodSync(dir, 0o555);
    const { code, text } = await runFailing(['add', 'files', '-w', 'new'], { cwd: dir, uid });
    chmodSync(dir, 0o755);
    assert.equal(code, 'WORKSPACE');
    assert.match(text, /cannot be (created|made).*--workspace/);
  });
});

test('something else where the workspace should be', async (t) => {
  const dir = await scratch(t);
  await writeScenes(join(dir, 'files'), 1);
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
        const { code, text } = await runFailing([...command, '-w', workspace], { cwd: dir });
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
      const { code, text } = await runFailing(command, { cwd: dir });
      assert.equal(code, 'WORKSPACE');
      assert.match(text, /newer version of labelsmith \(schema 99.*npm install labelsmith@latest/);
    }
    assert.deepEqual(filesUnder(join(dir, '.labelsmith')), before, 'left as it was');
  });

  await t.test('a cut database', async () => {
    const damaged = join(dir, 'damaged');
    await writeScenes(join(dir, 'many'), 40);
    await runJson(['add', 'many', '-w', damaged], { cwd: dir });
    const file = join(damaged, 'labelsmith.sqlite');
    writeFileSync(file, readFileSync(file).subarray(0, 40_000));
    const { code, text } = await runFailing(['export', 'csv', 'out.csv', '--unlabelled', '-w', damaged], { cwd: dir });
    assert.equal(code, 'WORKSPACE', text);
    assert.match(text, /damaged/);
  });
});

test('outputs over what must not be lost', async (t) => {
  const dir = await scratch(t);
  await writeScenes(join(dir, 'files/sub'), 2);
  await runJson(['add', 'files'], { cwd: dir });
  await writeScenes(join(dir, 'precious'), 1);
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
    const { code, text } = await runFailing(['export', 'coco', out, '--images', 'copy', ...options], { cwd: dir });
    assert.equal(code, 'REFUSED', text);
    assert.match(text, message);
  }
  const after = filesUnder(dir);
  for (const [file, hash] of before) if (!file.startsWith('.labelsmith')) assert.equal(after.get(file), hash, file);
  assert.deepEqual([...after.keys()].filter((file) => !file.startsWith('.labelsmith')).length, 3);
});
