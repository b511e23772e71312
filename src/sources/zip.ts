/**
 * Zip archives by position: yauzl reads the central directory entry by entry, and members are read where they lie,
 * stored or deflated, with their size and CRC-32 checked.
 *
 * An archive is not believed: a member ends where it says it does or is damaged, members that lie in one another are
 * refused (D. Fifield, "A better zip bomb", WOOT 2019), and what all members unpack to is bounded. Memory: 17 bytes a
 * member while the directory is read; a member's bytes once when it is read as a whole, two pieces when it is streamed.
 */
import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, createInflateRaw, inflateRaw } from 'node:zlib';
import yauzl from 'yauzl';
import { LabelsmithError, messageOf } from '../errors.ts';
import { badFile, type FilePart, filePieces, readRange, refuseLarger, type SystemPath, withFile } from './file.ts';

const inflate = promisify(inflateRaw);
const [STORED, DEFLATED] = [0, 8];
const LOCAL_HEADER_BYTES = 30;

/** Where a member lies and how it is packed; all that is needed to read it. */
export interface ZipPlace {
  /** Offset of its local header. */
  readonly offset: number;
  readonly packedSize: number;
  readonly byteSize: number;
  readonly method: number;
  readonly crc: number;
}

export interface ZipMember {
  /** The name's bytes as stored, or as UTF-8 where the archive's own code page says how to read them. */
  readonly name: Buffer;
  readonly kind: 'file' | 'folder' | 'link';
  /** Why it cannot be read, where it cannot. */
  readonly refused: 'encrypted' | 'method' | 'overlap' | 'growth' | undefined;
  readonly place: ZipPlace;
  readonly modifiedAtMs: number;
}

/**
 * What all members may unpack to. Photographs do not shrink in a zip and scans of blank pages shrink a thousandfold, so
 * this is not about single members: it is the time that an archive made to waste it may take, about a minute.
 */
const MAX_GROWTH = 200;
const ALWAYS_ALLOWED_BYTES = 2 ** 34;

/** All members in order of the central directory. Fails where it is broken, after the members before it. */
export async function* zipMembers(path: SystemPath): AsyncGenerator<ZipMember> {
  const overlapping = await overlappingMembers(path);
  const zip = await openZip(path);
  try {
    let index = 0;
    let left = Math.max(ALWAYS_ALLOWED_BYTES, zip.fileSize * MAX_GROWTH);
    for await (const entry of zip.eachEntry()) {
      left -= entry.uncompressedSize;
      yield memberOf(entry, overlapping.has(index++) ? 'overlap' : left < 0 ? 'growth' : undefined);
    }
  } finally {
    zip.close();
  }
}

// The types say string; the name goes to fs.open as it is. Names are validated by the caller, so that a bad one is a
// problem of that member and does not end the listing, as it would with decodeStrings.
function openZip(path: SystemPath) {
  return yauzl.openPromise(path as string, { decodeStrings: false, autoClose: false });
}

