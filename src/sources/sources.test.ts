import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import {
  FILES,
  inTemporaryFolder,
  isError,
  listed,
  pathsBelow,
  type SourceKind,
  sourceContract,
  write,
} from '../../test/contracts/source.ts';
import { tarGzOf, tarOf, zipOf } from '../../test/fixtures/zip-and-tar.ts';
import { openSource } from './open.ts';
import { createReader } from './reader.ts';
import type { SourceEntry } from './source.ts';

function writeFiles(folder: string): string {
  for (const [name, content] of FILES) {
    const path = join(folder, 'photos', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
  }
  return join(folder, 'photos');
}

const ENTRIES = [...FILES].map(([name, content]) => ({ name, content }));
const lines = (folder: string) => [...FILES.keys()].map((name) => join(folder, 'photos', name));

const KINDS: readonly SourceKind[] = [
  { name: 'folder', open: (folder) => openSource(writeFiles(folder), { cwd: '/' }) },
  {
    name: 'glob',
    open: (folder) => {
      writeFiles(folder);
      return openSource('photos/**/*', { cwd: folder });
    },
  },
  {
    name: 'glob of folders',
    open: (folder) => {
      writeFiles(folder);
      return openSource('pho*', { cwd: folder });
    },
  },
  {
    name: 'list, one path a line',
    without: { 'sub/new\nline.jpg': 'a newline ends a line' },
    names: true,
    open: (folder) => {
      writeFiles(folder);
      const names = [...FILES.keys()].filter((name) => !name.includes('\n'));
      writeFileSync(join(folder, 'list.txt'), `\ufeff${names.map((name) => `photos/${name}\r\n`).join('')}\r\n`);
      return openSource('@list.txt', { cwd: folder });
    },
  },
  {
    name: 'list with NULs on standard input',
    names: true,
    open: (folder) => {
      writeFiles(folder);
      const bytes = Buffer.from(lines(folder).join('\0'));
      // In pieces that cut names and characters.
      const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(7 * i, 7 * i + 7));
      return openSource('-', { cwd: folder, stdin: Readable.from(pieces) });
    },
  },
  {
    name: 'zip, deflated',
    open: (folder) => {
      writeFileSync(join(folder, 'photos.zip'), zipOf(ENTRIES));
      return openSource('photos.zip', { cwd: folder });
    },
  },
  {
    name: 'zip, stored, inside a folder',
    open: (folder) => {
      write(folder, 'in/photos.zip', zipOf(ENTRIES.map((entry) => ({ ...entry, stored: true }))));
      return openSource('in', { cwd: folder });
    },
  },
  {
    name: 'tar',
    open: async (folder) => {
      writeFileSync(join(folder, 'photos.tar'), await tarOf(ENTRIES));
      return openSource(join(folder, 'photos.tar'), { cwd: '/' });
    },
  },
  {
    name: 'tar.gz',
    open: async (folder) => {
      const path = join(folder, 'photos.tar.gz');
      writeFileSync(path, await tarGzOf(ENTRIES));
      utimesSync(path, 1_700_000_000, 1_700_000_000);
      return openSource(path, { cwd: '/', archiveCache: join(folder, 'cache') });
    },
  },
];

for (const kind of KINDS) sourceContract(kind);

const NOTHING = { entries: [], problems: [], ignored: [] };

