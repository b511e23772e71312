/** Matrices among the blobs of a workspace, under the name of their content, for processes that work on the same one. */
import { z } from 'zod';
import { sha256Hex } from '../core/ids.ts';
import { type Matrix, newSharedMatrix } from '../math/matrix.ts';
import type { BlobStore } from './blob-store.ts';
import { type BlobKind, getDescribed, putDescribed } from './described-blob.ts';

const HEADER = z.object({ rows: z.int().nonnegative(), columns: z.int().positive(), sha256: z.string() });
const KIND: BlobKind<z.infer<typeof HEADER>> = { version: 1, header: HEADER };

/** Where a matrix goes, by its content. @param folder ends with `/` */
export function keyOfMatrix(folder: string, matrix: Matrix): string {
  return `${folder}${sha256Hex(bytesOf(matrix)).slice(0, 32)}.matrix`;
}

export async function putMatrix(blobs: Pick<BlobStore, 'put'>, key: string, matrix: Matrix): Promise<void> {
  const { rows, columns } = matrix;
  const bytes = bytesOf(matrix);
  await putDescribed(blobs, key, KIND, { header: { rows, columns, sha256: sha256Hex(bytes) }, bytes });
}

function bytesOf({ data }: Matrix): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** In shared memory; undefined where it is not there, or damaged. */
export async function getMatrix(blobs: Pick<BlobStore, 'get'>, key: string): Promise<Matrix | undefined> {
  const found = await getDescribed(blobs, key, KIND);
  if (found === undefined) return undefined;
  const { rows, columns, sha256 } = found.header;
  if (found.bytes.length !== 4 * rows * columns || sha256Hex(found.bytes) !== sha256) return undefined;
  const matrix = newSharedMatrix(rows, columns);
  new Uint8Array(matrix.data.buffer).set(found.bytes);
  return matrix;
}
