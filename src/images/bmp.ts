/**
 * Windows bitmaps, which machine vision writes and libvips does not read: as the bytes of an uncompressed TIFF, in 8-bit sRGB.
 *
 * Every header from OS/2's 12 bytes to version 5; 1, 2, 4, 8, 16, 24 and 32 bits a pixel, palettes, masks of colours, both
 * run-length encodings, rows from below or from above. Not read: JPEG and PNG within (for printers alone), and colour
 * profiles. Alpha counts where the file has a mask for it and any pixel is not clear.
 *
 * After Microsoft's "Bitmap Storage" (https://learn.microsoft.com/windows/win32/gdi/bitmap-storage) and "Bitmap Compression".
 */
import { BadImageError, tooManyPixels } from './reasons.ts';
import { emptyTiff } from './tiff/write.ts';

interface Header {
  readonly width: number;
  readonly height: number;
  /** The first row is the uppermost. */
  readonly isTopDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the rows begin. */
  readonly start: number;
  /** Three bytes a colour: red, green, blue; as many as a pixel can name. Empty for 16 bits and more. */
  readonly palette: Uint8Array;
  readonly masks: Masks;
}

interface Masks {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  /** 0 for none. */
  readonly alpha: number;
}

const COMPRESSION = { none: 0, runs8: 1, runs4: 2, masks: 3, jpeg: 4, png: 5, alphaMasks: 6 } as const;
const FILE_HEADER = 14;
const OLD_HEADER = 12;
const BITS: readonly number[] = [1, 2, 4, 8, 16, 24, 32];
const MASKS_16: Masks = { red: 0x7c00, green: 0x3e0, blue: 0x1f, alpha: 0 };
const MASKS_32: Masks = { red: 0xff0000, green: 0xff00, blue: 0xff, alpha: 0 };

/** @returns the bytes of a TIFF file. Fails with `BadImageError`. */
export function decodeBmp(bytes: Uint8Array, maxPixels: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = headerOf(bytes, view);
  const { width, height, bits, compression } = header;
  if (width * height > maxPixels) throw tooManyPixels(maxPixels);
  if (compression === COMPRESSION.runs8 || compression === COMPRESSION.runs4) return ofRuns(bytes, header);
  const stride = 4 * Math.ceil((bits * width) / 32);
  if (header.start + stride * height > bytes.length) throw cutShort();
  if (bits <= 8) return ofPalette(bytes, header, stride);
  return bits === 24 ? ofBytes(bytes, header, stride) : ofMasks(view, header, stride);
}

/** Width and height, as a bound of what a decode holds; undefined where the header is cut. */
export function bmpSizeOf(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  if (bytes.length < FILE_HEADER + OLD_HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(14, true) === OLD_HEADER)
    return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
}

function cutShort(): BadImageError {
  return new BadImageError('truncated', 'the file ends before the image does');
}

function damaged(what: string): BadImageError {
  return new BadImageError('corrupt', `the image is damaged and cannot be decoded (BMP: ${what})`);
}

function headerOf(bytes: Uint8Array, view: DataView): Header {
  const size = bmpSizeOf(bytes);
  if (size === undefined) throw cutShort();
  const start = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  const isOld = headerBytes === OLD_HEADER;
  if (!isOld && (headerBytes < 16 || headerBytes > 1024)) throw damaged(`a header of ${headerBytes} bytes`);
  if (FILE_HEADER + headerBytes > bytes.length) throw cutShort();
  const { width, height } = size;
  if (width === 0 || height === 0) throw damaged('no pixels');
  const bits = view.getUint16(isOld ? 24 : 28, true);
  const compression = headerBytes >= 20 ? view.getUint32(30, true) : COMPRESSION.none;
  refuseUnknown(bits, compression);
  const hasMasks = compression === COMPRESSION.masks || compression === COMPRESSION.alphaMasks;
  return {
    width,
    height,
    isTopDown: !isOld && view.getInt32(22, true) < 0,
    bits,
    compression,
    start,
    palette: bits <= 8 ? paletteOf(bytes, view, { headerBytes, bits, start }) : new Uint8Array(0),
    masks: hasMasks ? masksOf(view, headerBytes, compression) : bits === 16 ? MASKS_16 : MASKS_32,
  };
}

function refuseUnknown(bits: number, compression: number): void {
  if (compression === COMPRESSION.jpeg || compression === COMPRESSION.png) {
    throw new BadImageError('unsupported', 'a BMP with a JPEG or PNG in it; convert the file to PNG and add it again');
  }
  if (!BITS.includes(bits)) throw damaged(`${bits} bits a pixel`);
  const fits: Readonly<Record<number, readonly number[]>> = {
    [COMPRESSION.none]: BITS,
    [COMPRESSION.runs8]: [8],
    [COMPRESSION.runs4]: [4],
    [COMPRESSION.masks]: [16, 32],
    [COMPRESSION.alphaMasks]: [16, 32],
  };
  if (!fits[compression]?.includes(bits)) throw damaged(`compression ${compression} of ${bits} bits a pixel`);
}

/** Behind the 40 bytes that all have, in the header or after it. */
function masksOf(view: DataView, headerBytes: number, compression: number): Masks {
  const hasAlpha = headerBytes >= 56 || compression === COMPRESSION.alphaMasks;
  if (view.byteLength < (hasAlpha ? 70 : 66)) throw cutShort();
  const at = (offset: number) => view.getUint32(offset, true);
  return { red: at(54), green: at(58), blue: at(62), alpha: hasAlpha ? at(66) : 0 };
}

