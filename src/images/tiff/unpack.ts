/**
 * Strips and tiles of a TIFF file as plain bytes: compressions 1 (none), 5 (LZW), 8 and 32946 (deflate), 32773 (PackBits),
 * and the predictors that go with them (TIFF 6.0, sections 9, 13, 14; TIFF Technical Note 3 for floating point). Never more
 * bytes than were asked for come out, whatever a file says.
 */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

const inflated = promisify(inflate);

/** Numbers of the compressions that are unpacked here. */
export const UNPACKED_COMPRESSIONS: ReadonlySet<number> = new Set([1, 5, 8, 32946, 32773]);

/** Packed bytes that are no such thing, or end too early. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
}

/** Exactly `length` bytes; a view of `packed` where nothing is to be unpacked. */
export async function unpack(packed: Uint8Array, compression: number, length: number): Promise<Uint8Array> {
  const bytes = await unpackedAs(packed, compression, length);
  if (bytes.length < length) throw new UnpackError('the file ends before the image does');
  return bytes.subarray(0, length);
}

async function unpackedAs(packed: Uint8Array, compression: number, length: number): Promise<Uint8Array> {
  switch (compression) {
    case 1:
      return packed;
    case 5:
      return unpackLzw(packed, length);
    case 8:
    case 32946:
      try {
        // Some writers pad the last strip to a full one; more than twice what is wanted is not padding.
        return await inflated(packed, { maxOutputLength: 2 * length + 65_536 });
      } catch (error) {
        throw new UnpackError(`a strip cannot be inflated: ${error instanceof Error ? error.message : String(error)}`);
      }
    case 32773:
      return unpackPackBits(packed, length);
    default:
      throw new UnpackError(`compression ${compression}`);
  }
}

const [CLEAR, END, FIRST_CODE, MAX_CODES] = [256, 257, 258, 4096] as const;

/**
 * LZW with codes of 9 to 12 bits, highest bit first, that grow one code early (TIFF 6.0, section 13). A table entry is where
 * its text stands in the output and how long it is: each is the one before it and one byte more.
 */
function unpackLzw(packed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const starts = new Uint32Array(MAX_CODES);
  const lengths = new Uint32Array(MAX_CODES);
  let [filled, next, width] = [0, FIRST_CODE, 9];
  let previous = -1;
  let [window, bits, at] = [0, 0, 0];
  while (filled < length) {
    while (bits < width && at < packed.length) {
      window = ((window << 8) | packed[at++]) & 0xffffff;
      bits += 8;
    }
    if (bits < width) break;
    bits -= width;
    const code = (window >>> bits) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      [next, width, previous] = [FIRST_CODE, 9, -1];
      continue;
    }
    if (code > next || (code === next && previous < 0) || (code >= FIRST_CODE && previous < 0)) {
      throw new UnpackError('a strip has an LZW code that is not in the table');
    }
    const [previousStart, previousLength] =
      previous < 0 ? [0, 0] : [filled - lengthOf(previous, lengths), lengthOf(previous, lengths)];
    const start = filled;
    if (code < CLEAR) out[filled++] = code;
    else if (code < next) filled = copied(out, starts[code], lengths[code], filled);
    else {
      filled = copied(out, previousStart, previousLength, filled);
      if (filled < length) out[filled++] = out[start];
    }
    if (previous >= 0 && next < MAX_CODES) {
      // The text before and the first byte of this one stand side by side in the output.
      starts[next] = previousStart;
      lengths[next] = previousLength + 1;
      next++;
      if (next === (1 << width) - 1 && width < 12) width++;
    }
    previous = code;
  }
  return out.subarray(0, filled);
}

function lengthOf(code: number, lengths: Uint32Array): number {
  return code < CLEAR ? 1 : lengths[code];
}

/** Byte for byte, since the text may reach into what is being written. Returns where the output ends then. */
function copied(out: Uint8Array, start: number, length: number, filled: number): number {
  const end = Math.min(out.length, filled + length);
  for (let to = filled, from = start; to < end; to++, from++) out[to] = out[from];
  return end;
}

function unpackPackBits(packed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let filled = 0;
  for (let at = 0; at < packed.length && filled < length; ) {
    const head = (packed[at++] << 24) >> 24;
    if (head >= 0) {
      const run = packed.subarray(at, at + Math.min(head + 1, length - filled));
      out.set(run, filled);
      filled += run.length;
      at += head + 1;
    } else if (head !== -128) {
      if (at >= packed.length) break;
      const end = Math.min(length, filled + 1 - head);
      out.fill(packed[at++], filled, end);
      filled = end;
    }
  }
  return out.subarray(0, filled);
}

/** How the numbers of a strip stand. */
export interface RowFormat {
  readonly rowBytes: number;
  /** Numbers of one pixel that stand side by side. */
  readonly samples: number;
  readonly bits: number;
  readonly little: boolean;
}

/** Undoes a predictor, in place: 2 is the difference from the sample to the left, 3 the same of floating point's bytes. */
export function undoPredictor(bytes: Uint8Array, predictor: number, format: RowFormat): void {
  for (let start = 0; start < bytes.length; start += format.rowBytes) {
    const row = bytes.subarray(start, start + format.rowBytes);
    if (predictor === 2) addToTheLeft(row, format);
    else if (predictor === 3) undoFloatingPoint(row, format);
  }
}

function addToTheLeft(row: Uint8Array, { samples, bits, little }: RowFormat): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  switch (bits) {
    case 8:
      for (let at = samples; at < row.length; at++) row[at] += row[at - samples];
      return;
    case 16:
      for (let at = 2 * samples; at + 2 <= row.length; at += 2) {
        view.setUint16(at, view.getUint16(at, little) + view.getUint16(at - 2 * samples, little), little);
      }
      return;
    case 32:
      for (let at = 4 * samples; at + 4 <= row.length; at += 4) {
        view.setUint32(at, view.getUint32(at, little) + view.getUint32(at - 4 * samples, little), little);
      }
      return;
    case 64:
      for (let at = 8 * samples; at + 8 <= row.length; at += 8) {
        view.setBigUint64(at, view.getBigUint64(at, little) + view.getBigUint64(at - 8 * samples, little), little);
      }
      return;
    default:
      throw new UnpackError(`a predictor for samples of ${bits} bits`);
  }
}

/** The bytes of all numbers stand plane by plane, highest first, each as the difference from its left neighbour. */
function undoFloatingPoint(row: Uint8Array, { samples, bits, little }: RowFormat): void {
  for (let at = samples; at < row.length; at++) row[at] += row[at - samples];
  // Not slice, which shares memory where the row is a Buffer.
  const planes = new Uint8Array(row);
  const bytes = bits / 8;
  const count = row.length / bytes;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < bytes; b++) row[i * bytes + (little ? bytes - 1 - b : b)] = planes[b * count + i];
  }
}
