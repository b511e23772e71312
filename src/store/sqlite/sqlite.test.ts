import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  addImages,
  all,
  imageId,
  list,
  MODEL,
  path,
  ROOT,
  regionOf,
  said,
  scratch,
  shard,
  sortedIds,
} from '../../../test/contracts/store/fixtures.ts';
import { storeContract } from '../../../test/contracts/store.ts';
import { DATABASE_FILE, openStore, storeOver } from '../open.ts';
import type { Query } from '../sql/driver.ts';
import { snake } from '../sql/table.ts';
import { TABLES } from '../sql/tables.ts';
import { openSqlite } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';

storeContract('SQLite', openStore, new URL('../open.ts', import.meta.url).href);

/** A workspace with some images and labels, closed. */
async function filled(dir: string): Promise<void> {
  const store = await openStore(dir);
  const runId = await addImages(store, 10);
  await store.commitDetections(
    shard(
      runId,
      sortedIds(10).map((id) => [id, [{ className: 'dog', box: [0, 0, 9, 9] }]]),
    ),
  );
  await store.putLabels([said(imageId(0), 'cat')]);
  await store.close();
}

test('closed, a workspace is one file, and a copy of it is a backup', async (t) => {
  const dir = scratch(t);
  await filled(dir);
  assert.deepEqual(readdirSync(dir), [DATABASE_FILE]);
  const copy = scratch(t);
  copyFileSync(join(dir, DATABASE_FILE), join(copy, DATABASE_FILE));
  const [a, b] = [await openStore(dir), await openStore(copy)];
  assert.deepEqual(await list(b.dataset({})), await list(a.dataset({})));
  await a.close();
  await b.close();
});

test('the thread that counts everything gives way to those of pages and of writes', {
  skip: process.platform === 'linux' ? false : 'only Linux has priorities of threads',
}, async (t) => {
  const store = await openStore(scratch(t));
  /** By proc_pid_stat(5): the 19th field, and of those behind the name the 17th. */
  const niceness = () =>
    readdirSync('/proc/self/task').map((id) => {
      const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(fields[16]);
    });
  const own = Math.min(...niceness());
  const gentle = () => niceness().filter((nice) => nice > own).length;
  await store.page({ limit: 1 });
  await store.putLabels([]);
  assert.equal(gentle(), 0);
  await store.countItems();
  assert.equal(gentle(), 1);
  await store.close();
});

test('what cannot be opened is refused with what to do, and left as it is', async (t) => {
  const cases: [name: string, make: (file: string) => void, says: RegExp][] = [
    [
      'a newer version',
      (file) => {
        const db = new DatabaseSync(file);
        db.exec(
          `PRAGMA application_id = ${0x4c62536d}; CREATE TABLE image (id); PRAGMA user_version = ${MIGRATIONS.length + 1}`,
        );
        db.close();
      },
      new RegExp(
        `newer version of labelsmith \\(schema ${MIGRATIONS.length + 1}, this one knows ${MIGRATIONS.length}\\)`,
      ),
    ],
    [
      'another program’s database',
      (file) => {
        const db = new DatabaseSync(file);
        db.exec('CREATE TABLE mine (a); INSERT INTO mine VALUES (1)');
        db.close();
      },
      /another program/,
    ],
    [
      'no database',
      (file) => writeFileSync(file, 'these are not the bytes of a database\n'.repeat(100)),
      /not a database/,
    ],
    ['a folder in its place', (file) => mkdirSync(file), /cannot be opened/],
  ];
  for (const [name, make, says] of cases) {
    const dir = scratch(t);
    make(join(dir, DATABASE_FILE));
    await assert.rejects(openStore(dir), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'WORKSPACE', name);
      assert.match(error.message, says);
      assert.ok(error.hint !== undefined, name);
      return true;
    });
  }
  const dir = scratch(t);
  writeFileSync(join(dir, 'file'), '');
  await assert.rejects(openStore(join(dir, 'file', 'workspace')), { code: 'WORKSPACE' });
});

test('a damaged file is told by check, or by the read that meets it', async (t) => {
  const dir = scratch(t);
  await filled(dir);
  const file = join(dir, DATABASE_FILE);
  const db = new DatabaseSync(file);
  // Beyond the first pages: the file still opens.
  const pages = Number(Object.values(db.prepare('PRAGMA page_count').get() ?? {})[0]);
  db.close();
  const { openSync, writeSync, closeSync } = await import('node:fs');
  const fd = openSync(file, 'r+');
  for (let page = 8; page < pages; page++) writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
  closeSync(fd);
  const store = await openStore(dir).catch((error: unknown) => error as { code: string });
  if ('code' in store) assert.equal(store.code, 'WORKSPACE');
  else {
    const problems = await store.check().catch((error: { code: string }) => [error.code]);
    assert.ok(problems.length > 0);
    await store.close().catch(() => {});
  }
});

