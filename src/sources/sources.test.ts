import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import {
  FILES,
  inTemporaryFolder,
  isError,
  listed,
  type SourceKind,
  sourceContract,
} from '../../test/contracts/source.ts';
import { tarGzOf, tarOf, zipOf } from '../../test/fixtures/zip-and-tar.ts';
import { seededRandom } from '../core/random.ts';
import { openSource } from './open.ts';
import { createReader } from './reader.ts';
import type { SourceEntry } from './source.ts';

function write(folder: string, name: string | Buffer, content: Buffer | string = 'x'): void {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  mkdirSync(dirname(path.toString('latin1')), { recursive: true });
  writeFileSync(path, content);
}

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

const relative = (entries: readonly SourceEntry[], folder: string) =>
  entries.map(({ path }) => path.slice(folder.length + 1));

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
      assert.deepEqual(relative(entries, folder), ['f.jpg']);
      assert.deepEqual(ignored, []);
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
      assert.deepEqual(relative(entries, folder), sorted);
    }));

  test('a folder of many files gives each once, and nothing else', () =>
    inTemporaryFolder(async (folder) => {
      const names = Array.from({ length: 200 }, (_, i) => `${String(i).padStart(3, '0')}.jpg`);
      for (const name of names) write(folder, name);
      write(folder, '100.zip', zipOf([{ name: 'm.jpg', content: Buffer.from('m') }]));
      const { entries, problems } = await listed(await openSource(folder, { cwd: '/' }));
      assert.deepEqual(problems, []);
      assert.deepEqual(relative(entries, folder), names.toSpliced(101, 0, '100.zip!/m.jpg'));
    }));

  test('files with no extension are looked into', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, '0a1b2c', Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      write(folder, 'README', 'text');
      write(folder, 'data.bin', Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      const { entries, ignored } = await listed(await openSource(folder, { cwd: '/' }));
      assert.deepEqual(relative(entries, folder), ['0a1b2c']);
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
      assert.deepEqual(relative(entries, join(folder, 'root')), ['file-link.jpg', 'folder-link/b.jpg', 'real/a.jpg']);
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
      await assert.rejects(openSource('s3://bucket/photos', options), isError('UNSUPPORTED'));
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
      assert.deepEqual(relative(entries, folder), ['scan.dat']);
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
        relative((await listed(await openSource(spec, { cwd: folder }))).entries, folder);
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
        assert.deepEqual(relative(entries, folder), ['a.jpg']);
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
      assert.deepEqual(relative(entries, folder), ['set/a.jpg', 'b.zip!/m.jpg', 'lists/beside.jpg']);
      assert.deepEqual(
        problems.map(({ reason }) => reason),
        ['missing'],
      );
    }));
});

