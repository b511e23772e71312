/** Writes into a JPEG when, by which camera and as which of its pictures it was taken: an EXIF block (Exif 2.32) of its own. */

export interface Stamp {
  readonly capturedAtMs: number;
  readonly camera: string;
  readonly sequence: number;
}

const [ASCII, LONG] = [2, 4] as const;
const EXIF_MARK = Buffer.from('Exif\0\0');

/** The same picture with the stamp; a picture that has EXIF of its camera already is as it was. */
export function stamped(jpeg: Buffer, stamp: Stamp): Buffer {
  if (hasExif(jpeg)) return jpeg;
  const block = Buffer.concat([EXIF_MARK, tiffOf(stamp)]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(block.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, block, jpeg.subarray(2)]);
}

function hasExif(jpeg: Buffer): boolean {
  for (let at = 2; at + 10 < jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; ) {
    if (jpeg[at + 1] === 0xe1 && jpeg.subarray(at + 4, at + 10).equals(EXIF_MARK)) return true;
    at += 2 + jpeg.readUInt16BE(at + 2);
  }
  return false;
}

interface Field {
  readonly tag: number;
  readonly type: typeof ASCII | typeof LONG;
  readonly value: string | number;
}

function tiffOf({ capturedAtMs, camera, sequence }: Stamp): Buffer {
  const [date = '', time = ''] = new Date(capturedAtMs).toISOString().split('T');
  const taken = `${date.replaceAll('-', ':')} ${time.slice(0, 8)}`;
  const exif: readonly Field[] = [
    { tag: 0x9003, type: ASCII, value: taken },
    { tag: 0x9011, type: ASCII, value: '+00:00' },
    { tag: 0x9211, type: LONG, value: sequence },
    { tag: 0x9291, type: ASCII, value: time.slice(9, 12) },
  ];
  const image = (exifAt: number): readonly Field[] => [
    { tag: 0x0110, type: ASCII, value: camera },
    { tag: 0x0131, type: ASCII, value: 'labelsmith capture' },
    { tag: 0x0132, type: ASCII, value: taken },
    { tag: 0x8769, type: LONG, value: exifAt },
  ];
  const exifAt = 8 + directory(image(0), 8).length;
  const header = Buffer.from([0x4d, 0x4d, 0, 42, 0, 0, 0, 8]);
  return Buffer.concat([header, directory(image(exifAt), 8), directory(exif, exifAt)]);
}

/** One directory, big-endian, with what does not fit its entries behind it. @param at its place in the block */
function directory(fields: readonly Field[], at: number): Buffer {
  const entries = Buffer.alloc(2 + 12 * fields.length + 4);
  entries.writeUInt16BE(fields.length, 0);
  const more: Buffer[] = [];
  let end = at + entries.length;
  for (const [i, { tag, type, value }] of fields.entries()) {
    const bytes = typeof value === 'number' ? Buffer.alloc(4) : Buffer.from(`${value}\0`);
    if (typeof value === 'number') bytes.writeUInt32BE(value >>> 0, 0);
    const entry = 2 + 12 * i;
    entries.writeUInt16BE(tag, entry);
    entries.writeUInt16BE(type, entry + 2);
    entries.writeUInt32BE(type === ASCII ? bytes.length : 1, entry + 4);
    if (bytes.length <= 4) bytes.copy(entries, entry + 8);
    else {
      const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
      entries.writeUInt32BE(end, entry + 8);
      more.push(even);
      end += even.length;
    }
  }
  return Buffer.concat([entries, ...more]);
}
