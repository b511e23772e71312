/**
 * Sinks: where files are pushed. A sink keeps files under keys (`shoot/a.jpg`), takes each as a stream with its size and
 * SHA-256, and writes only what is what was promised.
 *
 * Guarantees of every sink (checked by `test/contracts/sink.ts`):
 * - Whole or not at all: whoever looks at a key sees the file of before or the new one, never a part. A put that fails,
 *   or whose process is killed, leaves what was there.
 * - Verified: bytes whose size or SHA-256 is not the one promised are not written.
 * - Conditional: of two puts at once with `absent`, or with the same `version`, one writes and the other is told what is
 *   there.
 * - Keys stay inside: nothing is written where a key or a link would lead out of the sink.
 *
 * What failure means: a condition that does not hold is a result, not an error. `REFUSED` is a key that no file may have,
 * `BAD_FILE` bytes that are not what was promised, `NOT_FOUND` a sink that is not there (a disk that is not mounted),
 * `DISK_FULL` no room, `NETWORK` a store that does not answer or says that it cannot now. After any of them the same put
 * may be tried again; nothing is left open or half written. What would meet every other key as well has the detail
 * `scope: 'target'`.
 */
import type { Readable } from 'node:stream';
import { LabelsmithError } from '../errors.ts';

export interface SinkFile {
  readonly key: string;
  readonly uri: string;
  readonly byteSize: number;
  /** Changes with every write: an etag, or time, size and number of a file. Compared for equality only. */
  readonly version: string;
  /** SHA-256 that was promised when it was put, where the sink remembers it. */
  readonly sha256?: string;
  /** MD5 of the bytes as the store computed it, where it tells one. */
  readonly md5?: string;
}

/** What must hold of a key for a put to write. */
export type PutCondition =
  | { readonly kind: 'any' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'version'; readonly version: string };

/** Whether a condition holds of what is there under a key. */
export function isMet(condition: PutCondition, found: SinkFile | undefined): boolean {
  switch (condition.kind) {
    case 'any':
      return true;
    case 'absent':
      return found === undefined;
    case 'version':
      return found?.version === condition.version;
    default:
      return condition satisfies never;
  }
}

export interface PutOptions {
  readonly byteSize: number;
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Default: any. */
  readonly condition?: PutCondition;
  readonly signal?: AbortSignal;
  /** Lets a large put go on where an earlier one, of this process or one that was killed, stopped. */
  readonly resume?: PutResume;
}

export interface PutResume {
  /** What the earlier put of the same bytes saved; undefined for none. A token that means nothing any more is ignored. */
  readonly token?: string;
  /** Keeps the token of the put under way. Sinks that cannot go on never call it. */
  save(token: string): void;
}

export type PutResult =
  /** `verified`: the store's own digest of what it keeps is that of the bytes; else only reading them again can tell. */
  | { readonly kind: 'written'; readonly file: SinkFile; readonly verified: boolean }
  /** The condition does not hold; `found` is what is there, undefined where nothing is. */
  | { readonly kind: 'not-met'; readonly found: SinkFile | undefined };

export interface Sink {
  readonly uri: string;
  /** What is there under a key; undefined where nothing is. */
  find(key: string): Promise<SinkFile | undefined>;
  /** The bytes under a key; the stream fails with `NOT_FOUND` where nothing is. */
  open(key: string): Readable;
  put(key: string, pieces: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult>;
  /** What is there after a key, in order of the keys' bytes, where the store lists many at the price of one. */
  list?(after: string): AsyncIterable<SinkFile>;
  /** Lets go of a put that {@link PutResume} kept and that nobody will go on with. */
  abandon?(key: string, token: string): Promise<void>;
  /** Gives back connections. */
  close(): Promise<void>;
}

/** Longest key in bytes, as object storage has it; each part of one is a file's name and has at most 255. */
const [MAX_KEY_BYTES, MAX_PART_BYTES] = [1024, 255] as const;

/** Fails where no sink takes a key. */
export function requireKey(key: string): void {
  const problem = keyProblem(key);
  if (problem === undefined) return;
  throw new LabelsmithError('REFUSED', `no file can be pushed as ${JSON.stringify(key.slice(0, 200))}: ${problem}`);
}

/** Bytes that are not those that were promised. */
export function brokenPromise(length: number, { byteSize, sha256 }: PutOptions): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `${length} bytes came that are not the ${byteSize} bytes of ${sha256}`, {
    hint: 'The file changed while it was pushed; push it again.',
    details: { reason: 'digest' },
  });
}

export function interruptedPut(): LabelsmithError {
  return new LabelsmithError('INTERRUPTED', 'the push was interrupted');
}

/** Why no sink takes a key; undefined for good ones. Hidden names are kept for what a sink writes on the way. */
export function keyProblem(key: string): string | undefined {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `it is longer than ${MAX_KEY_BYTES} bytes`;
  if (!key.isWellFormed()) return 'it is not Unicode text';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\u0000-\u001f\u007f\\]/.test(key)) return 'it has a control character or a backslash';
  for (const part of key.split('/')) {
    if (part === '') return 'it has an empty part';
    if (part.startsWith('.')) return 'a part of it begins with a dot';
    if (Buffer.byteLength(part) > MAX_PART_BYTES) return `a part of it is longer than ${MAX_PART_BYTES} bytes`;
  }
  return undefined;
}
