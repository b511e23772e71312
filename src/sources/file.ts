/** Reading one file of the file system as a whole, with a limit, and saying what went wrong in the project's words. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import type { SourceProblemReason } from './source.ts';

/** A path as the system takes it: text, or bytes where the name is not UTF-8. */
export type SystemPath = string | Buffer;

/** All bytes of a regular file, at most `maxBytes`. `shown` is its path in messages. */
export async function readWholeFile(path: SystemPath, shown: string, maxBytes: number): Promise<Uint8Array> {
  return withFile(path, shown, async (file) => {
    const stat = await file.stat();
    if (!stat.isFile()) throw badFile(`${shown} is not a regular file`, 'not-a-file');
    refuseLarger(stat.size, maxBytes, shown);
    return readRange(file, 0, stat.size, shown);
  });
}

/** Opens a file for reading, hands it to `work` and closes it whatever happens. */
export async function withFile<T>(path: SystemPath, shown: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe nobody writes to would hang for ever.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    return await work(file);
  } catch (error) {
    throw fileError(error, shown);
  } finally {
    await file?.close();
  }
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
