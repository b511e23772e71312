/** Zip and tar archives as sources: hostile names, lies about sizes, damage, changes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { inTemporaryFolder, isError, listed, pathsBelow, write } from '../../test/contracts/source.ts';
import { tarGzOf, tarOf, zipOf } from '../../test/fixtures/zip-and-tar.ts';
import { seededRandom } from '../core/random.ts';
import { openSource } from './open.ts';
import { createReader } from './reader.ts';
import type { SourceEntry } from './source.ts';

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
        assert.deepEqual(pathsBelow(entries, join(folder, `${format}.tar!`)), [long, 'short.jpg'], format);
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
        assert.deepEqual(pathsBelow(entries, join(folder, `${format}.tar!`)), ['short.jpg'], format);
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