describe('folders', () => {
  test('hidden files, rubbish and left-out folders are not listed', () =>
    inTemporaryFolder(async (folder) => {
      for (const name of [
        '.git/a.jpg',
        '.labelsmith/b.jpg',
        '__MACOSX/c.jpg',
        '._d.jpg',
        'Thumbs.db',
        'ws/e.jpg',
        'f.jpg',
      ]) {
        write(folder, name);
      }
      const source = await openSource('.', { cwd: folder, skipFolders: ['ws'] });
      const { entries, ignored } = await listed(source);
      assert.deepEqual(pathsBelow(entries, folder), ['f.jpg']);
      assert.deepEqual(ignored, []);
    }));

  test('nor by a glob that does not name them', () =>
    inTemporaryFolder(async (folder) => {
      for (const name of ['Thumbs.db', 'a.jpg', 'sub/b.jpg', 'sub/@eaDir/b.jpg/thumb.jpg', '__MACOSX/c.jpg', 'n.txt'])
        write(folder, name);
      const byGlob = async (pattern: string) => {
        const { entries, ignored } = await listed(await openSource(pattern, { cwd: folder }));
        return [pathsBelow(entries, folder), ignored.map((path) => path.slice(folder.length + 1))];
      };
      assert.deepEqual(await byGlob('*'), [['a.jpg', 'sub/b.jpg'], ['n.txt']]);
      assert.deepEqual(await byGlob('**/*.jpg'), [['a.jpg', 'sub/b.jpg'], []]);
      assert.deepEqual(await byGlob('__MACOSX/*.jpg'), [['__MACOSX/c.jpg'], []]);
      assert.deepEqual(await byGlob('*.db'), [[], []]);
    }));

  test('the order is that of the bytes of whole paths', () =>
    inTemporaryFolder(async (folder) => {
      const names = ['a.jpg', 'a/z.jpg', 'a-b.jpg', 'B.jpg', 'ab.jpg', 'a/b/c.jpg', 'é.jpg', 'a0.jpg'];
      for (const name of names) write(folder, name);
      const { entries } = await listed(await openSource(folder, { cwd: '/' }));
      const sorted = names
        .map((name) => Buffer.from(name))
        .sort(Buffer.compare)
        .map(String);
      assert.deepEqual(pathsBelow(entries, folder), sorted);
    }));

  test('a folder of many files gives each once, and nothing else', () =>
    inTemporaryFolder(async (folder) => {
      const names = Array.from({ length: 200 }, (_, i) => `${String(i).padStart(3, '0')}.jpg`);
      for (const name of names) write(folder, name);
      write(folder, '100.zip', zipOf([{ name: 'm.jpg', content: Buffer.from('m') }]));
      const { entries, problems } = await listed(await openSource(folder, { cwd: '/' }));
      assert.deepEqual(problems, []);
      assert.deepEqual(pathsBelow(entries, folder), names.toSpliced(101, 0, '100.zip!/m.jpg'));
    }));

  test('files with no extension are looked into', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, '0a1b2c', Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      write(folder, 'README', 'text');
      write(folder, 'data.bin', Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      const { entries, ignored } = await listed(await openSource(folder, { cwd: '/' }));
      assert.deepEqual(pathsBelow(entries, folder), ['0a1b2c']);
      assert.equal(ignored.length, 2);
    }));

  test('names that are not UTF-8 keep their bytes, in folders and archives', () =>
    inTemporaryFolder(async (folder) => {
      const name = Buffer.from('caf\xe9 \xff.jpg', 'latin1');
      write(folder, name, 'bytes');
      write(folder, Buffer.concat([Buffer.from('d\xfe'.slice(0, 1)), Buffer.from('.jpg')]), 'plain');
      const { entries } = await listed(await openSource(folder, { cwd: '/' }));
      const entry = entries.find(({ pathBytes }) => pathBytes !== null) as SourceEntry;
      assert.ok(entry.path.endsWith('/caf\\xE9 \\xFF.jpg'), entry.path);
      assert.deepEqual(Buffer.from(entry.pathBytes as Uint8Array), Buffer.concat([Buffer.from(`${folder}/`), name]));
      assert.equal(Buffer.from(await entry.read(100)).toString(), 'bytes');
      const reader = createReader();
      assert.equal(Buffer.from(await reader.read(entry.path, entry.pathBytes, 100)).toString(), 'bytes');
      assert.equal(await reader.exists(entry.path, entry.pathBytes), true);
      // Debian's tar writes names as they are.
      execFileSync('tar', ['cf', join(folder, '..', 'raw-names.tar'), '-C', folder, '.']);
      const archive = join(folder, '..', 'raw-names.tar');
      const members = (await listed(await openSource(archive, { cwd: '/' }))).entries;
      const member = members.find(({ pathBytes }) => pathBytes !== null) as SourceEntry;
      assert.equal(Buffer.from(await member.read(100)).toString(), 'bytes');
      assert.equal(Buffer.from(await reader.read(member.path, member.pathBytes, 100)).toString(), 'bytes');
      rmSync(archive);
    }));

  test('links: files and folders are followed, loops and broken ones are problems', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'root/real/a.jpg');
      write(folder, 'elsewhere/b.jpg');
      symlinkSync('real/a.jpg', join(folder, 'root/file-link.jpg'));
      symlinkSync('../elsewhere', join(folder, 'root/folder-link'));
      symlinkSync('../elsewhere', join(folder, 'root/folder-other-link'));
      symlinkSync('..', join(folder, 'root/real/up'));
      symlinkSync('../../..', join(folder, 'root/real/way-up'));
      symlinkSync('nowhere.jpg', join(folder, 'root/broken.jpg'));
      symlinkSync('self.jpg', join(folder, 'root/self.jpg'));
      const { entries, problems, ignored } = await listed(await openSource('root', { cwd: folder }));
      assert.deepEqual(pathsBelow(entries, join(folder, 'root')), ['file-link.jpg', 'folder-link/b.jpg', 'real/a.jpg']);
      assert.deepEqual(
        problems.map(({ path, reason }) => [path.slice(folder.length), reason]),
        [
          ['/root/broken.jpg', 'broken-link'],
          ['/root/real/up', 'link-loop'],
          ['/root/real/way-up', 'link-loop'],
          ['/root/self.jpg', 'broken-link'],
        ],
      );
      assert.deepEqual(ignored, [join(folder, 'root/folder-other-link')]);
      const globbed = await listed(await openSource('root/**/*.jpg', { cwd: folder }));
      assert.deepEqual([...new Set(globbed.problems.map(({ reason }) => reason))], ['link-loop']);
      assert.ok(globbed.entries.length >= 3 && globbed.entries.length <= 5);
    }));

  test('pipes are problems and nothing waits for them', () =>
    inTemporaryFolder(async (folder) => {
      execFileSync('mkfifo', [join(folder, 'pipe.jpg'), join(folder, 'pipe')]);
      const { problems, ignored } = await listed(await openSource(folder, { cwd: '/' }));
      assert.deepEqual(
        problems.map(({ reason }) => reason),
        ['not-a-file'],
      );
      assert.equal(ignored.length, 1);
      await assert.rejects(createReader().read(join(folder, 'pipe.jpg'), null, 100), isError('BAD_FILE', 'not-a-file'));
    }));

  test(
    'what may not be read is a problem, and the rest is listed',
    { skip: process.getuid?.() === 0 && 'root may read everything' },
    () =>
      inTemporaryFolder(async (folder) => {
        write(folder, 'closed/a.jpg');
        write(folder, 'b.jpg');
        write(folder, 'c.jpg');
        chmodSync(join(folder, 'closed'), 0);
        chmodSync(join(folder, 'b.jpg'), 0);
        const { entries, problems } = await listed(await openSource(folder, { cwd: '/' }));
        chmodSync(join(folder, 'closed'), 0o700);
        assert.deepEqual(
          problems.map(({ reason }) => reason),
          ['unreadable'],
        );
        assert.equal(entries.length, 2);
        await assert.rejects(entries[0].read(100), isError('BAD_FILE', 'unreadable'));
      }),
  );

  test('a file that goes away after the listing fails as NOT_FOUND', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'a.jpg');
      const { entries } = await listed(await openSource(folder, { cwd: '/' }));
      renameSync(join(folder, 'a.jpg'), join(folder, 'b.jpg'));
      await assert.rejects(entries[0].read(100), isError('NOT_FOUND', 'missing'));
    }));
});