test('a lock that is not let go is BUSY after the time given; the next try goes through', async (t) => {
  const dir = scratch(t);
  const store = await openStore(dir, { busyTimeoutMs: 50 });
  const other = new DatabaseSync(join(dir, DATABASE_FILE));
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(store.putSetting('k', 'v'), { code: 'BUSY' });
  assert.equal(await store.getSetting('k'), undefined);
  other.exec('COMMIT');
  await store.putSetting('k', 'v');
  assert.equal(await store.getSetting('k'), 'v');
  other.close();
  await store.close();
});

test('a full disk is DISK_FULL, loses nothing that was committed, and goes on once there is room', async (t) => {
  const dir = scratch(t);
  const program = fileURLToPath(new URL('../../../test/contracts/store/disk-full.program.ts', import.meta.url));
  // A mount of its own, seen by nobody else and gone with the process; not every system lets a user have one.
  const inside = `mount -t tmpfs -o size=3m tmpfs ${dir} && exec "${process.execPath}" "${program}" "${dir}"`;
  const child = spawnSync('sh', ['-c', `exec unshare --map-root-user --mount sh -c '${inside}'`], { timeout: 60_000 });
  const errors = String(child.stderr ?? child.error ?? '');
  if (child.error !== undefined || /unshare|mount:/.test(errors))
    return t.skip(`no small file system here: ${errors.trim()}`);
  assert.deepEqual([child.status, errors], [0, '']);
  assert.match(String(child.stdout), /^DISK_FULL after \d+ shards, all there, sound, went on\n$/);
});

test('merged classes count as one, in counts and in exports', async (t) => {
  const dir = scratch(t);
  const store = await openStore(dir);
  const runId = await addImages(store, 4);
  const [a, b, c, d] = sortedIds(4) as [string, string, string, string];
  await store.ensureTask({ name: 'words', rule: 'multi', items: 'images' });
  const words = { task: 'words', origin: 'model', confidence: 0.5, runId } as const;
  await store.putLabels([
    said(a, 'puppy', words),
    said(a, 'dog', words),
    said(b, 'puppy', words),
    said(c, 'puppy', words),
    said(c, 'dog', { task: 'words', present: false }),
    said(d, 'dog', { task: 'words' }),
    said(d, 'puppy', { task: 'words', present: false }),
  ]);
  await store.changeCorpus({ name: 'merge', arguments: {}, atMs: 1 }, ({ classes, synonyms }) => {
    const [dog, puppy] = ['dog', 'puppy'].map((name) => [...classes.values()].find((entry) => entry.name === name));
    assert.ok(dog && puppy);
    return { state: { classes: new Map([...classes, [puppy.id, { ...puppy, rootId: dog.id }]]), synonyms } };
  });
  const classes = await store.classes();
  assert.deepEqual(
    classes.map((k) => [k.name, k.synonyms]),
    [['dog', ['puppy']]],
  );
  assert.equal(classes[0]?.counts[0]?.count, 2);
  const dataset = await list(store.dataset({}));
  assert.deepEqual(
    dataset.map((image) => [image.id, image.labels.map((label) => label.className)]),
    [
      [a, ['dog']],
      [b, ['dog']],
    ],
  );
  await store.putLabels([said(c, 'puppy', { task: 'words' })]);
  assert.equal((await store.classes())[0]?.counts[0]?.count, 3, 'a merged name is a synonym');
  await store.close();
});