function memberOf(entry: yauzl.Entry, distrust: 'overlap' | 'growth' | undefined): ZipMember {
  const name = nameOf(entry);
  const madeOnUnix = entry.versionMadeBy >>> 8 === 3;
  const isLink = madeOnUnix && ((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
  const isFolder = name[name.length - 1] === 0x2f;
  const readable = entry.compressionMethod === STORED || entry.compressionMethod === DEFLATED;
  return {
    name,
    kind: isFolder ? 'folder' : isLink ? 'link' : 'file',
    refused: entry.isEncrypted() ? 'encrypted' : readable ? distrust : 'method',
    place: {
      offset: entry.relativeOffsetOfLocalHeader,
      packedSize: entry.compressedSize,
      byteSize: entry.uncompressedSize,
      method: entry.compressionMethod,
      crc: entry.crc32,
    },
    // DOS times have no zone; UTC makes them the same on every machine.
    modifiedAtMs: entry.getLastModDate({ timezone: 'UTC' }).getTime(),
  };
}

/** Positions in the directory of members whose bytes begin before those of another one end, but for the first of them. */
async function overlappingMembers(path: SystemPath): Promise<Set<number>> {
  const [starts, ends]: [number[], number[]] = [[], []];
  const zip = await openZip(path);
  try {
    for await (const { relativeOffsetOfLocalHeader: start, compressedSize } of zip.eachEntry()) {
      starts.push(start);
      // At least so long: the local header's own name and extra field come to it.
      ends.push(start + LOCAL_HEADER_BYTES + compressedSize);
    }
  } catch {
    // The second reading fails at the same place, and says so.
  } finally {
    zip.close();
  }
  const found = new Set<number>();
  const inOrder = starts.every((start, i) => i === 0 || start >= ends[i - 1]);
  if (inOrder) return found;
  const order = Uint32Array.from(starts.keys()).sort((a, b) => starts[a] - starts[b] || a - b);
  let end = 0;
  for (const i of order) {
    if (starts[i] < end) found.add(i);
    end = Math.max(end, ends[i]);
  }
  return found;
}

/** UTF-8 where the flag says so or the bytes allow it (many writers forget the flag), else code page 437 as the format says. */
function nameOf(entry: yauzl.Entry): Buffer {
  const raw = entry.fileNameRaw;
  const utf8 = (entry.generalPurposeBitFlag & 0x800) !== 0;
  const unicodeField = entry.extraFields.some((field) => field.id === 0x7075);
  const decoded =
    !unicodeField && (utf8 || isUtf8(raw))
      ? raw
      : Buffer.from(yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, raw, entry.extraFields, false), 'utf8');
  // Old .NET writers put backslashes between parts.
  return decoded.includes(0x5c) ? Buffer.from(decoded.toString('latin1').replaceAll('\\', '/'), 'latin1') : decoded;
}

/** Members up to this size are read and unpacked in one go each, which is fastest; larger ones piece by piece. */
const IN_ONE_GO_BYTES = 2 ** 24;

/** All bytes of one member, at most `maxBytes`, whatever the archive claims. */
export async function readZipMember(
  archive: SystemPath,
  place: ZipPlace,
  shown: string,
  maxBytes: number,
): Promise<Uint8Array> {
  refuseLarger(Math.max(place.byteSize, place.packedSize), maxBytes, shown);
  if (place.byteSize > IN_ONE_GO_BYTES) {
    const bytes = Buffer.allocUnsafeSlow(place.byteSize);
    let filled = 0;
    for await (const piece of zipMemberPieces(archive, place, shown)) filled += piece.copy(bytes, filled);
    return bytes;
  }
  const packed = await withFile(archive, shown, async (file) => {
    const { start, byteSize } = await packedPart(file, place, shown);
    return readRange(file, start, byteSize, shown);
  });
  const bytes = place.method === STORED ? packed : await inflated(packed, place.byteSize, shown);
  if (bytes.length !== place.byteSize || crc32(bytes) !== place.crc) throw wrongContents(shown);
  return bytes;
}

/** The bytes of one member piece by piece; a member that is not what its archive says fails at its end, or at its limit. */
export async function* zipMemberPieces(archive: SystemPath, place: ZipPlace, shown: string): AsyncGenerator<Buffer> {
  const packed = filePieces(archive, shown, (file) => packedPart(file, place, shown));
  let length = 0;
  let crc = 0;
  for await (const piece of place.method === STORED ? packed : inflatedPieces(packed, shown)) {
    length += piece.length;
    if (length > place.byteSize) throw wrongContents(shown);
    crc = crc32(piece, crc);
    yield piece;
  }
  if (length !== place.byteSize || crc !== place.crc) throw wrongContents(shown);
}

/** Where the packed bytes of a member lie: its local header says how long it is itself. */
async function packedPart(file: FileHandle, place: ZipPlace, shown: string): Promise<FilePart> {
  const header = await readRange(file, place.offset, LOCAL_HEADER_BYTES, shown);
  if (header.readUInt32LE(0) !== 0x04034b50) {
    throw badFile(`${shown}: the archive is damaged (no member where its directory says)`, 'damaged-archive');
  }
  const start = place.offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  return { start, byteSize: place.packedSize };
}

async function* inflatedPieces(packed: AsyncIterable<Buffer>, shown: string): AsyncGenerator<Buffer> {
  const inflater = createInflateRaw({ chunkSize: 2 ** 18 });
  const feeding = pipeline(Readable.from(packed, { objectMode: false, highWaterMark: 2 ** 18 }), inflater);
  feeding.catch(() => {}); // the loop below fails with the same error
  try {
    for await (const piece of inflater) yield piece as Buffer;
  } catch (error) {
    throw inflateError(error, shown);
  }
}

async function inflated(packed: Buffer, byteSize: number, shown: string): Promise<Buffer> {
  try {
    // One byte more than declared: a member that lies about its size stops here and not when memory is full.
    return await inflate(packed, { maxOutputLength: byteSize + 1 });
  } catch (error) {
    throw inflateError(error, shown);
  }
}

function inflateError(error: unknown, shown: string): unknown {
  if (error instanceof LabelsmithError) return error;
  return badFile(`${shown}: the archive is damaged (${messageOf(error)})`, 'damaged-archive', error);
}

function wrongContents(shown: string): LabelsmithError {
  return badFile(`${shown}: the archive is damaged (size or CRC-32 of the member is wrong)`, 'damaged-archive');
}
