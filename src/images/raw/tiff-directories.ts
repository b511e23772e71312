/**
 * Directories of a TIFF file (TIFF 6.0, section 2) and of camera raw files, which are TIFF files with marks of their own.
 * Bounded: a damaged or hostile file costs no more than {@link MOST_DIRECTORIES} directories, and what lies outside of the
 * file is not there.
 */

export interface TiffDirectory {
  /** Numbers of a field of whole numbers; empty where it is not there or of another type. */
  numbers(tag: number): readonly number[];
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

/** Bytes of one value by TIFF type: BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, … IFD. */
const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
/** A full frame of raw strips has a few thousand. */
const MOST_VALUES = 65_536;
const MOST_FIELDS = 1024;
const MOST_DIRECTORIES = 64;
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

  constructor(bytes: Uint8Array, base = 0, little = bytes[base] === 0x49) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
    this.#little = little;
  }

  /** The offset of the first directory, which stands behind the mark. */
  first(): number {
    return this.#base + 8 <= this.#view.byteLength ? this.#view.getUint32(this.#base + 4, this.#little) : 0;
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
    while (waiting.length > 0 && found.length < MOST_DIRECTORIES) {
      const offset = waiting.shift() as number;
      if (offset === 0 || seen.has(offset)) continue;
      seen.add(offset);
      const read = this.#read(offset);
      cut ||= !read || read.directory.cut;
      if (!read) continue;
      found.push(read.directory);
      waiting.push(read.next, ...read.directory.numbers(SUB_DIRECTORIES).slice(0, MOST_DIRECTORIES));
    }
    return { directories: found, cut };
  }

  #read(offset: number): { readonly directory: TiffDirectory; readonly next: number } | null {
    const view = this.#view;
    const start = this.#base + offset;
    if (offset < 8 || start + 2 > view.byteLength) return null;
    const count = view.getUint16(start, this.#little);
    const fields = new Map<number, Field>();
    for (let i = 0; i < Math.min(count, MOST_FIELDS); i++) {
      const at = start + 2 + 12 * i;
      if (at + 12 > view.byteLength) break;
      const [tag, type] = [view.getUint16(at, this.#little), view.getUint16(at + 2, this.#little)];
      fields.set(tag, { type, count: view.getUint32(at + 4, this.#little), at: at + 8 });
    }
    const behind = start + 2 + 12 * count;
    const next = behind + 4 <= view.byteLength ? view.getUint32(behind, this.#little) : 0;
    return { directory: this.#directory(fields, behind > view.byteLength), next };
  }

  #directory(fields: ReadonlyMap<number, Field>, endsEarly: boolean): TiffDirectory {
    const view = this.#view;
    const little = this.#little;
    const range = (tag: number): ByteRange | null => {
      const field = fields.get(tag);
      const bytes = field && TYPE_BYTES[field.type];
      if (!field || !bytes) return null;
      const length = bytes * field.count;
      const start = length <= 4 ? field.at : this.#base + view.getUint32(field.at, little);
      return start + length <= view.byteLength ? { start, length } : null;
    };
    return {
      range,
      cut: endsEarly || LEADING.some((tag) => fields.has(tag) && !range(tag)),
      numbers(tag) {
        const field = fields.get(tag);
        const place = range(tag);
        if (!field || !place) return [];
        const { type } = field;
        const read = {
          1: (at: number) => view.getUint8(at),
          3: (at: number) => view.getUint16(at, little),
          4: (at: number) => view.getUint32(at, little),
          13: (at: number) => view.getUint32(at, little),
        }[type];
        if (!read) return [];
        const bytes = TYPE_BYTES[type];
        return Array.from({ length: Math.min(field.count, MOST_VALUES) }, (_, i) => read(place.start + i * bytes));
      },
      text(tag) {
        const place = range(tag);
        if (!place || fields.get(tag)?.type !== 2) return '';
        const bytes = new Uint8Array(view.buffer, view.byteOffset + place.start, Math.min(place.length, 256));
        return Buffer.from(bytes).toString('latin1').split('\0', 1)[0].trim();
      },
    };
  }
}
