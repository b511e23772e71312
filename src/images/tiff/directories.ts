/**
 * Directories of a TIFF file (TIFF 6.0, section 2; BigTIFF, whose offsets have 64 bits) and of camera raw files, which are
 * TIFF files with marks of their own. Bounded: a damaged or hostile file costs no more than {@link MAX_DIRECTORIES} directories, and what lies outside of the
 * file is not there.
 */

export interface TiffDirectory {
  /** Numbers of a field of whole numbers of at least 0; empty where it is not there or of another type. */
  numbers(tag: number): readonly number[];
  /** Numbers of a field of any type of numbers, fractions and negative ones too; empty where it is not there. */
  values(tag: number): readonly number[];
  /** Text of a field without what is behind its NUL; empty where it is not there. */
  text(tag: number): string;
  /** Where a field's bytes lie in the file; null where it is not there or reaches beyond the file. */
  range(tag: number): ByteRange | null;
  /** It reaches beyond the file itself, or a field does that leads to pictures. */
  readonly cut: boolean;
}

export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** Bytes of one value by TIFF type, see {@link READERS}; 0 is no type. */
const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

type ReadNumber = (view: DataView, at: number, little: boolean) => number;

const WHOLE_NUMBERS: Readonly<Record<number, ReadNumber>> = {
  /* BYTE */ 1: (view, at) => view.getUint8(at),
  /* SHORT */ 3: (view, at, little) => view.getUint16(at, little),
  /* LONG */ 4: (view, at, little) => view.getUint32(at, little),
  /* IFD */ 13: (view, at, little) => view.getUint32(at, little),
  /* LONG8 */ 16: (view, at, little) => Number(view.getBigUint64(at, little)),
  /* IFD8 */ 18: (view, at, little) => Number(view.getBigUint64(at, little)),
};

const READERS: Readonly<Record<number, ReadNumber>> = {
  ...WHOLE_NUMBERS,
  /* RATIONAL */ 5: (view, at, little) => view.getUint32(at, little) / view.getUint32(at + 4, little),
  /* SBYTE */ 6: (view, at) => view.getInt8(at),
  /* SSHORT */ 8: (view, at, little) => view.getInt16(at, little),
  /* SLONG */ 9: (view, at, little) => view.getInt32(at, little),
  /* SRATIONAL */ 10: (view, at, little) => view.getInt32(at, little) / view.getInt32(at + 4, little),
  /* FLOAT */ 11: (view, at, little) => view.getFloat32(at, little),
  /* DOUBLE */ 12: (view, at, little) => view.getFloat64(at, little),
  /* SLONG8 */ 17: (view, at, little) => Number(view.getBigInt64(at, little)),
};

/** Places of strips: an image of a million rows may have one for each. */
const MAX_VALUES = 2 ** 20;
const MAX_FIELDS = 1024;
const MAX_DIRECTORIES = 64;
const MAX_PAGES = 10_000;
const SUB_DIRECTORIES = 330;
export const [PANASONIC_JPEG, MAKER_NOTE] = [46, 37500];
/** Fields that lead to pictures: those, and the places and lengths of strips and tiles. */
const LEADING = [PANASONIC_JPEG, 273, 279, 324, 325, SUB_DIRECTORIES, MAKER_NOTE];
export const EXIF_DIRECTORY = 34665;

interface Field {
  readonly type: number;
  readonly count: number;
  readonly at: number;
}

export class TiffFile {
  readonly #view: DataView;
  readonly #little: boolean;
  /** Offsets count from here: directories within a maker's note have a start of their own. */
  readonly #base: number;
  /** BigTIFF. */
  readonly #big: boolean;

