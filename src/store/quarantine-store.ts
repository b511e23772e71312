/** Paths that could not be used, with the reason. A part of the store's contract (`store.ts`). */

export interface QuarantineStore {
  /** In order of path, in pages. */
  quarantine(): AsyncIterable<readonly QuarantineRow[]>;
  putQuarantine(rows: readonly QuarantineRow[]): Promise<void>;
  /** Forgets that these paths could not be used; paths that are not in quarantine are fine. */
  liftQuarantine(paths: readonly string[]): Promise<void>;
}

/** The reason of a row whose file was not there: what is quarantined for it is tried again by every stage. */
export const FILE_GONE = 'missing';

export interface QuarantineRow {
  readonly path: string;
  readonly sourceRoot: string;
  /** A short stable reason such as `truncated`, `empty`, `not-an-image`, `too-large`, `unreadable`, `unsupported`. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
  /** The stage that gave up on it. */
  readonly stage: string;
}