/** Colours that the file does not have are black. */
function paletteOf(
  bytes: Uint8Array,
  view: DataView,
  { headerBytes, bits, start }: { readonly headerBytes: number; readonly bits: number; readonly start: number },
): Uint8Array {
  const first = FILE_HEADER + headerBytes;
  const entryBytes = headerBytes === OLD_HEADER ? 3 : 4;
  const most = 2 ** bits;
  const said = headerBytes >= 36 ? view.getUint32(46, true) : 0;
  const room = Math.floor((Math.min(start, bytes.length) - first) / entryBytes);
  const count = Math.max(0, Math.min(said === 0 ? most : said, most, room));
  const palette = new Uint8Array(3 * most);
  for (let i = 0; i < count; i++) {
    const at = first + i * entryBytes;
    palette[3 * i] = bytes[at + 2];
    palette[3 * i + 1] = bytes[at + 1];
    palette[3 * i + 2] = bytes[at];
  }
  return palette;
}

/** Row of the file that is row `y` of the upright image. */
function storedRow({ height, isTopDown }: Header, y: number): number {
  return isTopDown ? y : height - 1 - y;
}

function ofPalette(bytes: Uint8Array, header: Header, stride: number): Uint8Array {
  const { width, height, bits, palette, start } = header;
  const { file, pixels } = emptyTiff({ width, height, channels: 3 });
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const from = start + storedRow(header, y) * stride;
    for (let x = 0; x < width; x++) {
      const place = x % perByte;
      const colour = 3 * ((bytes[from + (x - place) / perByte] >> (8 - bits * (place + 1))) & mask);
      pixels[to++] = palette[colour];
      pixels[to++] = palette[colour + 1];
      pixels[to++] = palette[colour + 2];
    }
  }
  return file;
}

/** Three bytes a pixel: blue, green, red. */
function ofBytes(bytes: Uint8Array, header: Header, stride: number): Uint8Array {
  const { width, height, start } = header;
  const { file, pixels } = emptyTiff({ width, height, channels: 3 });
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = start + storedRow(header, y) * stride;
    for (let x = 0; x < width; x++, from += 3, to += 3) {
      pixels[to] = bytes[from + 2];
      pixels[to + 1] = bytes[from + 1];
      pixels[to + 2] = bytes[from];
    }
  }
  return file;
}

function ofMasks(view: DataView, header: Header, stride: number): Uint8Array {
  const { width, height, bits, masks, start } = header;
  const isWide = bits === 32;
  const valueAt = (x: number, y: number) => {
    const at = start + storedRow(header, y) * stride + (x * bits) / 8;
    return isWide ? view.getUint32(at, true) : view.getUint16(at, true);
  };
  const hasAlpha = masks.alpha !== 0 && isAnyVisible(valueAt, header);
  const channels = hasAlpha ? 4 : 3;
  const { file, pixels } = emptyTiff({ width, height, channels });
  const channelsOf = [masks.red, masks.green, masks.blue, ...(hasAlpha ? [masks.alpha] : [])].map(channelOf);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = valueAt(x, y);
      for (const channel of channelsOf) pixels[to++] = channel(value);
    }
  }
  return file;
}

/** Many programs leave alpha at 0 in pictures that are meant to be seen. */
function isAnyVisible(valueAt: (x: number, y: number) => number, { width, height, masks }: Header): boolean {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if ((valueAt(x, y) & masks.alpha) !== 0) return true;
  }
  return false;
}

/** The part of a pixel that a mask has, as 0 to 255. */
function channelOf(mask: number): (value: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (value) => Math.round((255 * ((value & mask) >>> shift)) / most);
}

/** Pairs of a count and colours; a count of 0 begins a mark: end of row, end, a jump, or colours as they are. */
function ofRuns(bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, bits, palette } = header;
  const indices = new Uint8Array(width * height);
  const put = (x: number, y: number, colour: number) => {
    if (x < width && y < height) indices[storedRow(header, y) * width + x] = colour;
  };
  /** The n-th colour of bytes from `at`: one a byte, or two. */
  const colourAt = (at: number, n: number) =>
    bits === 8 ? bytes[at + n] : (bytes[at + (n >> 1)] >> (n % 2 === 0 ? 4 : 0)) & 15;
  let [at, x, y] = [header.start, 0, 0];
  for (;;) {
    if (at + 2 > bytes.length) throw cutShort();
    const [count, second] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) {
      // Of four bits the two colours of the byte take turns.
      for (let n = 0; n < count; n++) put(x++, y, bits === 8 ? second : n % 2 === 0 ? second >> 4 : second & 15);
    } else if (second === 0) {
      [x, y] = [0, y + 1];
    } else if (second === 1) {
      break;
    } else if (second === 2) {
      if (at + 2 > bytes.length) throw cutShort();
      [x, y, at] = [x + bytes[at], y + bytes[at + 1], at + 2];
    } else {
      const length = bits === 8 ? second : Math.ceil(second / 2);
      if (at + length > bytes.length) throw cutShort();
      for (let n = 0; n < second; n++) put(x++, y, colourAt(at, n));
      at += length + (length % 2);
    }
    if (y >= height) break;
  }
  const { file, pixels } = emptyTiff({ width, height, channels: 3 });
  for (const [i, index] of indices.entries()) pixels.set(palette.subarray(3 * index, 3 * index + 3), 3 * i);
  return file;
}
