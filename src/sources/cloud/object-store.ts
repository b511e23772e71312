/**
 * What sinks and sources need of an object storage, whoever makes it: a port of a few calls, each one request or one
 * page of them. Nothing here retries; the caller does.
 *
 * What failure means: `NETWORK` when the store does not answer or says that it cannot now (500, 503, too many requests):
 * try again. `REFUSED` for wrong or missing credentials and rights, `NOT_FOUND` for a bucket that is not there: no other
 * key will fare better. No message holds a credential.
 */
import type { PutCondition } from '../sink.ts';

export interface StoredObject {
  /** Relative to the store's prefix. */
  readonly key: string;
  readonly byteSize: number;
  /** The etag: changes with every write. */
  readonly version: string;
  readonly md5?: string;
  /** As its writer said; listings do not tell it. */
  readonly sha256?: string;
  /** Milliseconds since 1970, where the store tells it. */
  readonly modifiedAtMs?: number;
}

/** One as a listing has it. */
export interface ListedObject extends StoredObject {
  readonly modifiedAtMs: number;
}

export interface ObjectPut {
  readonly sha256: string;
  /** Of what is put at once: of its bytes. */
  readonly md5?: string;
  readonly condition: PutCondition;
  readonly signal?: AbortSignal;
}

export interface UploadedPart {
  /** From 1. */
  readonly number: number;
  readonly byteSize: number;
  /** As the store computed it, where it tells one. */
  readonly md5?: string;
  /** What the store wants back when the upload is completed. */
  readonly receipt: string;
}

/** Uploads in parts, which outlive the process that began them. */
export interface PartedUploads {
  /** Some stores look at the condition here, others at the end. */
  begin(key: string, put: ObjectPut): Promise<string | 'not-met'>;
  /** The parts that the store has, by number; undefined where it knows no such upload, or none under this condition. */
  uploaded(key: string, upload: string, put: ObjectPut): Promise<ReadonlyMap<number, UploadedPart> | undefined>;
  /** In order of the numbers, each once, but for those that the store has with the same digest. */
  upload(key: string, upload: string, number: number, bytes: Uint8Array, signal?: AbortSignal): Promise<UploadedPart>;
  /** `verified`: the store's digest over all parts is what it has to be. */
  complete(
    key: string,
    upload: string,
    parts: readonly UploadedPart[],
    put: ObjectPut,
  ): Promise<{ readonly object: StoredObject; readonly verified: boolean } | 'not-met'>;
  abandon(key: string, upload: string): Promise<void>;
}

export interface ObjectStore {
  /** `s3://bucket/prefix`, with no slash at its end and no credentials in it. */
  readonly uri: string;
  /** Bytes of a part; what has no more is put in one request. */
  readonly partBytes: number;
  readonly parts: PartedUploads;
  /** Those whose key begins so and comes after the other, in order of the keys' bytes; all for two empty texts. */
  list(after: string, begins?: string): AsyncIterable<ListedObject>;
  head(key: string): Promise<StoredObject | undefined>;
  /** The pieces of its bytes, to be taken once. Fails with `NOT_FOUND` where nothing is. */
  get(key: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer>>;
  put(key: string, bytes: Uint8Array, put: ObjectPut): Promise<StoredObject | 'not-met'>;
  /** What is not there is fine. */
  delete(key: string): Promise<void>;
  close(): void;
}
