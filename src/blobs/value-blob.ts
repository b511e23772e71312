/**
 * Values that can be cloned (typed arrays, maps and plain data) among the blobs of a workspace, under the name of their content, for
 * processes that work on the same one.
 */
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import { sha256Hex } from '../core/ids.ts';
import type { BlobStore } from './blob-store.ts';
import { type BlobKind, getDescribed, putDescribed } from './described-blob.ts';

const HEADER = z.object({ sha256: z.string() });
const KIND: BlobKind<z.infer<typeof HEADER>> = { version: 1, header: HEADER };

export interface ValueBlob {
  /** By its content. */
  readonly key: string;
  put(blobs: Pick<BlobStore, 'put'>): Promise<void>;
}

/** @param folder ends with `/` @param value nothing of it is in shared memory */
export function valueBlob(folder: string, value: unknown): ValueBlob {
  const bytes = serialize(value);
  const sha256 = sha256Hex(bytes);
  const key = `${folder}${sha256.slice(0, 32)}.value`;
  return { key, put: (blobs) => putDescribed(blobs, key, KIND, { header: { sha256 }, bytes }) };
}

/** What was put there, by {@link valueBlob} alone; undefined where it is not there, or damaged. */
export async function getValue<T>(blobs: Pick<BlobStore, 'get'>, key: string): Promise<T | undefined> {
  const found = await getDescribed(blobs, key, KIND);
  if (found === undefined || sha256Hex(found.bytes) !== found.header.sha256) return undefined;
  return deserialize(found.bytes) as T;
}
