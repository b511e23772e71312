/**
 * A folder, recursively. Symbolic links are followed: to files always, to a folder the first time, so that links which
 * lead round and round can neither loop nor multiply; a link to a folder it stands in is a problem.
 */
import { realpath, stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { listArchive } from './archive.ts';
import { type DirectoryEntry, readDirectory } from './directory.ts';
import { fileEntry } from './entry.ts';
import { readRange, type SystemPath, withFile } from './file.ts';
import { type Listing, problemOf } from './listing.ts';
import { beginsLikeImage, kindOfName, pathTextOf, SNIFFED_BYTES } from './names.ts';
import type { SourceItem } from './source.ts';

/** Files whose size and time are asked for at once; more only helps on network drives. */
const STATS_AT_ONCE = 32;

export async function* listFolder(folder: Buffer, listing: Listing): AsyncGenerator<SourceItem> {
  // A link to a folder that holds the source is a loop as well, so the folders above it count as ancestors.
  const ancestors: string[] = [];
  let above = await realpath(folder, { encoding: 'buffer' });
  while (true) {
    ancestors.push(identityOf(await stat(above, { bigint: true })));
    const slash = above.lastIndexOf(0x2f);
    if (slash < 0 || above.length <= 1) break;
    above = above.subarray(0, Math.max(1, slash));
  }
  yield* walk(folder, listing, ancestors, new Set());
}

function identityOf(own: { dev: bigint; ino: bigint }): string {
  return `${own.dev}:${own.ino}`;
}

/**
 * `ancestors` are this folder and those it stands in; `linked` those that were entered by a link. Both hold
 * device and inode, since names say nothing once links are followed.
 */
async function* walk(
  folder: Buffer,
  listing: Listing,
  ancestors: readonly string[],
  linked: Set<string>,
): AsyncGenerator<SourceItem> {
  let files: Buffer[] = [];
  try {
    for await (const entry of readDirectory(folder)) {
      if (isSkipped(entry)) continue;
      const path = joined(folder, entry.name);
      const isArchive = kindOfName(entry.name.toString('latin1')) === 'archive';
      const isPlainFile = entry.kind === 'file' && !isArchive;
      if (isPlainFile) files.push(path);
      if (isPlainFile && files.length < STATS_AT_ONCE) continue;
      yield* await candidateItems(files, listing);
      files = [];
      if (entry.kind !== 'file') yield* notAFile(entry, path, listing, ancestors, linked);
      else if (isArchive && (await isAdmitted(path, listing))) yield* listArchive(path, listing);
    }
  } catch (error) {
    yield problemOf(folder, listing, 'unreadable', `the folder cannot be read: ${messageOf(error)}`);
    return;
  }
  yield* await candidateItems(files, listing);
}

function isSkipped(entry: DirectoryEntry): boolean {
  return kindOfName(entry.name.toString('latin1')) === 'hidden';
}

async function* notAFile(
  entry: DirectoryEntry,
  path: Buffer,
  listing: Listing,
  ancestors: readonly string[],
  linked: Set<string>,
): AsyncGenerator<SourceItem> {
  switch (entry.kind) {
    case 'folder': {
      if (listing.skip.has(pathTextOf(path).path)) return;
      let identity: string;
      try {
        identity = identityOf(await stat(path, { bigint: true }));
      } catch (error) {
        yield problemOf(path, listing, 'unreadable', `the folder cannot be looked at: ${messageOf(error)}`);
        return;
      }
      if (entry.viaLink) {
        if (ancestors.includes(identity)) {
          yield problemOf(path, listing, 'link-loop', 'a symbolic link to a folder it stands in; not followed');
          return;
        }
        if (linked.has(identity)) {
          listing.onIgnored?.(pathTextOf(path).path);
          return;
        }
        linked.add(identity);
      }
      yield* walk(path, listing, [...ancestors, identity], linked);
      return;
    }
    case 'link':
      yield problemOf(path, listing, 'broken-link', 'a symbolic link that points to nothing');
      return;
    case 'special':
      if (kindOfName(entry.name.toString('latin1')) === 'image') {
        yield problemOf(path, listing, 'not-a-file', 'a pipe, socket or device, not a file');
      } else listing.onIgnored?.(pathTextOf(path).path);
      return;
    case 'file':
      return;
    default:
      entry.kind satisfies never;
  }
}

/** Entries of the files whose names or first bytes are an image's, in their order; their sizes asked for side by side. */
export async function candidateItems(paths: readonly Buffer[], listing: Listing): Promise<SourceItem[]> {
  const items = await Promise.all(paths.map((path) => candidateItem(path, listing)));
  return items.filter((item) => item !== undefined);
}

async function candidateItem(path: Buffer, listing: Listing): Promise<SourceItem | undefined> {
  const kind = kindOfName(baseNameOf(path));
  if (kind === 'image' || (kind === 'sniff' && (await looksLikeImage(path)))) return fileItem(path, listing);
  listing.onIgnored?.(pathTextOf(path).path);
  return undefined;
}

/** The entry of one file, whatever its name: what the user named is always looked at. */
export async function fileItem(path: Buffer, listing: Listing): Promise<SourceItem | undefined> {
  const text = pathTextOf(path);
  const system: SystemPath = text.pathBytes === null ? text.path : path;
  try {
    const found = await stat(system);
    if (!found.isFile()) return problemOf(path, listing, 'not-a-file', 'a pipe, socket or device, not a file');
    const { sourceRoot } = listing;
    const file = { path, sourceRoot, byteSize: found.size, modifiedAtMs: Math.round(found.mtimeMs) };
    return listing.admit?.(file) === false ? undefined : { kind: 'entry', entry: fileEntry(file) };
  } catch (error) {
    return problemOf(path, listing, 'unreadable', `the file cannot be looked at: ${messageOf(error)}`);
  }
}

/** An archive that cannot be looked at is opened all the same, which says what is wrong with it. */
async function isAdmitted(path: Buffer, { admit }: Listing): Promise<boolean> {
  if (admit === undefined) return true;
  const found = await stat(path).catch(() => undefined);
  return found === undefined || admit({ path, byteSize: found.size, modifiedAtMs: Math.round(found.mtimeMs) });
}

/** Whether a file with no extension begins like an image; one that cannot be read counts, so that it is reported. */
async function looksLikeImage(path: Buffer): Promise<boolean> {
  try {
    return await withFile(path, pathTextOf(path).path, async (file, size) => {
      return beginsLikeImage(await readRange(file, 0, Math.min(size, SNIFFED_BYTES), pathTextOf(path).path));
    });
  } catch {
    return true;
  }
}

function joined(folder: Buffer, name: Buffer): Buffer {
  const slash = folder[folder.length - 1] === 0x2f ? '' : '/';
  return Buffer.concat([folder, Buffer.from(slash), name]);
}

/** The last part of a path; Latin-1, so that every byte is one character and ASCII rules hold for any name. */
function baseNameOf(path: Buffer): string {
  return path.subarray(path.lastIndexOf(0x2f) + 1).toString('latin1');
}
