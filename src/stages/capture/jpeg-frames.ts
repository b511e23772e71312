/**
 * Whole JPEG pictures out of a stream of bytes that holds them one after the other, with anything between them: what ffmpeg
 * writes to a pipe, or the parts of `multipart/x-mixed-replace`. Read by the structure of JPEG (ITU-T T.81, annex B), so that
 * a thumbnail in a picture's head is not taken for a picture.
 */

/** A picture that is larger is not one. */
const MAX_FRAME_BYTES = 64 * 2 ** 20;

export interface SplitCounts {
  /** Pictures that ended before their end. */
  broken: number;
}

export async function* jpegFrames(
  pieces: AsyncIterable<Uint8Array>,
  counts: SplitCounts = { broken: 0 },
): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  /** What comes before it was looked at and is no end. */
  let from = BEGINNING;
  for await (const piece of pieces) {
    held = held.length === 0 ? Buffer.from(piece) : Buffer.concat([held, piece]);
    for (;;) {
      const start = held.indexOf(SOI);
      if (start < 0) {
        // The last byte may be the first of a marker.
        held = held.subarray(Math.max(0, held.length - 2));
        break;
      }
      if (start > 0) [held, from] = [held.subarray(start), BEGINNING];
      const found = endOf(held, from);
      if (found.kind === 'more' && held.length <= MAX_FRAME_BYTES) {
        from = found.from;
        break;
      }
      if (found.kind === 'end') yield Buffer.from(held.subarray(0, found.at));
      else counts.broken++;
      held = held.subarray(found.kind === 'more' ? SOI.length : found.at);
      from = BEGINNING;
    }
  }
  if (held.indexOf(SOI) === 0 && held.length > SOI.length) counts.broken++;
}

/** SOI and the first byte of the marker after it. */
const SOI = Buffer.from([0xff, 0xd8, 0xff]);

type End =
  | { readonly kind: 'end'; readonly at: number }
  /** Another picture begins, or what comes is no JPEG: this one is broken. */
  | { readonly kind: 'broken'; readonly at: number }
  | { readonly kind: 'more'; readonly from: Position };

/** Of a marker, and whether it stands in a scan. */
interface Position {
  readonly at: number;
  readonly isInScan: boolean;
}

const BEGINNING: Position = { at: 0, isInScan: false };

/**
 * Longest segment of a marker, its length field included (B.2.2 to B.2.4); undefined for what is no marker there. A head that
 * was cut off leads into other bytes, which should not be believed far.
 */
function maxLengthOf(marker: number, isInScan: boolean): number | undefined {
  if (marker === 0x00 || (marker >= 0xd0 && marker <= 0xd7)) return isInScan ? 0 : undefined;
  if (marker === 0xda) return 14;
  if (marker === 0xdb) return 2 + 4 * 129;
  if (marker === 0xc4) return 2 + 8 * (17 + 256);
  if (marker === 0xdd || marker === 0xdc) return 4;
  if (marker >= 0xc0 && marker <= 0xcf) return 8 + 3 * 255;
  return (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe ? 0xffff : undefined;
}

/** @param from of the marker or scan to go on with; 0 for the beginning */
function endOf(bytes: Buffer, { at: from, isInScan: wasInScan }: Position): End {
  let at = from === 0 ? 2 : from;
  let isInScan = wasInScan;
  /** The segment that led to `at`; where that is no marker, its length may have led over the beginning of the next picture. */
  let before = at;
  for (;;) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return { kind: 'end', at: at + 2 };
    if (at + 4 > bytes.length) return { kind: 'more', from: { at, isInScan } };
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] === 0xff && marker === 0xd8) return { kind: 'broken', at };
    if (bytes[at] === 0xff && marker === 0xff) {
      at += 1;
      continue;
    }
    const maxLength = bytes[at] === 0xff ? maxLengthOf(marker, isInScan) : undefined;
    const length = maxLength === 0 ? 0 : bytes.readUInt16BE(at + 2);
    if (maxLength === undefined || length > maxLength) return { kind: 'broken', at: nextStart(bytes, before) };
    const next = at + 2 + length;
    if (next > bytes.length) return { kind: 'more', from: { at, isInScan } };
    before = at;
    isInScan = marker === 0xda || maxLength === 0;
    // Entropy-coded data: 0xFF stands only before a marker, or before a zero for itself.
    const marked = isInScan ? bytes.indexOf(0xff, next) : next;
    if (marked < 0) return { kind: 'more', from: { at, isInScan: isInScan && maxLength === 0 } };
    at = marked;
  }
}

function nextStart(bytes: Buffer, at: number): number {
  const next = bytes.indexOf(SOI, at);
  return next < 0 ? bytes.length : next;
}
