/**
 * PNG and TIFF files whose numbers are not plain 8 bits, as 8-bit TIFF files that are: scaled by what they hold
 * (`value-range.ts`), with min-is-white turned round, numbers beyond the colours left out, and NaN black, as is what GDAL
 * calls no data. A file that uses
 * its whole range, and that libvips reads rightly, is left as it is.
 *
 * Bands: one or two are grey, three and more the first three as red, green and blue; a band behind the colours counts as
 * transparency only where the file says so.
 *
 * Runs in this thread, about 15 ns a number of the file, and reads it twice. Memory: 1, 3 or 4 bytes a pixel for the
 * result and one strip of the file.
 */
import sharp from 'sharp';
import { BadImageError, badImageFrom, tooManyPixels } from './reasons.ts';
import { blocks, type TiffBlock, type TiffPage, tiffPageOf } from './tiff/page.ts';
import { UnpackError } from './tiff/unpack.ts';
import { emptyTiff, type TiffLayout } from './tiff/write.ts';
import { SampleStatistics, toByte, type ValueRange, valueRangeOf } from './value-range.ts';

export interface DeepImage {
  /** An 8-bit TIFF file. */
  readonly tiff: Uint8Array;
  /** What was taken for black and white; undefined where all values of the type are used. */
  readonly range?: ValueRange;
  /** There are bands beyond those that are shown. */
  readonly hasMoreBands: boolean;
  /** Some pixels stand for no measurement: they are black, and count for nothing in the scaling. */
  readonly hasGaps: boolean;
  readonly frames: number;
  readonly exif?: Uint8Array;
}

/** How the numbers of a pixel become colours. */
interface Colours {
  /** Numbers that are colours: 1 or 3. */
  readonly count: 1 | 3;
  /** Whether the number behind them is transparency, and the colours are multiplied with it. */
  readonly alpha: 'none' | 'straight' | 'premultiplied';
  readonly minIsWhite: boolean;
}

/** Null for files that need none of this. Fails with `BadImageError`. */
export async function deepImage(
  bytes: Uint8Array,
  format: 'png' | 'tiff',
  maxPixels: number,
): Promise<DeepImage | null> {
  if (format === 'png') return bytes[24] === 16 ? deepPng(bytes, maxPixels) : null;
  const page = tiffPageOf(bytes);
  if (page === undefined) return null;
  const libvipsReads = isReadByLibvips(page);
  if (libvipsReads === 'plain') return null;
  refuseTooMany(page.width * page.height, maxPixels);
  if (page.readable) return deepTiff(bytes, page, libvipsReads === 'deep');
  // Read as libvips does, which takes a band behind the colours for transparency.
  if (page.format === 'uint' && page.bits === 8 && page.samples <= 4) return null;
  throw new BadImageError(
    'unsupported',
    `TIFF files of ${nameOf(page)} are not decoded; convert the file to 8 or 16 bits and add it again`,
  );
}

function refuseTooMany(pixels: number, maxPixels: number): void {
  if (pixels > maxPixels) throw tooManyPixels(maxPixels);
}

function nameOf({ bits, format, samples, compression }: TiffPage): string {
  const what = { uint: 'whole', int: 'signed whole', float: 'floating-point', complex: 'complex' }[format];
  return `${bits}-bit ${what} numbers in ${samples} bands with compression ${compression}`;
}

/**
 * `plain` needs no look at its values; `deep` is read rightly where the values use their range. Anything else libvips
 * refuses, cuts off, or takes a band of measurements for transparency.
 */
function isReadByLibvips({ bits, format, samples, photometric, extraSamples }: TiffPage): 'plain' | 'deep' | 'no' {
  // Palettes, CMYK, YCbCr and Lab are of 8 or 16 bits, and their numbers are no brightnesses.
  if (photometric > 2) return 'plain';
  const colours = photometric === 2 ? 3 : 1;
  const extra = samples - colours;
  const isAlpha = extra === 1 && (extraSamples === undefined || extraSamples[0] === 1 || extraSamples[0] === 2);
  if (extra > 0 && !isAlpha) return 'no';
  if (format === 'float') return bits === 32 && samples === 3 ? 'deep' : 'no';
  if (format === 'int') return 'no';
  if (bits === 8) return 'plain';
  if (bits === 16) return 'deep';
  return [1, 2, 4].includes(bits) && samples === 1 ? 'plain' : 'no';
}

