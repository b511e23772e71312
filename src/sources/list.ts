/** Lists of paths: one a line, or with a NUL after each (`find -print0`), for names that hold newlines. */
import type { Readable } from 'node:stream';

/** Longest line that is believed: paths are at most 4096 bytes on Linux and 32,767 characters on Windows. */
const MAX_LINE_BYTES = 2 ** 17;
/** So much of a longer line is shown. */
const SHOWN_BYTES = 60;

/** A line; empty ones are left out but counted. */
export type ListLine =
  | { readonly kind: 'path'; readonly path: Buffer }
  | { readonly kind: 'too-long'; readonly start: Buffer; readonly number: number };

/**
 * The lines in order. The first NUL or newline decides which of them separates. Memory: one line and one piece of the
 * stream, however long a line is.
 */
export async function* listedPaths(stream: Readable): AsyncGenerator<ListLine> {
  let rest: Buffer = Buffer.alloc(0);
  let separator: number | undefined;
  let number = 1;
  /** The beginning of a line that is too long and has not ended yet. */
  let overlong: Buffer | undefined;
  for await (const chunk of stream) {
    let piece: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    separator ??= separatorOf(piece);
    if (overlong !== undefined) {
      const end = separator === undefined ? -1 : piece.indexOf(separator);
      if (end < 0) continue;
      yield { kind: 'too-long', start: overlong, number: number++ };
      overlong = undefined;
      piece = piece.subarray(end + 1);
    }
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    if (separator !== undefined) {
      let start = 0;
      for (let end = rest.indexOf(separator); end >= 0; end = rest.indexOf(separator, start)) {
        const line = lineOf(rest.subarray(start, end), separator, number++);
        if (line !== undefined) yield line;
        start = end + 1;
      }
      rest = Buffer.from(rest.subarray(start));
    }
    if (rest.length > MAX_LINE_BYTES) {
      overlong = shownStart(rest);
      rest = Buffer.alloc(0);
    }
  }
  const last = overlong === undefined ? lineOf(rest, separator ?? 0x0a, number) : undefined;
  if (overlong !== undefined) yield { kind: 'too-long', start: overlong, number };
  else if (last !== undefined) yield last;
}

function separatorOf(bytes: Buffer): number | undefined {
  const [nul, newline] = [bytes.indexOf(0), bytes.indexOf(0x0a)];
  if (nul < 0 && newline < 0) return undefined;
  // A NUL can be in no path, so one anywhere says that newlines belong to names.
  return nul >= 0 ? 0 : 0x0a;
}

/** Without the carriage return of Windows and a byte order mark; undefined where nothing is left. */
function lineOf(line: Buffer, separator: number, number: number): ListLine | undefined {
  let path = line;
  if (path.length >= 3 && path[0] === 0xef && path[1] === 0xbb && path[2] === 0xbf) path = path.subarray(3);
  if (separator === 0x0a && path[path.length - 1] === 0x0d) path = path.subarray(0, -1);
  if (path.length === 0) return undefined;
  if (path.length > MAX_LINE_BYTES) return { kind: 'too-long', start: shownStart(path), number };
  return { kind: 'path', path: Buffer.from(path) };
}

function shownStart(line: Buffer): Buffer {
  return Buffer.concat([line.subarray(0, SHOWN_BYTES), Buffer.from('…')]);
}
