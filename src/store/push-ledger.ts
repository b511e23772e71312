/**
 * The ledger of a pushed folder: what of it is where. It is one file in the folder (hidden, so that it is not pushed
 * itself), and several processes may use it at once; a line that was written a tenth of a second ago survives the process.
 *
 * It is a memory, not the truth: whoever finds it gone compares with the targets and has it again.
 */

/** One file under one target, as it was when it was pushed. */
export interface PushedFile {
  readonly key: string;
  readonly byteSize: number;
  /** Time in nanoseconds and size of the local file. */
  readonly localVersion: string;
  readonly sha256: string;
  /** The target's version of it, for puts under a condition. */
  readonly version: string;
  /** By whose digest it was seen to be whole: the store's own, or that of the bytes read back. */
  readonly verifiedBy: 'store' | 'bytes';
  readonly pushedAtMs: number;
  /** When the local file was deleted because it is there; null where it was not. */
  readonly deletedAtMs: number | null;
}

/** A large put that is not whole yet. */
export interface UnfinishedPut {
  readonly sha256: string;
  readonly token: string;
}

export interface PushTarget {
  readonly target: string;
  readonly files: number;
  readonly byteSize: number;
  /** Of these: deleted here. */
  readonly deleted: number;
  readonly lastPushedAtMs: number;
}

export interface PushLedger {
  /** False on a full disk: what it is told is forgotten with the process, and the target's listing tells it the next time. */
  readonly isKept: boolean;
  pushed(target: string, key: string): PushedFile | undefined;
  record(target: string, file: PushedFile): void;
  recordDeleted(target: string, key: string, atMs: number): void;
  /** Of what the target was seen not to have any more. */
  forget(target: string, key: string): void;
  unfinished(target: string, key: string): UnfinishedPut | undefined;
  keepUnfinished(target: string, key: string, put: UnfinishedPut): void;
  forgetUnfinished(target: string, key: string): void;
  /** Whether this version of a file is anywhere. */
  isPushed(key: string, localVersion: string): boolean;
  /** In order of their addresses. */
  targets(): readonly PushTarget[];
  close(): void;
}
