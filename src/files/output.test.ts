import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hashesBelow, inTemporaryFolder, namesIn, writeFiles } from '../../test/contracts/format.ts';
import { writeKilledAt } from '../../test/kill-at-rename.ts';
import { LabelsmithError } from '../errors.ts';
import { type OutputOptions, writeOutput } from './output.ts';
import { MARKER, writeMarker } from './own.ts';
import type { ProtectedPath } from './place.ts';
import { LEASE_MS } from './unfinished.ts';

interface Changes {
  readonly kind?: OutputOptions['kind'];
  readonly replace?: boolean;
  readonly protectedPaths?: readonly ProtectedPath[];
}
const options = ({ kind = 'folder', replace = false, protectedPaths = [] }: Changes = {}): OutputOptions =>
  kind === 'folder'
    ? { kind, what: 'export', replace, protectedPaths }
    : { kind, what: 'list', signature: { begins: 'file,class' }, replace, protectedPaths };

/** A folder that was written before. */
const writeOwn = async (folder: string, files: Readonly<Record<string, string>>) => {
  await writeFiles(folder, files);
  await writeMarker(folder, 'export');
};
const isError = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof LabelsmithError && error.code === code && text.test(error.message);
const writes = (name: string) => (target: string) => writeFile(join(target, name), name);