async function deepTiff(bytes: Uint8Array, page: TiffPage, mayStay: boolean): Promise<DeepImage | null> {
  const colours = coloursOf(page);
  const channels = channelsOf(colours);
  try {
    const statistics = new SampleStatistics(page.width * page.height * colours.count);
    const suspects = new GapSuspects(page);
    for await (const block of blocks(bytes, page, channels)) {
      for (const row of rowsOf(block, channels, page)) {
        suspects.take(row);
        addColours(statistics, row, colours.count, channels);
      }
    }
    const { noData, returned } = suspects.settled(statistics);
    if (Number.isNaN(statistics.facts().min)) throw noValues(noData);
    const hasGaps = statistics.skipped > returned;
    const range = valueRangeOf({ ...page, ...statistics.facts() });
    // What libvips makes of floating point in colour is light, linear from 0 to 1; that is kept.
    const isPlain = range.basis === 'full' || (range.basis === 'unit' && colours.count === 3);
    if (isPlain && mayStay && !hasGaps) return null;
    const canvas = new Canvas({ ...page, colours, full: fullOf(page) }, range);
    for await (const block of blocks(bytes, page, channels)) {
      let y = block.y;
      for (const row of rowsOf(block, channels, { ...page, noData })) canvas.put(row, block.x, y++);
    }
    return { ...canvas.result(range), hasMoreBands: page.samples > channels, hasGaps, frames: page.pages };
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    const reason = /ends before/.test(error.message) ? 'truncated' : 'corrupt';
    const message = `the image is damaged and cannot be decoded (${error.message})`;
    throw new BadImageError(reason, message, { cause: error });
  }
}

function coloursOf({ photometric, samples, extraSamples }: TiffPage): Colours {
  const count = samples >= 3 ? 3 : 1;
  const extra = photometric === 2 || samples <= 2 ? samples - count : 0;
  const kind = extra === 1 ? (extraSamples?.[0] ?? (count === 3 ? 2 : 0)) : 0;
  return {
    count,
    alpha: kind === 1 ? 'premultiplied' : kind === 2 ? 'straight' : 'none',
    minIsWhite: photometric === 0,
  };
}

function channelsOf({ count, alpha }: Colours): number {
  return count + (alpha === 'none' ? 0 : 1);
}

/** Floating point from here on is no measurement: tools fill gaps with the greatest and least numbers there are. */
const FILL_FROM = 1e30;

function isGap(value: number, noData: number | readonly number[] | undefined): boolean {
  if (typeof noData === 'object') return noData.includes(value) || isFill(value);
  if (noData !== undefined && Math.abs(value - noData) <= Math.abs(noData) * 1e-6) return true;
  return isFill(value);
}

function isFill(value: number): boolean {
  return Math.abs(value) >= FILL_FROM && Number.isFinite(value);
}

/** Rows of numbers; what stands for no measurement is NaN. */
function* rowsOf(
  block: TiffBlock,
  channels: number,
  { format, noData }: Pick<TiffPage, 'format'> & { readonly noData: number | readonly number[] | undefined },
): Generator<Float64Array> {
  const row = new Float64Array(block.width * channels);
  for (let y = 0; y < block.height; y++) {
    block.readRow(y, row);
    if (noData !== undefined || format === 'float')
      for (let i = 0; i < row.length; i++) if (isGap(row[i], noData)) row[i] = Number.NaN;
    yield row;
  }
}

/** Values that tools write where nothing was measured, though the file does not say so. */
const USUAL_GAPS: readonly number[] = [-999, -9999, -32767, -32768, -99999, -999999, Math.fround(1e20)];

/** Values that may be such: they are kept apart until all others are known. */
class GapSuspects {
  readonly #page: TiffPage;
  /** How many there are of each. */
  readonly #seen = new Map<number, number>();

  constructor(page: TiffPage) {
    this.#page = page;
  }

