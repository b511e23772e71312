/**
 * Zip archives by position: yauzl reads the central directory entry by entry, and members are read where they lie,
 * stored or deflated, with their size and CRC-32 checked.
 */
import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import yauzl from 'yauzl';
import { messageOf } from '../errors.ts';
import { badFile, readRange, refuseLarger, type SystemPath, withFile } from './file.ts';

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
  readonly refused: 'encrypted' | 'method' | undefined;
  readonly place: ZipPlace;
  readonly modifiedAtMs: number;
}

/** All members in order of the central directory. Fails where it is broken, after the members before it. */
export async function* zipMembers(path: SystemPath): AsyncGenerator<ZipMember> {
  // The types say string; the name goes to fs.open as it is. Names are validated by the caller, so that a bad one is a
  // problem of that member and does not end the listing, as it would with decodeStrings.
  const zip = await yauzl.openPromise(path as string, { decodeStrings: false, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry);
      const madeOnUnix = entry.versionMadeBy >>> 8 === 3;
      const isLink = madeOnUnix && ((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
      const isFolder = name[name.length - 1] === 0x2f;
      const readable = entry.compressionMethod === STORED || entry.compressionMethod === DEFLATED;
      yield {
        name,
        kind: isFolder ? 'folder' : isLink ? 'link' : 'file',
        refused: entry.isEncrypted() ? 'encrypted' : readable ? undefined : 'method',
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
  } finally {
    zip.close();
  }
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

/** All bytes of one member, at most `maxBytes`, whatever the archive claims. */
export async function readZipMember(
  archive: SystemPath,
  place: ZipPlace,
  shown: string,
  maxBytes: number,
): Promise<Uint8Array> {
  refuseLarger(Math.max(place.byteSize, place.packedSize), maxBytes, shown);
  const packed = await withFile(archive, shown, async (file) => {
    const header = await readRange(file, place.offset, LOCAL_HEADER_BYTES, shown);
    if (header.readUInt32LE(0) !== 0x04034b50) {
      throw badFile(`${shown}: the archive is damaged (no member where its directory says)`, 'damaged-archive');
    }
    const start = place.offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    return readRange(file, start, place.packedSize, shown);
  });
  const bytes = place.method === STORED ? packed : await inflated(packed, place.byteSize, shown);
  if (bytes.length !== place.byteSize || crc32(bytes) !== place.crc) {
    throw badFile(`${shown}: the archive is damaged (size or CRC-32 of the member is wrong)`, 'damaged-archive');
  }
  return bytes;
}

async function inflated(packed: Buffer, byteSize: number, shown: string): Promise<Buffer> {
  try {
    // One byte more than declared: a member that lies about its size stops here and not when memory is full.
    return await inflate(packed, { maxOutputLength: byteSize + 1 });
  } catch (error) {
    throw badFile(`${shown}: the archive is damaged (${messageOf(error)})`, 'damaged-archive', error);
  }
}
