/**
 * All bytes of a file that a user names. A pipe would be waited for, with no signal heeded, and a device never ends: neither is
 * opened, but for a pipe that the shell has opened (`<(…)`).
 */
import { createReadStream, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { LabelsmithError } from '../errors.ts';

/** More than any list or mapping has. */
const MAX_PIPE_BYTES = 256 * 2 ** 20;

/** Fails with `BAD_FILE` for what is no file, else as `readFile` does. */
export async function readWholeFile(path: string): Promise<Buffer> {
  const found = await stat(path);
  if (found.isFIFO() && /^\/(?:dev|proc\/(?:self|\d+))\/fd\/\d+$/.test(path)) return readPipe(path);
  // Of a folder `readFile` says itself what is wrong.
  if (found.isFile() || found.isDirectory()) return readFile(path);
  throw new LabelsmithError('BAD_FILE', `${path} is ${kindOf(found)} and no file`, {
    hint: 'Save it as a file, and name that.',
  });
}

/** What something is that is no regular file: `a pipe`. */
export function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

async function readPipe(path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_PIPE_BYTES)
      throw new LabelsmithError('BAD_FILE', `${path} is a pipe of more than ${MAX_PIPE_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
