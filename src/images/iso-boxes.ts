/** Boxes of ISO base media files (ISO/IEC 14496-12, 4.2), which HEIF and Canon's CR3 are made of. Reads no more than it is given. */

export interface IsoBox {
  /** Four characters; of a `uuid` box its 16 bytes as hexadecimal digits. */
  readonly type: string;
  /** Where its content begins and ends in the file. */
  readonly start: number;
  readonly end: number;
}

/** A box's neighbours and children are looked at up to here: real files have a few dozen. */
const MAX_BOXES = 4096;

/** The boxes between `start` and `end`, up to the first one that does not fit. */
export function* isoBoxes(view: DataView, start = 0, end = view.byteLength): Generator<IsoBox> {
  let at = start;
  for (let n = 0; n < MAX_BOXES && at + 8 <= end; n++) {
    const { size, header } = sizeAt(view, at, end);
    if (size < header || at + size > end) return;
    const name = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    const content = at + header;
    if (name === 'uuid' && content + 16 <= at + size) {
      const digits = Array.from({ length: 16 }, (_, i) =>
        view
          .getUint8(content + i)
          .toString(16)
          .padStart(2, '0'),
      );
      yield { type: digits.join(''), start: content + 16, end: at + size };
    } else {
      yield { type: name, start: content, end: at + size };
    }
    at += size;
  }
}

/** Whether the last box of a file, or its header, is longer than what is left of the file. */
export function endsWithinBox(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let n = 0; n < MAX_BOXES && at + 8 <= bytes.length; n++) {
    const { size, header } = sizeAt(view, at, bytes.length);
    if (size < header) return false;
    at += size;
  }
  return at !== bytes.length && at + 8 > bytes.length;
}

/** A size of 1 says that it follows in 64 bits, one of 0 that the box reaches to the end. */
function sizeAt(view: DataView, at: number, end: number): { readonly size: number; readonly header: 8 | 16 } {
  const short = view.getUint32(at);
  if (short === 0) return { size: end - at, header: 8 };
  if (short !== 1) return { size: short, header: 8 };
  return { size: at + 16 <= end ? Number(view.getBigUint64(at + 8)) : Number.MAX_SAFE_INTEGER, header: 16 };
}