describe('archives', () => {
  const reasonsOf = async (path: string, archiveCache?: string) => {
    const { entries, problems } = await listed(await openSource(path, { cwd: '/', archiveCache }));
    return {
      names: entries.map((entry) => entry.path.slice(path.length + 2)),
      reasons: problems.map(({ reason }) => reason),
    };
  };
  const x = Buffer.from('x');

  test('names that lead outside, archives inside and passwords are problems of their members', () =>
    inTemporaryFolder(async (folder) => {
      const bad = ['../up.jpg', '/root.jpg', 'a/../../b.jpg', 'C:\\w.jpg', 'inner.zip', 'inner.tar.gz'];
      const files = [...bad, './good.jpg', 'sub\\windows.jpg', '__MACOSX/._good.jpg'].map((name) => ({
        name,
        content: x,
      }));
      write(folder, 'a.zip', zipOf([...files, { name: 'secret.jpg', content: x, encrypted: true }]));
      const unsafe = Array.from({ length: 4 }, () => 'unsafe-name');
      assert.deepEqual(await reasonsOf(join(folder, 'a.zip')), {
        names: ['good.jpg', 'sub/windows.jpg'],
        reasons: [...unsafe, 'nested-archive', 'nested-archive', 'encrypted-archive'],
      });
      write(
        folder,
        'a.tar',
        await tarOf([...files.slice(0, 3), ...files.slice(4, 7), { name: 'l.jpg', type: 'symlink' }]),
      );
      assert.deepEqual(await reasonsOf(join(folder, 'a.tar')), {
        names: ['good.jpg'],
        reasons: ['unsafe-name', 'unsafe-name', 'unsafe-name', 'nested-archive', 'nested-archive'],
      });
      assert.deepEqual(readdirSync(folder).sort(), ['a.tar', 'a.zip'], 'nothing was written');
    }));

  test('a member that lies about its size or its contents is damaged, not believed', () =>
    inTemporaryFolder(async (folder) => {
      const zeros = Buffer.alloc(5_000_000);
      const files = [
        { name: 'bomb.jpg', content: zeros, claimedSize: 10 },
        { name: 'short.jpg', content: x, claimedSize: 100 },
        { name: 'crc.jpg', content: x, claimedCrc: 1 },
        { name: 'huge.jpg', content: x, claimedSize: 2 ** 31 },
      ];
      write(folder, 'a.zip', zipOf(files));
      const { entries } = await listed(await openSource('a.zip', { cwd: folder }));
      assert.equal(entries.length, 4);
      const [bomb, short, crc, huge] = entries as [SourceEntry, SourceEntry, SourceEntry, SourceEntry];
      for (const entry of [bomb, short, crc]) {
        await assert.rejects(entry.read(1 << 20), isError('BAD_FILE', 'damaged-archive'));
      }
      await assert.rejects(huge.read(1 << 20), isError('REFUSED', 'too-large'));
    }));

  test('a member’s name that is longer than any path is its problem', () =>
    inTemporaryFolder(async (folder) => {
      const files = [`${'d/'.repeat(2048)}.jpg`, `${'d/'.repeat(2045)}1.jpg`].map((name) => ({ name, content: x }));
      write(folder, 'a.zip', zipOf(files));
      const { names, reasons } = await reasonsOf(join(folder, 'a.zip'));
      assert.deepEqual([names.length, reasons], [1, ['unsafe-name']]);
    }));

  test('members of a zip that lie in one another are refused, but for the first', () =>
    inTemporaryFolder(async (folder) => {
      // Two directory entries for one member's bytes, and one whose bytes hold another member as a whole.
      const inner = zipOf([{ name: 'i.jpg', content: x, stored: true }]).subarray(0, 36);
      const plain = zipOf([
        { name: 'a.jpg', content: x, stored: true },
        { name: 'b.jpg', content: inner, stored: true },
        { name: 'c.jpg', content: x, stored: true },
      ]);
      const moved = (offsets: readonly number[]) => {
        const zip = Buffer.from(plain);
        for (let at = zip.indexOf('PK\x01\x02'), i = 0; i < 3; at = zip.indexOf('PK\x01\x02', at + 1), i++) {
          zip.writeUInt32LE(offsets[i], at + 42);
        }
        return zip;
      };
      const [a, b, c] = [0, 36, 36 + 35 + inner.length];
      const cases: readonly (readonly [readonly number[], readonly string[]])[] = [
        [
          [a, b, c],
          ['a.jpg', 'b.jpg', 'c.jpg'],
        ],
        [
          [a, b, a],
          ['a.jpg', 'b.jpg'],
        ],
        [
          [c, b, a],
          ['a.jpg', 'b.jpg', 'c.jpg'],
        ],
        [
          [a, b, b + 35],
          ['a.jpg', 'b.jpg'],
        ],
        [
          [b + 35, b, a],
          ['b.jpg', 'c.jpg'],
        ],
      ];
      for (const [offsets, names] of cases) {
        write(folder, 'a.zip', moved(offsets));
        const expected = Array.from({ length: 3 - names.length }, () => 'damaged-archive');
        assert.deepEqual(await reasonsOf(join(folder, 'a.zip')), { names, reasons: expected }, String(offsets));
      }
    }));

  test('a member that is larger than is unpacked in one go is checked as the others are', () =>
    inTemporaryFolder(async (folder) => {
      const content = Buffer.alloc(2 ** 24 + 1, 'large ');
      const path = join(folder, 'a.zip');
      for (const stored of [true, false]) {
        const lies = [{}, { claimedCrc: 1 }, { claimedSize: content.length - 1 }, { claimedSize: content.length + 1 }];
        for (const [i, lie] of lies.entries()) {
          write(folder, 'a.zip', zipOf([{ name: 'a.jpg', content, stored, ...lie }]));
          const { entries } = await listed(await openSource(path, { cwd: '/' }));
          if (i === 0) assert.ok(content.equals(await entries[0].read(2 ** 25)));
          // A stored member whose sizes differ ends the archive's listing.
          for (const entry of i === 0 ? [] : entries) {
            await assert.rejects(entry.read(2 ** 25), isError('BAD_FILE', 'damaged-archive'));
          }
        }
      }
    }));

  test('damaged archives give what they can, and one problem', () =>
    inTemporaryFolder(async (folder) => {
      const entries = Array.from({ length: 40 }, (_, i) => ({ name: `${i}.jpg`, content: Buffer.alloc(3000, i * 7) }));
      const tarBytes = await tarOf(entries);
      write(folder, 'cut.tar', tarBytes.subarray(0, 50_000));
      write(folder, 'cut.zip', zipOf(entries).subarray(0, 1000));
      write(folder, 'text.zip', 'not an archive at all');
      write(folder, 'text.tar', 'not an archive at all'.repeat(100));
      write(folder, 'empty.zip', '');
      write(folder, 'text.tgz', 'not an archive at all');
      write(folder, 'other.rar', 'Rar!');
      // A member takes 512 + 3072 bytes, so 13 are whole.
      const cutTar = await reasonsOf(join(folder, 'cut.tar'));
      assert.deepEqual([cutTar.names.length, cutTar.reasons], [13, ['damaged-archive']]);
      for (const name of ['cut.zip', 'text.zip', 'text.tar', 'empty.zip', 'text.tgz']) {
        assert.deepEqual(await reasonsOf(join(folder, name)), { names: [], reasons: ['damaged-archive'] }, name);
      }
      assert.deepEqual((await reasonsOf(join(folder, 'other.rar'))).reasons, ['unsupported-archive']);
      // Random bytes, so that the cut falls into the contents and not into the last block of the compression.
      const random = seededRandom(5);
      const noise = entries.map(({ name }) => ({
        name,
        content: Buffer.from(Array.from({ length: 3000 }, () => Math.floor(random() * 256))),
      }));
      const gz = gzipSync(await tarOf(noise));
      write(folder, 'cut.tar.gz', gz.subarray(0, gz.length / 2));
      // What zlib itself gets out of the half says how many members of 3,584 bytes are whole, every time.
      const recovered = gunzipSync(gz.subarray(0, gz.length / 2), { finishFlush: constants.Z_SYNC_FLUSH });
      const whole = Math.floor(recovered.length / 3584);
      assert.ok(whole > 5 && whole < 40, `${whole}`);
      for (let time = 0; time < 5; time++) {
        const cutGz = await reasonsOf(join(folder, 'cut.tar.gz'), join(folder, 'cache'));
        assert.deepEqual([cutGz.names.length, cutGz.reasons], [whole, ['damaged-archive']]);
      }
      assert.equal(readdirSync(join(folder, 'cache')).filter((name) => name.endsWith('.tar')).length, 0);
      // And none of this keeps a folder from being listed.
      const all = await listed(await openSource(folder, { cwd: '/', skipFolders: [join(folder, 'cache')] }));
      assert.equal(all.problems.length, 8);
    }));

  test('a tar.gz is unpacked once, and whoever finds it there does not unpack it again', () =>
    inTemporaryFolder(async (folder) => {
      write(folder, 'a.tar.gz', await tarGzOf([{ name: 'a.jpg', content: x }]));
      const cache = join(folder, 'cache');
      await reasonsOf(join(folder, 'a.tar.gz'), cache);
      const [file] = readdirSync(cache);
      assert.equal(readdirSync(cache).length, 1);
      // The cache is believed: a marker put there is what is read.
      writeFileSync(join(cache, file), await tarOf([{ name: 'marker.jpg', content: x }]));
      assert.deepEqual((await reasonsOf(join(folder, 'a.tar.gz'), cache)).names, ['marker.jpg']);
      const reader = createReader({ archiveCache: cache });
      assert.equal((await reader.read(join(folder, 'a.tar.gz!/marker.jpg'), null, 10)).length, 1);
    }));

  test('tar as written by Debian in its formats: long names, pax, v7, ustar', () =>
    inTemporaryFolder(async (folder) => {
      const long = `${'d'.repeat(90)}/${'e'.repeat(120)}/${'é'.repeat(60)}.jpg`;
      write(folder, `in/${long}`, 'long');
      write(folder, 'in/short.jpg', 'short');
      for (const format of ['gnu', 'oldgnu', 'pax', 'posix']) {
        execFileSync('tar', [
          `--format=${format}`,
          '--sort=name',
          '-cf',
          join(folder, `${format}.tar`),
          '-C',
          join(folder, 'in'),
          '.',
        ]);
        const { entries, problems } = await listed(await openSource(`${format}.tar`, { cwd: folder }));
        assert.deepEqual(problems, [], format);
        assert.deepEqual(relative(entries, join(folder, `${format}.tar!`)), [long, 'short.jpg'], format);
        assert.equal(Buffer.from(await entries[0].read(10)).toString(), 'long');
      }
      for (const format of ['v7', 'ustar']) {
        execFileSync('tar', [
          `--format=${format}`,
          '-cf',
          join(folder, `${format}.tar`),
          '-C',
          join(folder, 'in'),
          'short.jpg',
        ]);
        const { entries } = await listed(await openSource(`${format}.tar`, { cwd: folder }));
        assert.deepEqual(relative(entries, join(folder, `${format}.tar!`)), ['short.jpg'], format);
      }
    }));

  test('an archive that changes is read anew; one that is gone is gone', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.zip');
      write(folder, 'a.zip', zipOf([{ name: 'a.jpg', content: Buffer.from('old') }]));
      const reader = createReader();
      assert.equal(Buffer.from(await reader.read(`${path}!/a.jpg`, null, 10)).toString(), 'old');
      write(
        folder,
        'a.zip',
        zipOf([
          { name: 'b.jpg', content: x },
          { name: 'a.jpg', content: Buffer.from('newer') },
        ]),
      );
      assert.equal(Buffer.from(await reader.read(`${path}!/a.jpg`, null, 10)).toString(), 'newer');
      rmSync(path);
      assert.equal(await reader.exists(`${path}!/a.jpg`, null), false);
      await assert.rejects(reader.read(`${path}!/a.jpg`, null, 10), isError('NOT_FOUND', 'missing'));
      write(folder, 'a.zip', 'damaged');
      assert.equal(await reader.exists(`${path}!/a.jpg`, null), true, 'damage is no proof that it is gone');
    }));
});
