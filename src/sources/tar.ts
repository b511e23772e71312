/**
 * Tar archives by position: a walk over the headers that skips the contents, and a read of one member where it lies. So
 * listing costs one small read a member, and members can be read in any order.
 *
 * Formats as in POSIX.1-2017 `pax`: ustar headers, `x` and `g` extended headers (path, size, mtime), and GNU's long names
 * (`L`) and base-256 numbers. The libraries at hand read tar as a stream, which would mean reading everything twice.
 */
import type { FileHandle } from 'node:fs/promises';
import { readRange } from './file.ts';

const BLOCK = 512;
/** Longest extended header that is believed; a path of a megabyte is none. */
const MAX_EXTENDED_BYTES = 1 << 20;
/** Headers are read this many bytes at a time; members smaller than this often need no further read. */
const WINDOW_BYTES = 64 * 1024;

export interface TarMember {
  /** The name's bytes as stored. */
  readonly name: Buffer;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Where its bytes lie in the archive. */
  readonly offset: number;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
}

/** A tar archive that is cut off or is none. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

/** All members in order of the archive; fails with {@link TarError} where it is broken, after the members before it. */
export async function* tarMembers(file: FileHandle, fileSize: number, shown: string): AsyncGenerator<TarMember> {
  const window = new Window(file, fileSize, shown);
  let shared = new Map<string, Buffer>();
  let extended = new Map<string, Buffer>();
  let longName: Buffer | undefined;
  let at = 0;
  while (at < fileSize) {
    if (at + BLOCK > fileSize) throw new TarError('the archive ends within a header');
    const header = await window.read(at, BLOCK);
    at += BLOCK;
    if (isZero(header)) {
      // Two blocks of zeros end an archive; archives that were joined go on after them.
      continue;
    }
    if (!checksumFits(header)) throw new TarError(`no tar header at byte ${at - BLOCK}`);
    const type = String.fromCharCode(header[156]);
    const own = { ...Object.fromEntries(shared), ...Object.fromEntries(extended) };
    const byteSize = own.size === undefined ? numberField(header, 124, 12) : Number(own.size.toString('latin1'));
    if (!Number.isSafeInteger(byteSize) || byteSize < 0) throw new TarError(`a size that is no number at byte ${at}`);
    const end = at + byteSize;
    if (end > fileSize) throw new TarError('the archive ends within a member');
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      if (byteSize > MAX_EXTENDED_BYTES) throw new TarError(`an extended header of ${byteSize} bytes`);
      const content = await window.read(at, byteSize);
      if (type === 'x') extended = paxRecords(content);
      else if (type === 'g') shared = new Map([...shared, ...paxRecords(content)]);
      else if (type === 'L') longName = content.subarray(0, lengthOfText(content));
    } else {
      const name = own.path ?? longName ?? nameField(header);
      const seconds = own.mtime === undefined ? numberField(header, 136, 12) : Number(own.mtime.toString('latin1'));
      const modifiedAtMs = Number.isFinite(seconds) ? Math.round(seconds * 1000) : 0;
      yield { name: Buffer.from(name), kind: kindOf(type, name), offset: at, byteSize, modifiedAtMs };
      extended = new Map();
      longName = undefined;
    }
    at = Math.ceil(end / BLOCK) * BLOCK;
  }
}

function kindOf(type: string, name: Buffer): TarMember['kind'] {
  if (type === '5' || ((type === '0' || type === '\0') && name[name.length - 1] === 0x2f)) return 'folder';
  if (type === '0' || type === '\0' || type === '7') return 'file';
  return type === '1' || type === '2' ? 'link' : 'other';
}

/** Reads ahead, since headers of small members stand close together. */
class Window {
  private bytes: Buffer = Buffer.alloc(0);
  private start = 0;
  private readonly file: FileHandle;
  private readonly fileSize: number;
  private readonly shown: string;

  constructor(file: FileHandle, fileSize: number, shown: string) {
    this.file = file;
    this.fileSize = fileSize;
    this.shown = shown;
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (position < this.start || position + length > this.start + this.bytes.length) {
      const ahead = Math.min(Math.max(length, WINDOW_BYTES), this.fileSize - position);
      this.bytes = await readRange(this.file, position, ahead, this.shown);
      this.start = position;
    }
    return this.bytes.subarray(position - this.start, position - this.start + length);
  }
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** The sum of the header's bytes with the checksum's own eight as spaces; some old writers summed signed bytes. */
function checksumFits(header: Buffer): boolean {
  let [unsigned, signed] = [0, 0];
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : header[i];
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = numberField(header, 148, 8);
  return stored === unsigned || stored === signed;
}

/** Octal text, or GNU's base 256 when the first bit is set. */
function numberField(header: Buffer, start: number, length: number): number {
  const field = header.subarray(start, start + length);
  if ((field[0] & 0x80) === 0) {
    const text = field
      .toString('latin1')
      .replace(/[\0 ]+$/g, '')
      .trim();
    return text === '' ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  }
  let value = field[0] & 0x7f;
  for (let i = 1; i < length; i++) value = value * 256 + field[i];
  return value;
}

function nameField(header: Buffer): Buffer {
  const name = header.subarray(0, lengthOfText(header.subarray(0, 100)));
  // Only POSIX ustar ("ustar\0") has a prefix; GNU ("ustar ") keeps other things in those bytes.
  if (header.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const prefix = header.subarray(345, 345 + lengthOfText(header.subarray(345, 500)));
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

function lengthOfText(bytes: Buffer): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}

/** Records that say where and what a member is; nothing else of them is kept, however much there is. */
const WANTED = new Set(['path', 'size', 'mtime']);

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecords(content: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(content.toString('latin1', at, space));
    const equals = content.indexOf(0x3d, space);
    if (!(length > 0) || at + length > content.length || equals < 0 || equals >= at + length) break;
    const key = content.toString('latin1', space + 1, equals);
    if (WANTED.has(key)) records.set(key, content.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}
