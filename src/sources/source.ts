/**
 * Sources: finite, listable sets of named bytes. A source lists what is there in a fixed order and opens one entry at a
 * time; it decodes nothing and decides nothing about what it finds, but for leaving out what nobody would call an image
 * (`notes.txt`, `.git`, `Thumbs.db`; the rules are in `names.ts`). What never ends is a feed (`feed.ts`), what is
 * written to a sink (`sink.ts`); which texts mean which source is a table (`schemes.ts`).
 *
 * Guarantees of every source (checked by `test/contracts/source.ts`):
 * - Two listings of an unchanged source give the same items in the same order.
 * - Nothing that can be wrong with one file or one archive ends a listing: it becomes a `problem` and the rest follows.
 * - Nothing is held but one folder's names, or one archive's directory (20 bytes a member); entries hold no open file.
 * - Nothing is ever written where a name of the source says: archives are read in place or as a whole.
 * - An entry's URI, opened as a source, is that entry.
 *
 * What failure means: opening a source that is not there fails (`NOT_FOUND`); a listing never fails for what it finds;
 * reading an entry fails with `NOT_FOUND` (gone since it was listed), `BAD_FILE` (there, and not to be read; quarantine
 * it) or `REFUSED` (larger than the caller takes). A failed read leaves nothing open and may be tried again.
 */
import type { Readable } from 'node:stream';

export interface SourceEntry {
  /** `file:///photos/a.jpg`, `file:///shoot.zip!/a.jpg`. */
  readonly uri: string;
  /**
   * Absolute path in UTF-8 (an archive's member is `ARCHIVE!/MEMBER`). Bytes that are not valid UTF-8 are written `\xHH`
   * and the true bytes are in `pathBytes`.
   */
  readonly path: string;
  readonly pathBytes: Uint8Array | null;
  /** The folder, archive or list it came in by, absolute. */
  readonly sourceRoot: string;
  readonly byteSize: number;
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number;
  /**
   * Changes when the bytes do, as far as whoever keeps them tells: time and size of a file, the checksum too of a zip's
   * member, an object's etag. Compared for equality only, and only between versions of one URI.
   */
  readonly version: string;
  /** The bytes as they come, one piece at a time. Destroying the stream closes the file. Fails as `read` does. */
  open(): Readable;
  /** All bytes at once. Fails with `NOT_FOUND`, `BAD_FILE` (unreadable) or `REFUSED` (larger than `maxBytes`). */
  read(maxBytes: number): Promise<Uint8Array>;
}

/** Reason → what it means. These are listed things that cannot even be opened; images that cannot be decoded are not here. */
export const SOURCE_PROBLEMS = {
  missing: 'a list names it, but it is not there',
  unreadable: 'the file or folder may not be read',
  'broken-link': 'a symbolic link that points to nothing',
  'link-loop': 'a symbolic link to a folder it stands in',
  'not-a-file': 'a pipe, socket or device',
  'too-long': 'a line of a list that is longer than any path',
  'damaged-archive': 'the archive is cut off or broken',
  'nested-archive': 'an archive inside an archive is not opened',
  'unsupported-archive': 'an archive of a kind that is not opened',
  'encrypted-archive': 'a member of an archive is protected by a password',
  'unsafe-name': 'the name of an archive’s member leads outside the archive, or is longer than any path',
  'archive-too-large': 'an archive that grows out of proportion when unpacked',
} as const;
export type SourceProblemReason = keyof typeof SOURCE_PROBLEMS;

/** Something listed that cannot even be opened: a loop, a broken link, a damaged archive. It goes to quarantine. */
export interface SourceProblem {
  readonly path: string;
  readonly sourceRoot: string;
  readonly reason: SourceProblemReason;
  /** A sentence for people. */
  readonly message: string;
}

export type SourceItem =
  | { readonly kind: 'entry'; readonly entry: SourceEntry }
  | { readonly kind: 'problem'; readonly problem: SourceProblem };

export interface ListOptions {
  /** Told of each file that is left out because its name is not an image's: `notes.txt`. Hidden files are not counted. */
  readonly onIgnored?: (path: string) => void;
  /**
   * Asked for each file of a folder, archives too, before it is opened; false leaves it out of this listing. For files
   * that are still being written.
   */
  readonly admit?: (file: {
    readonly path: Buffer;
    readonly byteSize: number;
    readonly modifiedAtMs: number;
  }) => boolean;
}

export interface Source {
  /** What the user wrote. */
  readonly spec: string;
  readonly root: string;
  /** In a fixed order (by path bytes within a folder, as stored within an archive or a list), streaming. */
  list(options?: ListOptions): AsyncIterable<SourceItem>;
}