test('every short read goes by an index: no table of images, regions or labels is read whole', async (t) => {
  const dir = scratch(t);
  await filled(dir);
  const file = join(dir, DATABASE_FILE);
  const driver = await openSqlite({ file, busyTimeoutMs: 1000 });
  const texts = new Set<string>();
  const note = (queries: readonly Query<unknown>[]) => {
    for (const query of queries) texts.add(query.compile().sql);
  };
  const read: typeof driver.read = (queries) => {
    note(queries);
    return driver.read(queries);
  };
  const transaction: typeof driver.transaction = (work) =>
    driver.transaction((begun) =>
      work({
        add: (sql, row) => begun.add(sql, row),
        changed: () => begun.changed(),
        before: (queries) => {
          note(queries);
          return begun.before(queries);
        },
        read: (queries) => {
          note(queries);
          return begun.read(queries);
        },
      }),
    );
  const store = await storeOver({ ...driver, read, transaction }, { pageSize: 3, leaseMs: 1000, actor: '' });
  const ids = sortedIds(10);
  const regions = ids.map((id) => regionOf(id, { className: 'dog', box: [0, 0, 9, 9] }));
  for (const filter of [{}, { flag: 'dark' as const }, { groupId: imageId(0) }, { present: true }])
    await all(store.images(filter));
  for (const force of [true, false]) await all(store.detectionWork(MODEL, 'other', { force }));
  for (const query of [{}, { task: 'class' }, { origins: ['human' as const] }]) await list(store.dataset(query));
  const streams: AsyncIterable<readonly unknown[]>[] = [
    store.candidates(MODEL),
    store.pathsOf(ROOT),
    store.similarPairs(),
    store.quarantine(),
  ];
  for (const pages of streams) await all(pages);
  await store.lookupPaths([path(0).path, path(1).path]);
  await store.pathsOfImages(ids);
  await store.regionsOf(ids);
  await store.labelsOf([...ids, ...regions]);
  await store.labelsOf([...ids, ...regions], 'objects');
  const [run] = await store.runs();
  await store.commitDetections(shard(run?.id ?? '', [[ids[0], []]]));
  await store.putLabels([said(regions[1], 'wolf', { task: 'objects' })]);
  await store.deleteRegionsAsHuman([regions[2]]);
  await store.close();

  const db = new DatabaseSync(file);
  assert.ok(texts.size > 20);
  for (const text of texts) {
    const parameters = [...text.matchAll(/\?/g)].map(() => null);
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all(...parameters)
      .map((row) => String(row.detail));
    for (const step of plan) {
      // The tables of names are read whole and kept in memory; a derived page is a page.
      const whole = /^SCAN (\w+)/.exec(step)?.[1] ?? 'page';
      const small = [
        'CONSTANT',
        'task',
        'class',
        'class_alias',
        'model',
        'acceptance',
        'run',
        'source_root',
        'annotator',
        'page',
      ];
      assert.ok(small.includes(whole), `${step}\n${text}`);
      if (!text.includes('"run"')) assert.doesNotMatch(step, /TEMP B-TREE/, text);
    }
  }
  db.close();
});

test('a workspace that may only be read is read, and is told to be so when something is written', async (t) => {
  const dir = scratch(t);
  const program = `const { openStore } = await import(${JSON.stringify(new URL('../open.ts', import.meta.url).href)});
    const store = await openStore(process.argv[1]);
    const images = (await store.summary()).images;
    let labelled = 0;
    for await (const { labels } of store.dataset({})) labelled += labels.length;
    const written = await store.putSetting('k', 'v').then(() => 'written', (error) => error.code + ' ' + error.message);
    console.log(JSON.stringify([images, labelled, (await store.check()).length, written]));
    await store.close();`;
  // The superuser may write everything, so somebody else has to look.
  const isRoot = process.getuid?.() === 0;
  const who = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  await filled(dir);
  chmodSync(dir, 0o555);
  chmodSync(join(dir, DATABASE_FILE), 0o444);
  const options = { ...who, encoding: 'utf8', timeout: 60_000 } as const;
  const { stdout, stderr, error } = spawnSync(process.execPath, ['-e', program, dir], options);
  chmodSync(dir, 0o755);
  if (error !== undefined || /EACCES|ERR_MODULE_NOT_FOUND/.test(stderr)) {
    return t.skip(`nobody else can run the program here: ${error ?? stderr.split('\n')[0]}`);
  }
  const refusal = `WORKSPACE The workspace ${dir} may only be read here`;
  assert.deepEqual([stderr, stdout], ['', `${JSON.stringify([10, 11, 0, refusal])}\n`]);
  assert.deepEqual(readdirSync(dir), [DATABASE_FILE]);
});

test('migrations from nothing give a file that says whose it is', async (t) => {
  const dir = scratch(t);
  await filled(dir);
  const db = new DatabaseSync(join(dir, DATABASE_FILE), { readOnly: true });
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, MIGRATIONS.length);
  assert.equal(db.prepare('PRAGMA application_id').get()?.application_id, 0x4c62536d);
  assert.equal(db.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  db.close();
  assert.ok(existsSync(dir));
});

test('the tables are as they are described', async (t) => {
  const dir = scratch(t);
  await filled(dir);
  const db = new DatabaseSync(join(dir, DATABASE_FILE), { readOnly: true });
  const made = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  assert.deepEqual(TABLES.map(({ name }) => name).sort(), made.map(({ name }) => String(name)).sort());
  for (const table of TABLES) {
    const columns = db.prepare(`PRAGMA table_info(${table.name})`).all();
    assert.deepEqual([...table.names].sort(), columns.map(({ name }) => String(name)).sort(), table.name);
    const key = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk));
    assert.deepEqual(
      table.key.map(snake),
      key.map(({ name }) => String(name)),
      `the key of ${table.name}`,
    );
  }
  db.close();
});