  constructor(bytes: Uint8Array, base = 0, little = bytes[base] === 0x49) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
    this.#little = little;
    this.#big = base + 4 <= bytes.byteLength && this.#view.getUint16(base + 2, little) === 43;
  }

  /** Whether numbers stand with their lowest byte first. */
  get little(): boolean {
    return this.#little;
  }

  /** The offset of the first directory, which stands behind the mark. */
  first(): number {
    return this.#offset(this.#base + (this.#big ? 8 : 4));
  }

  /** An offset that stands at a place; 0 where that lies beyond the file. */
  #offset(at: number): number {
    if (at + (this.#big ? 8 : 4) > this.#view.byteLength) return 0;
    return this.#big ? Number(this.#view.getBigUint64(at, this.#little)) : this.#view.getUint32(at, this.#little);
  }

  /** The directory at an offset from the file's start or base; null where there is none. */
  directory(offset: number): TiffDirectory | null {
    return this.#read(offset)?.directory ?? null;
  }

  /**
   * The directories of the file's chain with those nested in them, each once, in the order of the file; `cut` where one of
   * them, or its list of nested ones, should be behind the file's end.
   */
  all(): { readonly directories: readonly TiffDirectory[]; readonly cut: boolean } {
    let cut = false;
    const seen = new Set<number>();
    const found: TiffDirectory[] = [];
    const waiting = [this.first()];
    while (waiting.length > 0 && found.length < MAX_DIRECTORIES) {
      const offset = waiting.shift() as number;
      if (offset === 0 || seen.has(offset)) continue;
      seen.add(offset);
      const read = this.#read(offset);
      cut ||= !read || read.directory.cut;
      if (!read) continue;
      found.push(read.directory);
      waiting.push(read.next, ...read.directory.numbers(SUB_DIRECTORIES).slice(0, MAX_DIRECTORIES));
    }
    return { directories: found, cut };
  }

  /** How many directories stand in the file's chain: its pages, but for what is nested in them. */
  pages(): number {
    const seen = new Set<number>();
    for (let offset = this.first(); offset !== 0 && !seen.has(offset) && seen.size < MAX_PAGES; ) {
      const read = this.#read(offset);
      if (!read) break;
      seen.add(offset);
      offset = read.next;
    }
    return seen.size;
  }

  #read(offset: number): { readonly directory: TiffDirectory; readonly next: number } | null {
    const view = this.#view;
    const start = this.#base + offset;
    if (offset < 8 || start + 2 > view.byteLength) return null;
    const big = this.#big;
    const [head, size] = big ? [8, 20] : [2, 12];
    if (start + head > view.byteLength) return null;
    const count = big ? Number(view.getBigUint64(start, this.#little)) : view.getUint16(start, this.#little);
    const fields = new Map<number, Field>();
    for (let i = 0; i < Math.min(count, MAX_FIELDS); i++) {
      const at = start + head + size * i;
      if (at + size > view.byteLength) break;
      const [tag, type] = [view.getUint16(at, this.#little), view.getUint16(at + 2, this.#little)];
      const values = big ? Number(view.getBigUint64(at + 4, this.#little)) : view.getUint32(at + 4, this.#little);
      fields.set(tag, { type, count: values, at: at + (big ? 12 : 8) });
    }
    const behind = start + head + size * count;
    return { directory: this.#directory(fields, behind > view.byteLength), next: this.#offset(behind) };
  }

  #directory(fields: ReadonlyMap<number, Field>, endsEarly: boolean): TiffDirectory {
    const view = this.#view;
    const little = this.#little;
    const range = (tag: number): ByteRange | null => {
      const field = fields.get(tag);
      const bytes = field && TYPE_BYTES[field.type];
      if (!field || !bytes) return null;
      const length = bytes * field.count;
      const start = length <= (this.#big ? 8 : 4) ? field.at : this.#base + this.#offset(field.at);
      return start + length <= view.byteLength ? { start, length } : null;
    };
    const numbers = (tag: number, readers: Readonly<Record<number, ReadNumber>>): number[] => {
      const field = fields.get(tag);
      const place = range(tag);
      const read = field && readers[field.type];
      if (!place || !read) return [];
      const bytes = TYPE_BYTES[field.type];
      const count = Math.min(field.count, MAX_VALUES);
      return Array.from({ length: count }, (_, i) => read(view, place.start + i * bytes, little));
    };
    return {
      range,
      cut: endsEarly || LEADING.some((tag) => fields.has(tag) && !range(tag)),
      numbers: (tag) => numbers(tag, WHOLE_NUMBERS),
      values: (tag) => numbers(tag, READERS),
      text(tag) {
        const place = range(tag);
        if (!place || fields.get(tag)?.type !== 2) return '';
        const bytes = new Uint8Array(view.buffer, view.byteOffset + place.start, Math.min(place.length, 256));
        return Buffer.from(bytes).toString('latin1').split('\0', 1)[0].trim();
      },
    };
  }
}
