/**
 * What an image file carries beside its pixels, bounded: the EXIF, XMP and IPTC blocks of any format as a JPEG of no picture,
 * which readers of metadata take. Blocks of real files are a few kilobytes; one that does not fit in a JPEG's segment of
 * 64 KB is left out, since readers take seconds and gigabytes for those of megabytes.
 */
import sharp, { type Metadata } from 'sharp';
import { refuseUndecodable } from './reasons.ts';
import { sniffFormat } from './sniff.ts';

/** What a segment holds behind its length. */
const MAX_SEGMENT_BYTES = 65_533;
/** HEIC and camera raw files are read as they are, by a reader of metadata; a larger one is not read at all. */
const MAX_WHOLE_BYTES = 2 ** 24;

const [EXIF, XMP, PHOTOSHOP] = ['Exif\0\0', 'http://ns.adobe.com/xap/1.0/\0', 'Photoshop 3.0\0'] as const;

/** Empty where a file has none of it, or cannot be read. */
export async function metadataOf(bytes: Uint8Array): Promise<Uint8Array> {
  const format = sniffFormat(bytes);
  if (format === 'heic' || format === 'raw') return bytes.length <= MAX_WHOLE_BYTES ? bytes : new Uint8Array(0);
  let found: Metadata;
  try {
    refuseUndecodable(bytes);
    found = await sharp(bytes, { pages: 1, limitInputPixels: false }).metadata();
  } catch {
    // Metadata is not part of the picture; whoever decodes it says what is wrong with the file.
    return new Uint8Array(0);
  }
  const segments = [
    ...segment(0xe1, EXIF, found.exif),
    ...segment(0xe1, XMP, found.xmp),
    ...segment(0xed, PHOTOSHOP, found.iptc && inPhotoshop(found.iptc)),
  ];
  if (segments.length === 0) return new Uint8Array(0);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments, Buffer.from([0xff, 0xd9])]);
}

/** A marker segment (ITU-T T.81, B.1.1.4) whose contents begin with a mark, which is put there where it is missing. */
function segment(marker: number, mark: string, block: Buffer | undefined): Buffer[] {
  if (block === undefined) return [];
  const head = Buffer.from(mark, 'latin1');
  const content = block.subarray(0, head.length).equals(head) ? block : Buffer.concat([head, block]);
  if (content.length > MAX_SEGMENT_BYTES) return [];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length + 2);
  return [Buffer.concat([Buffer.from([0xff, marker]), length, content])];
}

/** Bare IPTC records, as TIFF has them, as the resource 0x0404 that JPEG files have them in. */
function inPhotoshop(iptc: Buffer): Buffer {
  if (iptc.subarray(0, 9).toString('latin1') === 'Photoshop' || iptc.subarray(0, 4).toString('latin1') === '8BIM')
    return iptc;
  const head = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(iptc.length, 8);
  return Buffer.concat([head, iptc, Buffer.alloc(iptc.length % 2)]);
}
