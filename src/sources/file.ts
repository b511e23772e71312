/**
 * Reading one file of the file system, as a whole with a limit or piece by piece, and saying what went wrong in the
 * project's words. Opening never waits: a pipe that nobody writes to, a socket or a device is refused as `not-a-file`.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import type { SourceProblemReason } from './source.ts';

/** A path as the system takes it: text, or bytes where the name is not UTF-8. */
export type SystemPath = string | Buffer;

/** All bytes of a regular file, at most `maxBytes`. `shown` is its path in messages. */
export async function readRegularFile(path: SystemPath, shown: string, maxBytes: number): Promise<Uint8Array> {
  return withFile(path, shown, async (file, byteSize) => {
    refuseLarger(byteSize, maxBytes, shown);
    return readRange(file, 0, byteSize, shown);
  });
}

/** Opens a regular file for reading, hands it and its size to `work` and closes it whatever happens. */
export async function withFile<T>(
  path: SystemPath,
  shown: string,
  work: (file: FileHandle, byteSize: number) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await openFile(path);
    return await work(file, await sizeOfRegular(file, shown));
  } catch (error) {
    throw fileError(error, shown);
  } finally {
    await file?.close();
  }
}

/** Pieces of 256 KiB: as fast as larger ones, and little to hold. */
const PIECE_BYTES = 2 ** 18;

/** What of a file is to be read. */
export interface FilePart {
  readonly start: number;
  readonly byteSize: number;
}

/**
 * The bytes of a regular file piece by piece, the whole file unless `partOf` says which part of it. The file is closed
 * when the last piece was taken or the caller leaves the loop.
 */
export async function* filePieces(
  path: SystemPath,
  shown: string,
  partOf: (file: FileHandle, byteSize: number) => FilePart | Promise<FilePart> = (_, byteSize) => ({
    start: 0,
    byteSize,
  }),
): AsyncGenerator<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await openFile(path);
    const { start, byteSize } = await partOf(file, await sizeOfRegular(file, shown));
    for (let at = 0; at < byteSize; at += PIECE_BYTES) {
      yield await readRange(file, start + at, Math.min(PIECE_BYTES, byteSize - at), shown);
    }
  } catch (error) {
    throw fileError(error, shown);
  } finally {
    await file?.close();
  }
}

/** What object storage is told of a file: its size, and digests as hexadecimal digits. */
export async function digestsOfFile(path: string): Promise<{ bytes: number; sha256: string; md5: string }> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  let bytes = 0;
  for await (const piece of filePieces(path, path)) {
    sha256.update(piece);
    md5.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever. */
function openFile(path: SystemPath): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
}

async function sizeOfRegular(file: FileHandle, shown: string): Promise<number> {
  const found = await file.stat();
  if (!found.isFile()) throw badFile(`${shown} is not a regular file`, 'not-a-file');
  return found.size;
}

/** Exactly `length` bytes from `position`; fails with `BAD_FILE` when the file ends before. */
export async function readRange(file: FileHandle, position: number, length: number, shown: string): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw badFile(`${shown} became shorter while it was read`, 'truncated');
    filled += bytesRead;
  }
  return bytes;
}

/** A file that is there and cannot be used; `reason` is what quarantine calls it. */
export function badFile(message: string, reason: SourceProblemReason | 'truncated', cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_FILE', message, { details: { reason }, cause });
}

export function refuseLarger(byteSize: number, maxBytes: number, shown: string): void {
  if (byteSize <= maxBytes) return;
  throw new LabelsmithError('REFUSED', `${shown} has ${byteSize} bytes, more than the limit of ${maxBytes}`, {
    details: { reason: 'too-large', byteSize, maxBytes },
  });
}

function fileError(error: unknown, shown: string): unknown {
  if (error instanceof LabelsmithError) return error;
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new LabelsmithError('NOT_FOUND', `${shown} is not there any more`, {
      details: { reason: 'missing' satisfies SourceProblemReason },
      cause: error,
    });
  }
  return badFile(`${shown} cannot be read: ${messageOf(error)}`, 'unreadable', error);
}
