/**
 * Opening files by names that came from elsewhere: only regular files are read, since a pipe waits for ever and a device
 * never ends, and what is no text is called what it is.
 */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { LabelsmithError } from '../errors.ts';
import { kindOf } from '../files/whole-file.ts';
import { badFile } from './check.ts';

/** The file's size in bytes. Fails with `BAD_FILE` for a folder, a pipe, a device; with `ENOENT` where there is nothing. */
export async function regularFileSize(path: string | Buffer, name: string): Promise<number> {
  const found = await stat(path);
  if (!found.isFile()) throw badFile(name, `this is ${kindOf(found)} and no file`);
  return found.size;
}

/** Pieces of a regular file's bytes. */
export async function* bytesOf(path: string, name: string, pieceBytes: number): AsyncGenerator<Buffer> {
  await regularFileSize(path, name);
  yield* createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>;
}

/** What a file is that begins like no text. */
const KINDS: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive'],
  [[0x50, 0x4b, 0x05, 0x06], 'an empty zip archive'],
  [[0x1f, 0x8b], 'a gzip archive'],
  [[0x52, 0x61, 0x72, 0x21], 'a RAR archive'],
  [[0x37, 0x7a, 0xbc, 0xaf], 'a 7z archive'],
  [[0x42, 0x5a, 0x68], 'a bzip2 archive'],
  [[0xfd, 0x37, 0x7a, 0x58], 'an xz archive'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard archive'],
  [[0xff, 0xd8, 0xff], 'a picture (JPEG)'],
  [[0x89, 0x50, 0x4e, 0x47], 'a picture (PNG)'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Office document'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], 'an SQLite database'],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file'],
];

/** What a file is by its first bytes: `a zip archive`; null for text and what is not known. */
export async function kindOfBytes(path: string): Promise<string | null> {
  const head = await headOf(path).catch(() => Buffer.alloc(0));
  return KINDS.find(([bytes]) => bytes.every((byte, i) => head[i] === byte))?.[1] ?? null;
}

/** The error for a file whose bytes are no UTF-8: what it is, where that can be told. */
export async function notText(path: string, name: string, where: string, cause: unknown): Promise<LabelsmithError> {
  const kind = await kindOfBytes(path);
  if (kind !== null) return badFile(name, `this is ${kind}, and a text file was expected`, undefined, cause);
  const head = await headOf(path).catch(() => Buffer.alloc(0));
  if (head.includes(0)) return badFile(name, 'this is no text file: it holds zero bytes', undefined, cause);
  return badFile(where, 'the text is not UTF-8', 'Save it as UTF-8.', cause);
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
