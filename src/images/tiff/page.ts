/**
 * The numbers of the first page of a TIFF file as they stand in it, whatever their type: whole numbers of 1 to 32 bits,
 * signed ones, floating point of 16, 32 and 64 bits, in strips or tiles, side by side or in planes. For what libvips does
 * not read, or reads without its range; it decides nothing about what the numbers mean.
 *
 * Memory: one strip or tile (of each plane) at a time.
 */
import { float16ToFloat32 } from '../../math/float16.ts';
import { type TiffDirectory, TiffFile } from './directories.ts';
import { UNPACKED_COMPRESSIONS, UnpackError, undoPredictor, unpack } from './unpack.ts';

export type SampleFormat = 'uint' | 'int' | 'float' | 'complex';

export interface TiffPage {
  /** Of the stored picture, in pixels, before any orientation. */
  readonly width: number;
  readonly height: number;
  /** Numbers of a pixel. */
  readonly samples: number;
  /** Of each number. */
  readonly bits: number;
  readonly format: SampleFormat;
  /** TIFF's PhotometricInterpretation: 0 min is white, 1 min is black, 2 RGB, … */
  readonly photometric: number;
  /** ExtraSamples: what the numbers behind the colours are; undefined where the file does not say. */
  readonly extraSamples: readonly number[] | undefined;
  /** What the file says stands for black and white (SMinSampleValue, SMaxSampleValue). */
  readonly declared: { readonly min: number; readonly max: number } | undefined;
  /** The number that stands for no measurement, where the file names one (GDAL's field 42113). */
  readonly noData: number | undefined;
  readonly orientation: number;
  readonly pages: number;
  readonly compression: number;
  /** Its numbers can be read by {@link blocks}. */
  readonly readable: boolean;
}

/** A strip or tile that is unpacked. */
export interface TiffBlock {
  /** Its place in the picture. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Reads row `y` of the block: `into` has shape [width, channels]. */
  readRow(y: number, into: Float64Array): void;
}

/** More than any camera has bands; a page with more is not looked at. */
const MAX_SAMPLES = 1024;
/** A strip or tile that unpacks to more is not read. */
const MAX_BLOCK_BYTES = 2 ** 30;

const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  predictor: 317,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  extraSamples: 338,
  sampleFormat: 339,
  declaredMin: 340,
  declaredMax: 341,
  noData: 42113,
} as const;

/** The first page; undefined where the file has none that makes sense. */
export function tiffPageOf(bytes: Uint8Array): TiffPage | undefined {
  const file = new TiffFile(bytes);
  const directory = file.directory(file.first());
  if (directory === null) return undefined;
  const one = (tag: number, otherwise: number) => directory.numbers(tag)[0] ?? otherwise;
  const [width, height, samples] = [one(TAG.width, 0), one(TAG.height, 0), one(TAG.samples, 1)];
  const allBits = directory.numbers(TAG.bits);
  const bits = allBits[0] ?? 1;
  const formats = directory.numbers(TAG.sampleFormat);
  const format = ({ 1: 'uint', 2: 'int', 3: 'float', 4: 'uint', 5: 'complex', 6: 'complex' } as const)[formats[0] ?? 1];
  if (width < 1 || height < 1 || samples < 1 || samples > MAX_SAMPLES || format === undefined) return undefined;
  const alike = [...allBits.map((b) => b === bits), ...formats.map((f) => f === formats[0])].every(Boolean);
  const compression = one(TAG.compression, 1);
  const [min, max] = [directory.values(TAG.declaredMin)[0], directory.values(TAG.declaredMax)[0]];
  const extraSamples = directory.numbers(TAG.extraSamples);
  return {
    width,
    height,
    samples,
    bits,
    format,
    photometric: one(TAG.photometric, 1),
    extraSamples: extraSamples.length > 0 ? extraSamples : undefined,
    declared: min !== undefined && max !== undefined && min < max ? { min, max } : undefined,
    noData: noDataOf(directory.text(TAG.noData)),
    orientation: Math.min(8, Math.max(1, one(TAG.orientation, 1))),
    pages: file.pages(),
    compression,
    readable:
      alike && UNPACKED_COMPRESSIONS.has(compression) && one(TAG.fillOrder, 1) === 1 && isReadable(format, bits),
  };
}