describe('outputs', () => {
  it('makes a folder with its parents, and takes an empty one', () =>
    inTemporaryFolder(async (folder) => {
      await writeOutput(join(folder, 'a/b/out'), options(), writes('x'));
      assert.deepEqual(await namesIn(join(folder, 'a/b/out')), ['x']);
      await mkdir(join(folder, 'empty'));
      await writeOutput(join(folder, 'empty'), options(), writes('x'));
      assert.deepEqual(await readdir(folder), ['a', 'empty']);
    }));

  it('refuses what is not empty, and what is of the other kind', () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'full/x': '', file: 'x', 'empty-file': '' });
      const attempt = (name: string, changes: Changes) =>
        writeOutput(join(folder, name), options(changes), async () => assert.fail('nothing may be written'));
      await assert.rejects(attempt('full', {}), isError('REFUSED', /not empty/));
      await assert.rejects(attempt('file', { kind: 'file' }), isError('REFUSED', /not empty/));
      await assert.rejects(attempt('file', { replace: true }), isError('REFUSED', /is a file/));
      await assert.rejects(attempt('full', { kind: 'file', replace: true }), isError('REFUSED', /is a folder/));
      await writeOutput(join(folder, 'empty-file'), options({ kind: 'file' }), (target) => writeFile(target, 'new'));
      assert.equal(await readFile(join(folder, 'empty-file'), 'utf8'), 'new');
    }));

  it('that goes on finds what an earlier one wrote, of several the last, and leaves nothing beside', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      const goingOn: OutputOptions = {
        kind: 'folder',
        what: 'export',
        replace: false,
        protectedPaths: [],
        goesOn: true,
      };
      const empty = writeOutput(out, goingOn, () => Promise.reject(new Error('at once')));
      await assert.rejects(empty, /at once/);
      assert.deepEqual(await readdir(folder), [], 'of nothing there is nothing to go on with');
      const half = writeOutput(out, goingOn, async (target) => {
        await writes('first')(target);
        throw new Error('half-way');
      });
      await assert.rejects(half, /half-way/);
      const [name] = await readdir(folder);
      // Two of a process that is gone: no process has this number.
      const gone = name.replace(/-\d+\.parts$/, '-4999999.parts');
      await rename(join(folder, name), join(folder, gone));
      const older = join(folder, gone.replace('4999999', '4999998'));
      await writeFiles(older, { older: '' });
      const before = new Date(Date.now() - LEASE_MS / 2);
      await utimes(older, before, before);
      await writeOutput(out, goingOn, async (target) => {
        assert.deepEqual(await readdir(target), ['first']);
        await writes('second')(target);
      });
      assert.deepEqual(await readdir(folder), ['out']);
      assert.deepEqual(await namesIn(out), ['first', 'second']);
    }));

  it('refuses an output that holds or lies in the workspace or a source, through links too', () =>
    inTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'photos/sub'), { recursive: true });
      await symlink(join(folder, 'photos'), join(folder, 'link'));
      const protectedPaths = [{ path: join(folder, 'photos'), what: 'a source' }];
      for (const [out, how] of [
        ['photos', /is a source/],
        ['photos/sub/new/out', /is inside a source/],
        ['link/out', /is inside a source/],
        ['.', /contains a source/],
      ] as const) {
        const attempt = writeOutput(join(folder, out), options({ replace: true, protectedPaths }), writes('x'));
        await assert.rejects(attempt, isError('REFUSED', how), out);
      }
      await writeOutput(join(folder, 'photos-out'), options({ protectedPaths }), writes('x'));
      await assert.rejects(
        writeOutput('/', options({ replace: true }), writes('x')),
        isError('USAGE', /cannot replace/),
      );
    }));

  it('keeps the old one when writing fails, and leaves nothing beside it', () =>
    inTemporaryFolder(async (folder) => {
      await writeOwn(join(folder, 'out'), { old: 'old' });
      const failing = writeOutput(join(folder, 'out'), options({ replace: true }), async (target) => {
        await writeFile(join(target, 'half'), '');
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      });
      await assert.rejects(failing, isError('DISK_FULL', /no room left/));
      assert.deepEqual(Object.keys(await hashesBelow(folder)), ['out/old']);
    }));

  it('replaces the folder that a link leads to, not the link', () =>
    inTemporaryFolder(async (folder) => {
      await writeOwn(join(folder, 'real'), { old: '' });
      await symlink(join(folder, 'real'), join(folder, 'link'));
      await writeOutput(join(folder, 'link'), options({ replace: true }), writes('new'));
      assert.deepEqual(await namesIn(join(folder, 'real')), ['new']);
      assert.deepEqual(await namesIn(join(folder, 'link')), ['new']);
    }));

  it('does not run two exports to one place at once', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await writeOutput(out, options(), async (target) => {
        await assert.rejects(writeOutput(out, options(), writes('x')), isError('BUSY', /under way/));
        await writeFile(join(target, 'y'), '');
      });
    }));

  it('after SIGKILL at any step leaves the old or the new, which the next export finds and cleans up after', async () => {
    const outcomes: string[] = [];
    for (const step of [-1, 0, 1, 2, 3]) {
      await inTemporaryFolder(async (folder) => {
        const out = join(folder, 'out');
        await writeOwn(out, { old: 'old' });
        writeKilledAt(out, { options: options({ replace: true }), file: '/new', text: 'new', step });
        outcomes.push(existsSync(out) ? (await namesIn(out)).join() : 'aside');
        assert.ok(
          (await readdir(folder)).some((name) => name !== 'out'),
          'the kill left something beside it',
        );

        // Without --replace the next export says that the old (or the new) is there, and is there it is.
        await assert.rejects(writeOutput(out, options(), writes('x')), isError('REFUSED', /not empty/));
        const found = await namesIn(out);
        assert.ok(found.join() === 'old' || found.join() === 'new', found.join());
        assert.deepEqual(await readdir(folder), ['out'], 'leftovers are gone');
      });
    }
    // Between the two renames of a folder (steps 1 and 2) OUT is beside its place until the next export.
    assert.deepEqual(outcomes, ['old', 'old', 'aside', 'aside', 'new']);
  });

  it('leaves alone what a running process or another machine writes, and names of others', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      let mine = '';
      await writeOutput(out, options(), async (target) => {
        mine = target;
        await writeFile(join(target, 'x'), '');
      });
      const other = mine.replace(/labelsmith-[0-9a-f]{6}/, 'labelsmith-zzzzzz');
      const elsewhere = mine.replace(/labelsmith-[0-9a-f]{6}/, 'labelsmith-000000');
      const running = mine.replace(/\d+\.new$/, `${process.ppid}.new`);
      const dead = mine.replace(/\d+\.new$/, '999999999.new');
      // A machine that nobody hears of any more, and a number that another process has by now.
      const silent = mine.replace(/labelsmith-[0-9a-f]{6}/, 'labelsmith-111111');
      const reused = mine.replace(/\d+\.new$/, '1.new');
      const all = [other, elsewhere, running, dead, silent, reused];
      for (const path of all) await mkdir(path);
      const long = new Date(Date.now() - LEASE_MS - 60_000);
      for (const path of [silent, reused]) await utimes(path, long, long);
      await rename(out, join(folder, 'moved'));
      await writeOutput(out, options(), writes('x'));
      assert.deepEqual(all.map(existsSync), [true, true, true, false, false, false]);
    }));

  it('replaces what it wrote, and nothing else', () =>
    inTemporaryFolder(async (folder) => {
      const replacing = (name: string, kind: OutputOptions['kind']) =>
        writeOutput(join(folder, name), options({ kind, replace: true }), (target) =>
          writeFile(kind === 'file' ? target : join(target, 'x'), 'file,class\n'),
        );
      await writeFiles(folder, { 'Documents/thesis.txt': '', 'photo.png': 'PNG', 'mine.csv': '\uFEFFfile,class,x\n' });
      await assert.rejects(
        replacing('Documents', 'folder'),
        isError('REFUSED', /labelsmith did not write this folder/),
      );
      await assert.rejects(replacing('photo.png', 'file'), isError('REFUSED', /it is no list of labelsmith/));
      await replacing('mine.csv', 'file');
      await replacing('out', 'folder');
      await replacing('out', 'folder');
      await writeFiles(folder, { 'out/runs/best.pt': '', 'out/Thumbs.db': '', 'out/labels.cache': '' });
      await assert.rejects(replacing('out', 'folder'), isError('REFUSED', /labelsmith did not write runs in it/));
      await rm(join(folder, 'out/runs'), { recursive: true });
      await replacing('out', 'folder');
      assert.deepEqual(await namesIn(join(folder, 'out')), ['x']);
      // A marker that is none.
      await writeFiles(folder, { [`fake/${MARKER}`]: '{"madeBy":"me"}' });
      await assert.rejects(replacing('fake', 'folder'), isError('REFUSED', /did not write this folder/));
    }));

  it('moves aside what others put into a folder that is replaced, where it is told, and keeps what was moved before', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      const moved: unknown[] = [];
      const onMovedAside = (names: readonly string[], to: string) => moved.push([names, to]);
      const asked = { kind: 'folder', what: 'export', protectedPaths: [], onMovedAside } as const;
      const replacing = () => writeOutput(out, { ...asked, replace: true }, writes('x'));
      await replacing();
      for (const [kept, text] of [
        ['out-kept', 'first'],
        ['out-kept-2', 'second'],
      ]) {
        await writeFiles(folder, { 'out/mine/notes.txt': text });
        await assert.rejects(
          writeOutput(out, { ...asked, replace: false }, writes('x')),
          isError('REFUSED', /not empty/),
        );
        await replacing();
        assert.deepEqual(await namesIn(out), ['x']);
        assert.equal(await readFile(join(folder, kept, 'mine/notes.txt'), 'utf8'), text);
      }
      assert.deepEqual(moved, [
        [['mine'], `${out}-kept`],
        [['mine'], `${out}-kept-2`],
      ]);
      assert.equal(await readFile(join(folder, 'out-kept/mine/notes.txt'), 'utf8'), 'first');
      await writeFiles(folder, { 'other/x': '' });
      const foreign = writeOutput(join(folder, 'other'), { ...asked, replace: true }, writes('x'));
      await assert.rejects(foreign, isError('REFUSED', /labelsmith did not write this folder/));
    }));

  it('takes names that fill what the file system allows', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, '猫'.repeat(85));
      await writeOutput(out, options(), writes('x'));
      await writeOutput(out, options({ replace: true }), writes('y'));
      assert.deepEqual(await namesIn(out), ['y']);
      const tooLong = writeOutput(join(folder, 'n'.repeat(256)), options(), writes('x'));
      await assert.rejects(tooLong, isError('REFUSED', /longer than the file system takes/));
      await writeFile(join(folder, 'a-file'), '');
      const belowFile = writeOutput(join(folder, 'a-file/out'), options(), writes('x'));
      await assert.rejects(belowFile, isError('REFUSED', /a part of it is no folder/));
    }));
});
