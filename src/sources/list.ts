/** Lists of paths: one a line, or with a NUL after each (`find -print0`), for names that hold newlines. */
import type { Readable } from 'node:stream';

/** Longest line that is believed; paths are at most 4096 bytes on Linux. */
const MAX_LINE_BYTES = 1 << 20;

/** The paths' bytes in order, empty lines left out. The first NUL or newline decides which of them separates. */
export async function* listedPaths(stream: Readable): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let separator: number | undefined;
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))]);
    separator ??= separatorOf(rest);
    if (separator === undefined) continue;
    let start = 0;
    for (let end = rest.indexOf(separator); end >= 0; end = rest.indexOf(separator, start)) {
      const line = trimmed(rest.subarray(start, end), separator);
      if (line.length > 0) yield line;
      start = end + 1;
    }
    rest = Buffer.from(rest.subarray(start));
    if (rest.length > MAX_LINE_BYTES) throw new RangeError('the list has a line of more than a megabyte');
  }
  const last = trimmed(rest, separator ?? 0x0a);
  if (last.length > 0) yield last;
}

function separatorOf(bytes: Buffer): number | undefined {
  const [nul, newline] = [bytes.indexOf(0), bytes.indexOf(0x0a)];
  if (nul < 0 && newline < 0) return undefined;
  // A NUL can be in no path, so one anywhere says that newlines belong to names.
  return nul >= 0 ? 0 : 0x0a;
}

/** Without the carriage return of Windows and a byte order mark. */
function trimmed(line: Buffer, separator: number): Buffer {
  let result = line;
  if (result.length >= 3 && result[0] === 0xef && result[1] === 0xbb && result[2] === 0xbf) result = result.subarray(3);
  if (separator === 0x0a && result[result.length - 1] === 0x0d) result = result.subarray(0, -1);
  return Buffer.from(result);
}
