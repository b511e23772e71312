/**
 * Reads the bytes of paths that were recorded earlier, files, members of archives and objects of a cloud alike; objects go
 * through a cache on the disk, beside the unpacked archives. An archive's directory is
 * read once and kept while it is in use: about 200 bytes a member in memory, for the `maxArchives` used last. An archive
 * that changes on disk is read anew.
 */
import { LabelsmithError } from '../errors.ts';
import { archiveItems } from './archive.ts';
import { isObjectPath, ObjectReader, objectCacheBeside } from './cloud/object-reader.ts';
import { badFile, readRegularFile, type SystemPath } from './file.ts';
import { type MemberPlace, readMember } from './member.ts';
import { type MemberPath, splitMember, statOf } from './member-path.ts';
import { pathTextOf } from './names.ts';
import { openArchive } from './open-archive.ts';

export interface ReaderOptions {
  /** As in `openSource`; the same folder lets a tar.gz be unpacked once for all stages. */
  readonly archiveCache?: string;
  /** Archives whose directories are kept at once (default 8). Less saves memory when many huge ones are mixed. */
  readonly maxArchives?: number;
}

/** Any number of calls may run at once. */
export interface PathReader {
  /** All bytes of a recorded path. Fails with `NOT_FOUND`, `BAD_FILE` or `REFUSED` as `SourceEntry.read` does. */
  read(path: string, pathBytes: Uint8Array | null, maxBytes: number): Promise<Uint8Array>;
  /**
   * False when the path is surely gone: no such file, archive or member. True for what is there but cannot be read, since
   * a folder without permission or a damaged archive is no proof.
   */
  exists(path: string, pathBytes: Uint8Array | null): Promise<boolean>;
}

interface Directory {
  readonly file: SystemPath;
  /** By the member's name, one character a byte. */
  readonly places: ReadonlyMap<string, MemberPlace>;
  /** Something was wrong with the archive, so that a member that is not here may still be in it. */
  readonly damaged: boolean;
}

export function createReader(options: ReaderOptions = {}): PathReader {
  const maxArchives = options.maxArchives ?? 8;
  const objects = new ObjectReader(objectCacheBeside(options.archiveCache));
  // In order of use, oldest first.
  const directories = new Map<string, Promise<Directory>>();

  const directoryOf = ({ archive, found }: MemberPath): Promise<Directory> => {
    const version = typeof found === 'object' ? `${found.size}\n${found.mtimeMs}` : '';
    const key = `${archive.toString('latin1')}\n${version}`;
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
      if (isObjectPath(path)) return objects.read(path, maxBytes);
      const bytes = pathBytes === null ? Buffer.from(path) : Buffer.from(pathBytes);
      const split = await splitMember(bytes);
      if (split === undefined) return readRegularFile(pathBytes === null ? path : bytes, path, maxBytes);
      const directory = await directoryOf(split);
      const place = directory.places.get(split.member.toString('latin1'));
      if (place === undefined) throw gone(`${path} is not in its archive any more`);
      return readMember(directory.file, place, path, maxBytes);
    },

    async exists(path, pathBytes) {
      if (isObjectPath(path)) return (await objects.find(path)) !== undefined;
      const bytes = pathBytes === null ? Buffer.from(path) : Buffer.from(pathBytes);
      const split = await splitMember(bytes);
      if (split === undefined) return (await statOf(bytes)) !== undefined;
      if (split.found === undefined) return false;
      try {
        const directory = await directoryOf(split);
        return directory.damaged || directory.places.has(split.member.toString('latin1'));
      } catch (error) {
        if (error instanceof LabelsmithError && error.code !== 'DISK_FULL') return error.code !== 'NOT_FOUND';
        throw error;
      }
    },
  };
}

function gone(message: string): LabelsmithError {
  return new LabelsmithError('NOT_FOUND', message, { details: { reason: 'missing' } });
}

async function readDirectoryOf(archive: Buffer, archiveCache: string | undefined): Promise<Directory> {
  const shown = pathTextOf(archive).path;
  const opened = await openArchive(archive, archiveCache);
  if (opened.kind === 'problem') {
    if (opened.reason === 'missing') throw gone(`${shown} is not there any more`);
    throw badFile(`${shown}: ${opened.message}`, opened.reason);
  }
  const places = new Map<string, MemberPlace>();
  let damaged = false;
  for await (const item of archiveItems(opened.archive, shown)) {
    const name = item.name.toString('latin1');
    // A problem with an empty name is one of the whole archive.
    if (item.kind === 'problem' && name === '') damaged = true;
    // Of two members with one name the first counts.
    if (item.kind === 'member' && !places.has(name)) places.set(name, item.place);
  }
  return { file: opened.archive.file, places, damaged };
}
