/**
 * The conformance suite of the source's contract (`src/sources/source.ts`), run for every kind of source.
 *
 * Each kind is given the same files and must give them back: under the same names relative to its root where it has
 * one, in a fixed order, with their bytes.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { LabelsmithError } from '../../src/errors.ts';
import { openSource } from '../../src/sources/open.ts';
import { createReader } from '../../src/sources/reader.ts';
import type { Source, SourceEntry, SourceProblem } from '../../src/sources/source.ts';

/** Name → contents, in order of the names' bytes as whole paths. `notes.txt` is no image and is left out. */
export const FILES: ReadonlyMap<string, Buffer> = new Map(
  (
    [
      ['a b.jpg', 'space'],
      ['a-empty.png', ''],
      ['notes.txt', 'no image'],
      ['sub/deep/1.JPEG', 'deep'],
      ['sub/new\nline.jpg', 'newline'],
      ['sub/Ünïcode-日本.webp', 'unicode'],
      ['z.heic', 'z'.repeat(100_000)],
    ] as const
  ).map(([name, text]) => [name, Buffer.from(text)]),
);

export interface SourceKind {
  readonly name: string;
  /** Puts the files into `folder` in this source's own form and opens it. A second call opens the same anew. */
  open(folder: string): Promise<Source>;
  /** Names that this kind cannot hold, each with the reason. */
  readonly without?: Readonly<Record<string, string>>;
  /** How its entries' addresses and paths begin, where they are no files of this machine: `s3`. */
  readonly scheme?: string;
  /** True when `notes.txt` is an entry, since the user wrote its name. */
  readonly names?: boolean;
}

export interface Listed {
  readonly entries: SourceEntry[];
  readonly problems: SourceProblem[];
  readonly ignored: string[];
}

export async function listed(source: Source): Promise<Listed> {
  const [entries, problems, ignored]: [SourceEntry[], SourceProblem[], string[]] = [[], [], []];
  for await (const item of source.list({ onIgnored: (path) => ignored.push(path) })) {
    if (item.kind === 'entry') entries.push(item.entry);
    else problems.push(item.problem);
  }
  return { entries, problems, ignored };
}

