/**
 * Reads the bytes of paths that were recorded earlier, files and members of archives alike. An archive's directory is
 * read once and kept while it is in use: about 200 bytes a member in memory, for the `maxArchives` used last.
 */
import { stat } from 'node:fs/promises';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { archiveItems, MEMBER_MARK, type MemberPlace, openArchive, readMember } from './archive.ts';
import { readWholeFile, type SystemPath } from './file.ts';
import { archiveKindOf, pathTextOf } from './names.ts';

export interface ReaderOptions {
  /** As in `openSource`; the same folder lets a tar.gz be unpacked once for all stages. */
  readonly archiveCache?: string;
  /** Archives whose directories are kept at once (default 8). Less saves memory when many huge ones are mixed. */
  readonly maxArchives?: number;
}

export interface PathReader {
  /**
   * All bytes of a recorded path. Fails with `NOT_FOUND`, `BAD_FILE` or `REFUSED` as {@link SourceEntry.read} does. Any
   * number of calls may run at once.
   */
  read(path: string, pathBytes: Uint8Array | null, maxBytes: number): Promise<Uint8Array>;
  /** Whether a recorded path is still there. What cannot be looked into (no permission, a broken archive) counts as there. */
  exists(path: string, pathBytes: Uint8Array | null): Promise<boolean>;
}

interface Directory {
  readonly file: SystemPath;
  /** By the member's name, one character a byte. */
  readonly places: ReadonlyMap<string, MemberPlace>;
}

export function createReader(options: ReaderOptions = {}): PathReader {
  const maxArchives = options.maxArchives ?? 8;
  // In order of use, oldest first.
  const directories = new Map<string, Promise<Directory>>();

  const directoryOf = (archive: Buffer): Promise<Directory> => {
    const key = archive.toString('latin1');
    const known = directories.get(key) ?? readDirectoryOf(archive, options.archiveCache);
    directories.delete(key);
    directories.set(key, known);
    // A failure is not kept, so that an archive that comes back is read.
    known.catch(() => directories.delete(key));
    for (const oldest of directories.keys()) {
      if (directories.size <= maxArchives) break;
      directories.delete(oldest);
    }
    return known;
  };

  return {
    async read(path, pathBytes, maxBytes) {
      const bytes = pathBytes === null ? Buffer.from(path) : Buffer.from(pathBytes);
      const split = await splitMember(bytes);
      if (split === undefined) return readWholeFile(pathBytes === null ? path : bytes, path, maxBytes);
      const directory = await directoryOf(split.archive);
      const place = directory.places.get(split.member.toString('latin1'));
      if (place === undefined) throw new LabelsmithError('NOT_FOUND', `${path} is not in its archive any more`);
      return readMember(directory.file, place, path, maxBytes);
    },
    async exists(path, pathBytes) {
      const bytes = pathBytes === null ? Buffer.from(path) : Buffer.from(pathBytes);
      const split = await splitMember(bytes);
      if (!(await isThere(split?.archive ?? bytes))) return false;
      if (split === undefined) return true;
      const directory = await directoryOf(split.archive).catch(() => undefined);
      return directory === undefined || directory.places.has(split.member.toString('latin1'));
    },
  };
}

function isThere(path: Buffer): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => !['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? ''),
  );
}

/** Where a path goes into an archive: at the first `!/` that stands after the name of an archive that is a file. */
async function splitMember(path: Buffer): Promise<{ archive: Buffer; member: Buffer } | undefined> {
  for (let at = path.indexOf(MEMBER_MARK); at >= 0; at = path.indexOf(MEMBER_MARK, at + 1)) {
    const archive = path.subarray(0, at);
    if (archiveKindOf(archive.toString('latin1')) === undefined) continue;
    const isFolder = await stat(archive).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder) return { archive, member: path.subarray(at + MEMBER_MARK.length) };
  }
  return undefined;
}

async function readDirectoryOf(archive: Buffer, archiveCache: string | undefined): Promise<Directory> {
  const shown = pathTextOf(archive).path;
  const opened = await openArchive(archive, archiveCache);
  if (opened.kind === 'problem') {
    const code = opened.reason === 'unreadable' ? 'NOT_FOUND' : 'BAD_FILE';
    throw new LabelsmithError(code, `${shown}: ${opened.message}`);
  }
  const places = new Map<string, MemberPlace>();
  for await (const item of archiveItems(opened.archive, shown)) {
    // The first of two members with one name counts, as in a listing, whose second has the same path.
    const name = item.name.toString('latin1');
    if (item.kind === 'member' && !places.has(name)) places.set(name, item.place);
  }
  return { file: opened.archive.file, places };
}
