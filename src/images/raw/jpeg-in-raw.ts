/** The JPEG inside of a camera raw file: told from raw data in JPEG's lossless mode, and given the raw file's EXIF facts. */
import { jpegHeaderOf } from '../jpeg-header.ts';
import type { ByteRange } from '../tiff/directories.ts';

export interface EmbeddedJpeg extends ByteRange {
  readonly width: number;
  readonly height: number;
}

/** What the raw file says of the picture; an empty text or orientation 0 where it says nothing. */
export interface RawFacts {
  /** EXIF orientation 1 to 8, or 0. */
  readonly orientation: number;
  readonly make: string;
  readonly model: string;
  /** `2024:05:31 10:20:30`. */
  readonly taken: string;
  readonly subSeconds: string;
  readonly zone: string;
}

/**
 * The JPEG at a place of the file, with its size. Null for anything that is not one that decoders of photographs take:
 * baseline or progressive (ITU-T T.81, B.1.1.3: SOF0 to SOF2); raw data is often stored as lossless JPEG, SOF3.
 */
export function embeddedJpeg(bytes: Uint8Array, { start, length }: ByteRange): EmbeddedJpeg | null {
  if (start < 0 || length < 4 || start + length > bytes.length) return null;
  const header = jpegHeaderOf(bytes.subarray(start, start + length));
  if (!header || header.process > 2) return null;
  return { start, length, width: header.width, height: header.height };
}

/** The JPEG with the raw file's facts as its only EXIF block, so that its orientation is applied once; as it is without facts. */
export function jpegWithFacts(jpeg: Uint8Array, facts: RawFacts | null): Uint8Array {
  if (!facts) return jpeg;
  const block = exifBlock(facts);
  const kept: Uint8Array[] = [jpeg.subarray(0, 2), block];
  let at = 2;
  // Segments up to the first that is no application data; Exif ones are left out.
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff && (jpeg[at + 1] & 0xf0) === 0xe0) {
    const end = at + 2 + ((jpeg[at + 2] << 8) | jpeg[at + 3]);
    const isExif = jpeg[at + 1] === 0xe1 && jpeg[at + 4] === 0x45 && jpeg[at + 5] === 0x78;
    if (!isExif) kept.push(jpeg.subarray(at, end));
    at = end;
  }
  kept.push(jpeg.subarray(at));
  return Buffer.concat(kept);
}

/** An APP1 segment with a little-endian TIFF block (EXIF 2.32, 4.5.4). */
function exifBlock({ orientation, make, model, taken, subSeconds, zone }: RawFacts): Uint8Array {
  const text = (tag: number, value: string): Entry[] => (value === '' ? [] : [{ tag, value }]);
  const exif = [...text(36867, taken), ...text(36881, zone), ...text(37521, subSeconds)];
  const main: Entry[] = [
    ...text(271, make),
    ...text(272, model),
    ...(orientation > 0 ? [{ tag: 274, value: orientation }] : []),
  ];
  const exifAt = 8 + directoryBytes([...main, { tag: 34665, value: 0 }]);
  const tiff = Buffer.concat([
    Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]),
    directory([...main, { tag: 34665, value: exifAt }], 8),
    directory(exif, exifAt),
  ]);
  const head = Buffer.from([0xff, 0xe1, 0, 0, 0x45, 0x78, 0x69, 0x66, 0, 0]);
  head.writeUInt16BE(head.length - 2 + tiff.length, 2);
  return Buffer.concat([head, tiff]);
}

interface Entry {
  readonly tag: number;
  readonly value: string | number;
}

function directoryBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + 12 + outsideBytes(entry), 6);
}

function outsideBytes({ value }: Entry): number {
  return typeof value === 'string' && value.length + 1 > 4 ? value.length + 1 : 0;
}

function directory(entries: readonly Entry[], start: number): Buffer {
  const out = Buffer.alloc(directoryBytes(entries));
  out.writeUInt16LE(entries.length, 0);
  let outside = 6 + 12 * entries.length;
  for (const [i, { tag, value }] of entries.entries()) {
    const at = 2 + 12 * i;
    out.writeUInt16LE(tag, at);
    if (typeof value === 'number') {
      out.writeUInt16LE(4, at + 2);
      out.writeUInt32LE(1, at + 4);
      out.writeUInt32LE(value, at + 8);
      continue;
    }
    out.writeUInt16LE(2, at + 2);
    out.writeUInt32LE(value.length + 1, at + 4);
    if (value.length + 1 <= 4) {
      out.write(value, at + 8, 'latin1');
    } else {
      out.writeUInt32LE(start + outside, at + 8);
      out.write(value, outside, 'latin1');
      outside += value.length + 1;
    }
  }
  return out;
}