export async function inTemporaryFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'labelsmith-source-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function sourceContract(kind: SourceKind): void {
  const expected = [...FILES].filter(
    ([name]) => !(name in (kind.without ?? {})) && (kind.names || name !== 'notes.txt'),
  );

  describe(`source contract: ${kind.name}`, () => {
    test('it gives every image once, in order, with its size and its bytes', () =>
      inTemporaryFolder(async (folder) => {
        const source = await kind.open(folder);
        const { entries, problems, ignored } = await listed(source);
        assert.deepEqual(problems, []);
        assert.deepEqual(
          entries.map(({ path }) => expected.find(([name]) => path.endsWith(`/${name}`))?.[0] ?? path),
          expected.map(([name]) => name),
        );
        assert.equal(ignored.length, kind.names ? 0 : 1);
        for (const [i, entry] of entries.entries()) {
          const content = expected[i]?.[1];
          assert.equal(entry.byteSize, content.length);
          assert.equal(entry.sourceRoot, source.root);
          const start = kind.scheme === undefined ? /^(\/|[A-Z]:)/ : new RegExp(`^${kind.scheme}://`);
          assert.match(entry.path, start, 'absolute');
          assert.ok(Number.isInteger(entry.modifiedAtMs));
          assert.deepEqual(Buffer.from(await entry.read(1 << 20)), content);
        }
      }));

    test('a second listing gives the same', () =>
      inTemporaryFolder(async (folder) => {
        const facts = async (source: Source) =>
          (await listed(source)).entries.map(({ uri, path, byteSize, version }) => [uri, path, byteSize, version]);
        const first = await facts(await kind.open(folder));
        assert.deepEqual(await facts(await kind.open(folder)), first);
      }));

    test('entries can be read in any order, at once, and after the listing', () =>
      inTemporaryFolder(async (folder) => {
        const { entries } = await listed(await kind.open(folder));
        const contents = await Promise.all(entries.toReversed().map((entry) => entry.read(1 << 20)));
        assert.deepEqual(
          contents.map((content) => Buffer.from(content)),
          expected.map(([, content]) => content).toReversed(),
        );
      }));

    test('an entry streams the bytes that it reads, and a stream can be left', () =>
      inTemporaryFolder(async (folder) => {
        const { entries } = await listed(await kind.open(folder));
        for (const [i, entry] of entries.entries()) {
          assert.deepEqual(await buffer(entry.open()), expected[i]?.[1]);
        }
        const large = entries.find(({ path }) => path.endsWith('z.heic')) as SourceEntry;
        for await (const piece of large.open()) {
          assert.ok(piece.length > 0);
          break;
        }
        // Both at once: the one does not disturb the other.
        const [streamed, read] = await Promise.all([buffer(large.open()), large.read(1 << 20)]);
        assert.deepEqual(streamed, Buffer.from(read));
      }));

    test('an entry’s URI, opened as a source, is that entry', () =>
      inTemporaryFolder(async (folder) => {
        const { entries } = await listed(await kind.open(folder));
        for (const entry of entries) {
          // What stores call an object's address is its key as it is.
          assert.match(entry.uri, kind.scheme === undefined ? /^file:\/\/\/[!-~]+$/ : /^[a-z0-9]+:\/\/.+$/);
          const cwd = '/';
          const again = await listed(await openSource(entry.uri, { cwd, archiveCache: join(folder, 'uri-cache') }));
          assert.deepEqual(
            again.entries.map(({ path, uri, version }) => [path, uri, version]),
            [[entry.path, entry.uri, entry.version]],
          );
        }
      }));

    test('a file over the limit is refused', () =>
      inTemporaryFolder(async (folder) => {
        const { entries } = await listed(await kind.open(folder));
        const large = entries.find(({ path }) => path.endsWith('z.heic')) as SourceEntry;
        await assert.rejects(large.read(99_999), isError('REFUSED', 'too-large'));
        assert.equal((await large.read(100_000)).length, 100_000);
      }));

    test('a listing can be left in the middle', () =>
      inTemporaryFolder(async (folder) => {
        for await (const item of (await kind.open(folder)).list()) {
          assert.equal(item.kind, 'entry');
          break;
        }
      }));

    test('the reader finds the recorded paths again, and knows which are gone', () =>
      inTemporaryFolder(async (folder) => {
        const reader = createReader({ archiveCache: join(folder, 'reader-cache') });
        const { entries } = await listed(await kind.open(folder));
        for (const [i, { path, pathBytes }] of entries.entries()) {
          assert.deepEqual(Buffer.from(await reader.read(path, pathBytes, 1 << 20)), expected[i]?.[1]);
          assert.equal(await reader.exists(path, pathBytes), true);
          assert.equal(await reader.exists(`${path}.gone`, null), false);
          await assert.rejects(reader.read(`${path}.gone`, null, 1 << 20), isError('NOT_FOUND', 'missing'));
        }
      }));
  });
}

export function isError(code: string, reason?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof LabelsmithError, String(error));
    assert.equal(error.code, code, error.message);
    if (reason !== undefined) assert.equal(error.details.reason, reason, error.message);
    return true;
  };
}

/** Writes a file below a folder, whatever bytes its name is made of. */
export function write(folder: string, name: string | Buffer, content: Buffer | string = 'x'): void {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  mkdirSync(dirname(path.toString('latin1')), { recursive: true });
  writeFileSync(path, content);
}

/** The entries' paths below the folder. */
export const pathsBelow = (entries: readonly SourceEntry[], folder: string) =>
  entries.map(({ path }) => path.slice(folder.length + 1));
