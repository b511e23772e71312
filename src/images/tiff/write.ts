/**
 * Decoded pixels as the bytes of an uncompressed TIFF 6.0 file: what other decoders than libvips give goes through the
 * same pipeline as every file, with its colour profile and orientation, which a bare buffer of pixels cannot carry.
 */

export interface TiffLayout {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for RGB, 4 with an alpha channel that the colours are not multiplied with; 8 bits each. */
  readonly channels: 1 | 3 | 4;
  /** ICC profile of the colours; none is sRGB. */
  readonly icc?: Uint8Array;
  /** EXIF orientation of the pixels, 1 to 8 (default 1). */
  readonly orientation?: number;
}

export interface PixelRows extends TiffLayout {
  /** Pixels of row `y`, `width × channels` bytes. */
  readonly row: (y: number) => Uint8Array;
}

/** Readers hold a strip at a time; a single one would be the whole picture. */
const STRIP_BYTES = 2 ** 18;
const [SHORT, LONG, UNDEFINED] = [3, 4, 7] as const;

export function tiffFile({ row, ...layout }: PixelRows): Uint8Array<ArrayBuffer> {
  const { file, pixels } = emptyTiff(layout);
  const rowBytes = layout.width * layout.channels;
  for (let y = 0; y < layout.height; y++) pixels.set(row(y), y * rowBytes);
  return file;
}

/** A file whose pixels are to be written yet: `pixels` is the part of it that holds them, shape [height, width, channels]. */
export function emptyTiff({ width, height, channels, icc, orientation = 1 }: TiffLayout): {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly pixels: Uint8Array<ArrayBuffer>;
} {
  const rowBytes = width * channels;
  const rowsPerStrip = Math.min(height, Math.max(1, Math.floor(STRIP_BYTES / rowBytes)));
  const strips = Math.ceil(height / rowsPerStrip);
  const rowsOf = (strip: number) => Math.min(rowsPerStrip, height - strip * rowsPerStrip);
  // In order of tag, as section 2 of the specification wants it.
  const entries: (readonly [tag: number, type: number, values: readonly number[] | Uint8Array])[] = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, Array.from({ length: channels }, () => 8)],
    [259, SHORT, [1]],
    [262, SHORT, [channels === 1 ? 1 : 2]],
    [273, LONG, Array.from({ length: strips }, () => 0)],
    [274, SHORT, [orientation]],
    [277, SHORT, [channels]],
    [278, LONG, [rowsPerStrip]],
    [279, LONG, Array.from({ length: strips }, (_, i) => rowsOf(i) * rowBytes)],
    [284, SHORT, [1]],
    ...(channels === 4 ? ([[338, SHORT, [2]]] as const) : []),
    ...(icc ? ([[34675, UNDEFINED, icc]] as const) : []),
  ];
  const sizeOf = (type: number, values: ArrayLike<number>) => values.length * { 3: 2, 4: 4, 7: 1 }[type as 3 | 4 | 7];
  const directory = 8;
  let outside = directory + 2 + 12 * entries.length + 4;
  const places = entries.map(([, type, values]) => {
    const size = sizeOf(type, values);
    if (size <= 4) return null;
    const at = outside;
    outside += size + (size % 2);
    return at;
  });
  const start = outside;
  const file = new Uint8Array(start + height * rowBytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x49492a00);
  view.setUint32(4, directory, true);
  view.setUint16(directory, entries.length, true);
  for (const [i, [tag, type, given]] of entries.entries()) {
    const at = directory + 2 + 12 * i;
    const values = tag === 273 ? given.map((_, strip) => start + strip * rowsPerStrip * rowBytes) : given;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, values.length, true);
    const place = places[i];
    if (place !== null) view.setUint32(at + 8, place, true);
    const first = place ?? at + 8;
    for (const [v, value] of values.entries()) {
      if (type === SHORT) view.setUint16(first + 2 * v, value, true);
      else if (type === LONG) view.setUint32(first + 4 * v, value, true);
      else view.setUint8(first + v, value);
    }
  }
  return { file, pixels: file.subarray(start) };
}
