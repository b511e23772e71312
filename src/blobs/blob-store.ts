/**
 * Where larger derived files live: the contract of every blob store (checked by `test/contracts/blobs.ts`).
 *
 * A blob is bytes under a key. Guarantees:
 * - Whole or not there: who reads while a blob is put sees the one before (or none) or the new one. When `put` resolves,
 *   the bytes are on disk.
 * - What is here can be made again: `get` of what somebody deleted gives undefined, and its owner makes it anew. What
 *   cannot be made again is in the record (`store/`).
 * - Keys are words of small Latin letters, digits, `-`, `_` with `/` between them, the last with an ending: `lsh/ab12.lsh`. So
 *   they are the same on every file system and object store, none is a part of another, and none leads elsewhere.
 */
import { LabelsmithError } from '../errors.ts';

export interface BlobStore {
  /** Takes the place of what was there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  stat(key: string): Promise<BlobInfo | undefined>;
  /** Those whose key begins with `prefix`, in order of key; what is being put is not among them. */
  list(prefix?: string): AsyncIterable<BlobInfo>;
  /** What is not there is fine. */
  delete(key: string): Promise<void>;
}

export interface BlobInfo {
  readonly key: string;
  readonly byteSize: number;
}

const WORD = '[a-z0-9_-]+';
const KEY = new RegExp(`^(?:${WORD}/)*${WORD}(?:\\.${WORD})+$`);
const PREFIX = new RegExp(`^(?:${WORD}/)*(?:${WORD}(?:\\.${WORD})*\\.?)?$`);
/** Windows opens its devices by these names, whatever their ending. */
const DEVICE = /(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:[./]|$)/;
const MAX_KEY_LENGTH = 200;

export function checkKey(key: string): void {
  if (KEY.test(key) && !DEVICE.test(key) && key.length <= MAX_KEY_LENGTH) return;
  throw badKey(key, 'no key of a blob');
}

export function checkPrefix(prefix: string): void {
  if (!PREFIX.test(prefix)) throw badKey(prefix, 'no beginning of a key of a blob');
}

function badKey(key: string, what: string): LabelsmithError {
  return new LabelsmithError('USAGE', `${JSON.stringify(key)} is ${what}`, {
    hint: `Keys are like lsh/ab12.lsh: small letters, digits, "-" and "_", an ending, at most ${MAX_KEY_LENGTH} characters.`,
    details: { key },
  });
}
