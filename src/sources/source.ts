/**
 * Sources: async iterables of named bytes. A source lists what is there in a fixed order and opens one entry at a time;
 * it decodes nothing and decides nothing about what it finds.
 */

export interface SourceEntry {
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
  /** Reads all bytes. Fails with `NOT_FOUND`, `BAD_FILE` (unreadable) or `REFUSED` (larger than `maxBytes`). */
  read(maxBytes: number): Promise<Uint8Array>;
}

/** Something listed that cannot even be opened: a loop, a broken link, a damaged archive. It goes to quarantine. */
export interface SourceProblem {
  readonly path: string;
  readonly sourceRoot: string;
  readonly reason: string;
  readonly message: string;
}

export type SourceItem =
  | { readonly kind: 'entry'; readonly entry: SourceEntry }
  | { readonly kind: 'problem'; readonly problem: SourceProblem };

export interface Source {
  /** What the user wrote. */
  readonly spec: string;
  readonly root: string;
  /** In a fixed order (by path bytes within a folder, as stored within an archive), streaming. */
  list(): AsyncIterable<SourceItem>;
}