  /** Takes them out of a row. */
  take(row: Float64Array): void {
    const { noData, format } = this.#page;
    if (noData !== undefined || (format !== 'float' && format !== 'int')) return;
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      // Nearly all numbers are none of these, which costs one comparison.
      if (value > -999 && value < 1e20) continue;
      if (!USUAL_GAPS.includes(value)) continue;
      this.#seen.set(value, (this.#seen.get(value) ?? 0) + 1);
      row[i] = Number.NaN;
    }
  }

  /**
   * What stands for no measurement: the file's own word, or those of the suspects that lie at least half as far from all
   * other values as these lie apart. The rest go back to the statistics.
   */
  settled(statistics: SampleStatistics): { noData: number | readonly number[] | undefined; returned: number } {
    if (this.#seen.size === 0) return { noData: this.#page.noData, returned: 0 };
    const { min, max } = statistics.facts();
    const isApart = (value: number) => Math.max(min - value, value - max) >= (max - min) / 2;
    const all = [...this.#seen.keys()];
    const noData = all.filter((value) => Number.isNaN(min) || isApart(value));
    const others = all.filter((value) => !noData.includes(value));
    statistics.add(others);
    return { noData, returned: others.reduce((sum, value) => sum + (this.#seen.get(value) ?? 0), 0) };
  }
}

function noValues(noData: number | readonly number[] | undefined): BadImageError {
  const value = typeof noData === 'object' ? noData.join(' or ') : 'NaN or no data';
  return new BadImageError('no-values', `no pixel of the image holds a measurement: all are ${value}`);
}

function addColours(statistics: SampleStatistics, row: Float64Array, colours: number, channels: number): void {
  if (colours === channels) statistics.add(row);
  else for (let c = 0; c < colours; c++) statistics.add(row, c, channels);
}

/** What a transparency of 1 is. */
function fullOf({ format, bits }: Pick<TiffPage, 'format' | 'bits'>): number {
  return format === 'float' ? 1 : 2 ** (format === 'int' ? bits - 1 : bits) - 1;
}

interface CanvasLayout extends Pick<TiffLayout, 'width' | 'height' | 'orientation'> {
  readonly colours: Colours;
  readonly full: number;
}

/** The 8-bit file that numbers are written to. */
class Canvas {
  readonly #file: Uint8Array;
  readonly #pixels: Uint8Array;
  readonly #layout: CanvasLayout;
  readonly #range: ValueRange;
  readonly #channels: 1 | 3 | 4;

  constructor(layout: CanvasLayout, range: ValueRange) {
    this.#channels = layout.colours.alpha !== 'none' ? 4 : layout.colours.count;
    const { file, pixels } = emptyTiff({ ...layout, channels: this.#channels });
    this.#file = file;
    this.#pixels = pixels;
    this.#layout = layout;
    this.#range = range;
  }

  result(range: ValueRange): Pick<DeepImage, 'tiff' | 'range'> {
    return { tiff: this.#file, range: range.basis === 'full' ? undefined : range };
  }

  /** A row's numbers from column `x` on, shape [pixels, colours and transparency]. */
  put(row: ArrayLike<number>, x: number, y: number): void {
    const { colours, full, width } = this.#layout;
    const step = channelsOf(colours);
    let to = (y * width + x) * this.#channels;
    for (let at = 0; at + step <= row.length; at += step) {
      const alpha = step > colours.count ? Math.min(1, Math.max(0, row[at + colours.count] / full)) : 1;
      const divisor = colours.alpha === 'premultiplied' && alpha > 0 ? alpha : 1;
      if (this.#channels === 4) {
        for (let c = 0; c < 3; c++) this.#pixels[to++] = this.#byte(row[at + (colours.count === 3 ? c : 0)] / divisor);
        this.#pixels[to++] = Math.floor(alpha * 255 + 0.5);
      } else {
        for (let c = 0; c < colours.count; c++) this.#pixels[to++] = this.#byte(row[at + c]);
      }
    }
  }

  #byte(value: number): number {
    const byte = toByte(value, this.#range);
    return this.#layout.colours.minIsWhite ? 255 - byte : byte;
  }
}

async function deepPng(bytes: Uint8Array, maxPixels: number): Promise<DeepImage | null> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  refuseTooMany(view.readUInt32BE(16) * view.readUInt32BE(20), maxPixels);
  const isGrey = (bytes[25] & 2) === 0;
  const count = isGrey ? 1 : 3;
  const significantBits = significantBitsOf(view, count);
  try {
    const options = { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true } as const;
    const { orientation, exif } = await sharp(bytes, options).metadata();
    // libvips gives the numbers as they stand when it is asked for the space that they are in.
    const image = sharp(bytes, options).toColourspace(isGrey ? 'grey16' : 'rgb16');
    const { data, info } = await image.raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const count = isGrey ? 1 : 3;
    const colours: Colours = { count, alpha: info.channels > count ? 'straight' : 'none', minIsWhite: false };
    const statistics = new SampleStatistics(info.width * info.height * count);
    for (let c = 0; c < count; c++) statistics.add(values, c, info.channels);
    const range = valueRangeOf({ format: 'uint', bits: 16, significantBits, ...statistics.facts() });
    if (range.basis === 'full') return null;
    const { width, height } = info;
    const canvas = new Canvas({ width, height, orientation, colours, full: 65535 }, range);
    const rowLength = width * info.channels;
    for (let y = 0; y < height; y++) canvas.put(values.subarray(y * rowLength, (y + 1) * rowLength), 0, y);
    return { ...canvas.result(range), hasMoreBands: false, hasGaps: false, frames: 1, exif };
  } catch (error) {
    throw badImageFrom(error, bytes, maxPixels);
  }
}

/** The most bits that count of any colour, where the file has an sBIT chunk before its pixels (PNG, 11.3.2.4). */
function significantBitsOf(file: Buffer, colours: number): number | undefined {
  for (let at = 8; at + 12 <= file.length; ) {
    const [length, type] = [file.readUInt32BE(at), file.toString('latin1', at + 4, at + 8)];
    if (type === 'IDAT' || type === 'PLTE') return undefined;
    if (type === 'sBIT' && length >= colours && at + 8 + colours <= file.length) {
      return Math.max(...file.subarray(at + 8, at + 8 + colours));
    }
    at += 12 + length;
  }
  return undefined;
}