function noDataOf(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function isReadable(format: SampleFormat, bits: number): boolean {
  if (format === 'complex') return false;
  return format === 'float' ? [16, 32, 64].includes(bits) : bits >= 1 && bits <= 32;
}

/** The page's strips or tiles, in order of the file's list; each holds the first `channels` numbers of its pixels. */
export async function* blocks(bytes: Uint8Array, page: TiffPage, channels: number): AsyncGenerator<TiffBlock> {
  const file = new TiffFile(bytes);
  const directory = file.directory(file.first());
  if (directory === null) throw new UnpackError('the file has no page');
  const grid = gridOf(directory, page);
  const { samples, bits, width, height } = page;
  const inPlanes = samples > 1 && directory.numbers(TAG.planar)[0] === 2;
  const predictor = directory.numbers(TAG.predictor)[0] ?? 1;
  const side = inPlanes ? 1 : samples;
  const rowBytes = Math.ceil((grid.width * side * bits) / 8);
  if (rowBytes * grid.height > MAX_BLOCK_BYTES) throw new UnpackError('a strip of more than a gigabyte');
  const format = { rowBytes, samples: side, bits, little: file.little };
  const read = numberReader(page, file.little);
  const count = grid.across * grid.down;
  for (let i = 0; i < count; i++) {
    const [x, y] = [(i % grid.across) * grid.width, Math.floor(i / grid.across) * grid.height];
    const rows = Math.min(grid.height, height - y);
    // Tiles are always whole; strips end with the picture.
    const length = rowBytes * (grid.isTiled ? grid.height : rows);
    const planes: Uint8Array[] = [];
    for (let plane = 0; plane < (inPlanes ? channels : 1); plane++) {
      const packed = grid.part(bytes, plane * count + i);
      const unpacked = await unpack(packed, page.compression, length);
      // What is not packed is the file's own memory.
      const own = predictor > 1 && page.compression === 1 ? new Uint8Array(unpacked) : unpacked;
      undoPredictor(own, predictor, format);
      planes.push(own);
    }
    yield {
      x,
      y,
      width: Math.min(grid.width, width - x),
      height: rows,
      readRow(row, into) {
        for (const [plane, data] of planes.entries()) {
          const start = row * rowBytes;
          read(data.subarray(start, start + rowBytes), {
            into,
            from: inPlanes ? plane : 0,
            step: channels,
            take: inPlanes ? 1 : channels,
            side,
          });
        }
      },
    };
  }
}

interface Grid {
  readonly isTiled: boolean;
  /** Of a strip or tile, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
  readonly part: (bytes: Uint8Array, index: number) => Uint8Array;
}

function gridOf(directory: TiffDirectory, { width, height }: TiffPage): Grid {
  const [tileWidth] = directory.numbers(TAG.tileWidth);
  const [tileHeight] = directory.numbers(TAG.tileHeight);
  const isTiled = tileWidth > 0 && tileHeight > 0;
  const offsets = directory.numbers(isTiled ? TAG.tileOffsets : TAG.stripOffsets);
  const lengths = directory.numbers(isTiled ? TAG.tileBytes : TAG.stripBytes);
  const rows = Math.min(height, Math.max(1, directory.numbers(TAG.rowsPerStrip)[0] ?? height));
  const [w, h] = isTiled ? [tileWidth, tileHeight] : [width, rows];
  const part = (bytes: Uint8Array, index: number) => {
    const [start, length] = [offsets[index], lengths[index] ?? (offsets.length === 1 ? bytes.length : undefined)];
    if (start === undefined || length === undefined || start > bytes.length) {
      throw new UnpackError('the file ends before the image does');
    }
    return bytes.subarray(start, start + length);
  };
  return { isTiled, width: w, height: h, across: Math.ceil(width / w), down: Math.ceil(height / h), part };
}

interface Target {
  readonly into: Float64Array;
  /** Where the first number goes, and how far the next pixel's is from it. */
  readonly from: number;
  readonly step: number;
  /** So many of the numbers that stand side by side are taken. */
  readonly take: number;
  readonly side: number;
}

/** Reads a row's numbers; pixels are as many as there is room for. */
function numberReader({ bits, format }: TiffPage, little: boolean): (row: Uint8Array, target: Target) => void {
  if (bits % 8 !== 0 || bits === 24) return (row, target) => readBits(row, bits, format === 'int', target);
  const bytes = bits / 8;
  const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
    uint8: (view, at) => view.getUint8(at),
    uint16: (view, at) => view.getUint16(at, little),
    uint32: (view, at) => view.getUint32(at, little),
    int8: (view, at) => view.getInt8(at),
    int16: (view, at) => view.getInt16(at, little),
    int32: (view, at) => view.getInt32(at, little),
    float16: (view, at) => float16ToFloat32(Uint16Array.of(view.getUint16(at, little)))[0],
    float32: (view, at) => view.getFloat32(at, little),
    float64: (view, at) => view.getFloat64(at, little),
  };
  const read = readers[`${format}${bits}`];
  return (row, { into, from, step, take, side }) => {
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
    for (let to = from, at = 0; to < into.length && at + side * bytes <= row.length; to += step, at += side * bytes) {
      for (let c = 0; c < take; c++) into[to + c] = read(view, at + c * bytes);
    }
  };
}

/** Numbers that share bytes, highest bit first. */
function readBits(row: Uint8Array, bits: number, signed: boolean, { into, from, step, take, side }: Target): void {
  let [window, held, at] = [0, 0, 0];
  const most = 2 ** bits;
  for (let to = from; to < into.length; to += step) {
    for (let c = 0; c < side; c++) {
      while (held < bits && at < row.length) {
        window = window * 256 + row[at++];
        held += 8;
      }
      const rest = 2 ** (held - bits);
      const value = Math.floor(window / rest);
      window -= value * rest;
      held -= bits;
      if (c < take) into[to + c] = signed && value >= most / 2 ? value - most : value;
    }
  }
}