describe('what the user writes', () => {
  test('what is not there, empty, or an address is said so', () =>
    inTemporaryFolder(async (folder) => {
      const options = { cwd: folder };
      await assert.rejects(openSource('nothing', options), isError('NOT_FOUND'));
      await assert.rejects(openSource('*.jpg', options), isError('NOT_FOUND'));
      await assert.rejects(openSource('@list.txt', options), isError('NOT_FOUND'));
      await assert.rejects(openSource('ftp://host/photos', options), isError('UNSUPPORTED'));
      await assert.rejects(openSource('', options), isError('USAGE'));
      await assert.rejects(openSource('-', options), isError('USAGE'));
    }));

  test('a name that exists is taken as it is, patterns and all', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'photos [2020]/a.jpg');
      write(folder, '@list/b.jpg');
      for (const name of ['photos [2020]', '@list']) {
        assert.equal((await listed(await openSource(name, { cwd: folder }))).entries.length, 1);
      }
    }));

  test('a single file is an entry whatever its name', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'scan.dat');
      const { entries } = await listed(await openSource('scan.dat', { cwd: folder }));
      assert.deepEqual(pathsBelow(entries, folder), ['scan.dat']);
    }));

  test('schemes by name, addresses of files, and members of archives', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'caf\u00e9 %20.jpg');
      write(folder, '-/a.jpg');
      write(
        folder,
        'b.zip',
        zipOf(['in/1.jpg', 'in/2.jpg', 'in', 'inner.jpg'].map((name) => ({ name, content: Buffer.from('m') }))),
      );
      const names = async (spec: string) =>
        pathsBelow((await listed(await openSource(spec, { cwd: folder }))).entries, folder);
      assert.deepEqual(await names(`file://${folder}/caf%C3%A9%20%2520.jpg`), ['caf\u00e9 %20.jpg']);
      assert.deepEqual(await names(`FILE:/${folder.slice(1)}/caf%c3%a9%20%2520.jpg`), ['caf\u00e9 %20.jpg']);
      assert.deepEqual(await names('file:-'), ['-/a.jpg']);
      assert.deepEqual(await names('glob:caf*'), ['caf\u00e9 %20.jpg']);
      assert.deepEqual(await names('b.zip!/in/'), ['b.zip!/in/1.jpg', 'b.zip!/in/2.jpg']);
      assert.deepEqual(await names('b.zip!/inner.jpg'), ['b.zip!/inner.jpg']);
      const options = { cwd: folder };
      await assert.rejects(openSource('b.zip!/gone.jpg', options), isError('NOT_FOUND'));
      await assert.rejects(openSource('file:///nothing/here', options), isError('NOT_FOUND'));
      await assert.rejects(openSource('file://other/a.jpg', options), isError('USAGE'));
      await assert.rejects(openSource('file:///a%zz.jpg', options), isError('USAGE'));
    }));

  test(
    'a list may be a pipe with a writer; a device or a folder is refused, and nothing waits',
    { timeout: 20_000 },
    () =>
      inTemporaryFolder(async (folder) => {
        write(folder, 'a.jpg');
        execFileSync('mkfifo', [join(folder, 'quiet'), join(folder, 'written')]);
        assert.deepEqual(await listed(await openSource('@quiet', { cwd: folder })), NOTHING);
        const writing = spawn('sh', ['-c', '(sleep .3; echo a.jpg) > written'], { cwd: folder });
        const ended = once(writing, 'exit');
        const { entries } = await listed(await openSource('@written', { cwd: folder }));
        await ended;
        assert.deepEqual(pathsBelow(entries, folder), ['a.jpg']);
        for (const name of ['/dev/zero', folder]) {
          await assert.rejects(listed(await openSource(`@${name}`, { cwd: folder })), isError('BAD_FILE'));
        }
      }),
  );

  test('a line that is longer than any path is a problem of its own, however long it is', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'a.jpg');
      const long = 'x'.repeat(3_000_000);
      for (const [content, names, numbers] of [
        [`${long}\na.jpg\n${long}\r\na.jpg\n${long}`, 2, [1, 3, 5]],
        [`a.jpg\0${long}\0\0a.jpg`, 2, [2]],
        [long, 0, [1]],
        [`${'y'.repeat(5000)}\na.jpg`, 1, []],
      ] as const) {
        write(folder, 'list', content);
        const { entries, problems } = await listed(await openSource('@list', { cwd: folder }));
        assert.equal(entries.length, names);
        const overlong = problems.filter(({ reason }) => reason === 'too-long');
        assert.deepEqual(
          overlong.map(({ message }) => Number(/line (\d+)/.exec(message)?.[1])),
          numbers,
        );
        assert.ok(overlong.every(({ path }) => path.length < 100));
      }
    }));

  test('a list may name folders and archives; what is missing is a problem', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'set/a.jpg');
      write(folder, 'b.zip', zipOf([{ name: 'm.jpg', content: Buffer.from('m') }]));
      write(folder, 'lists/list.txt', 'set\nb.zip\n\ngone.jpg\nbeside.jpg');
      write(folder, 'lists/beside.jpg');
      const { entries, problems } = await listed(await openSource('list:lists/list.txt', { cwd: folder }));
      assert.deepEqual(pathsBelow(entries, folder), ['set/a.jpg', 'b.zip!/m.jpg', 'lists/beside.jpg']);
      assert.deepEqual(
        problems.map(({ reason }) => reason),
        ['missing'],
      );
    }));
});
