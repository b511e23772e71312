/** Entries of the file system: one regular file, or one member of an archive. What they guarantee is in `source.ts`. */
import { Readable } from 'node:stream';
import { filePieces, readRegularFile, type SystemPath } from './file.ts';
import { pathTextOf } from './names.ts';
import type { SourceEntry } from './source.ts';
import { fileUriOf } from './uri.ts';

/** What was learnt of a file, or of an archive's member, when it was listed. */
export interface ListedFile {
  /** Absolute, as bytes. */
  readonly path: Buffer;
  readonly sourceRoot: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
}

/** How the bytes of an entry are had. */
export interface EntryBytes {
  readonly pieces: () => AsyncIterable<Uint8Array>;
  readonly whole: (maxBytes: number) => Promise<Uint8Array>;
  /** What tells versions apart beside time and size. */
  readonly checksum?: string;
}

/** The entry of a regular file. */
export function fileEntry(file: ListedFile): SourceEntry {
  const { path: shown, pathBytes } = pathTextOf(file.path);
  const system: SystemPath = pathBytes === null ? shown : file.path;
  return entryOf(file, {
    pieces: () => filePieces(system, shown),
    whole: (maxBytes) => readRegularFile(system, shown, maxBytes),
  });
}

/** An entry whose bytes come from anywhere. */
export function entryOf(file: ListedFile, { pieces, whole, checksum }: EntryBytes): SourceEntry {
  const { sourceRoot, byteSize, modifiedAtMs } = file;
  const version = `${modifiedAtMs}-${byteSize}${checksum === undefined ? '' : `-${checksum}`}`;
  return {
    // Made when asked for: most runs never do.
    get uri() {
      return fileUriOf(file.path);
    },
    ...pathTextOf(file.path),
    sourceRoot,
    byteSize,
    modifiedAtMs,
    version,
    open: () => Readable.from(pieces(), { objectMode: false }),
    read: whole,
  };
}
