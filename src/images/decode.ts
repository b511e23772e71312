/**
 * Decoding: bytes of an image file → 8-bit sRGB pixels of the upright image.
 *
 * Guarantees: EXIF orientation is applied exactly once; grey, CMYK, palette and 16-bit images come as RGB; transparent
 * pixels lie on white (cut-out products are photographed on white far more often than on black); of an animation the first
 * frame is taken, of a TIFF the first page, of a HEIC file the primary image, of a camera raw file the picture that the
 * camera put into it; a damaged or cut file fails with `BadImageError` instead of giving grey pixels. It reads no files, keeps
 * nothing, and caches nothing.
 *
 * Every function runs in one thread of the libuv pool, so `UV_THREADPOOL_SIZE` (4 by default; the command line
 * makes it the number of cores where those are more) is the number of images decoded at once; libvips' own threads are turned off, since decoding several images
 * side by side beats splitting one and keeps memory at one image a thread. Pictures that a decoder has to hold as a whole
 * share a gigabyte: the huge ones come one by one.
 */
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import type { Box } from '../core/boxes.ts';
import { release } from '../core/release.ts';
import { type Decodable, decodable } from './decodable.ts';
import { decodeCostOf } from './decode-cost.ts';
import { PixelBudget } from './pixel-budget.ts';
import { badImageFrom, refuseUndecodable } from './reasons.ts';

sharp.concurrency(1);
sharp.cache(false);

/** 268 million pixels (16,384 × 16,384): 0.8 GB as RGB, beyond any camera, below what a small machine can hold. */
export const DEFAULT_MAX_PIXELS = 16_384 * 16_384;
/** 512 MiB: beyond any photograph's file. */
export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;

/** How pixels are made smaller, as sharp names it; all of them average over the source pixels that a new one covers. */
export type Kernel = 'nearest' | 'linear' | 'cubic' | 'mitchell' | 'lanczos2' | 'lanczos3';
export type Rgb = readonly [red: number, green: number, blue: number];

export interface DecodeOptions {
  /** Images with more pixels are refused as `too-large` (default {@link DEFAULT_MAX_PIXELS}). */
  readonly maxPixels?: number;
  /** Default `linear`. */
  readonly kernel?: Kernel;
  /**
   * Let the JPEG and WebP decoders halve, quarter or eighth the image while decoding (default true). It saves up to
   * two thirds of the time of large photographs; false gives the kernel every pixel.
   */
  readonly shrinkOnLoad?: boolean;
  /**
   * Convert by the embedded ICC profile. True is for people's eyes; `unless-srgb` leaves out profiles that say they are
   * sRGB, where the conversion costs a third of a decode and changes next to nothing; false takes pixels as stored.
   * Default: `unless-srgb` for letterboxed images, else false. CMYK is converted in any case.
   */
  readonly applyProfile?: boolean | 'unless-srgb';
}

export interface CoverOptions extends DecodeOptions {
  /** Where the pixels go, `size × size × 3` bytes: memory that is used again, say. Default: a new array. */
  readonly into?: Uint8Array;
}

export interface LetterboxOptions extends DecodeOptions {
  /** Size of the output in pixels. */
  readonly width: number;
  readonly height: number;
  /** Colour of what the image does not cover, 0 to 255 each (default black). */
  readonly pad?: Rgb;
  /** Where the pixels go, `height × width × 3` bytes: a slot of a batch, say. Default: a new array. */
  readonly into?: Uint8Array;
}

/** Pixels of an upright image: shape [height, width, 3], RGB, 0 to 255. */
export interface Pixels {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Letterboxed {
  /** Shape [height, width, 3] of the options, RGB, 0 to 255; the image stands at the top left. */
  readonly pixels: Uint8Array;
  /** Size of the upright image in its own pixels. */
  readonly width: number;
  readonly height: number;
  /** Output pixels per image pixel: x in the image = x in the output ÷ scaleX. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Size of the output, where that is not the size that was asked for but what comes of the image's. */
  readonly made?: { readonly width: number; readonly height: number };
}

/** The whole image, scaled to fit, at the top left of a `width` × `height` canvas. Small images are enlarged. */
export async function decodeLetterboxed(bytes: Uint8Array, options: LetterboxOptions): Promise<Letterboxed> {
  const { width, height, into } = options;
  refuseOtherLength(into, width, height);
  return decoding(bytes, { applyProfile: 'unless-srgb', ...options }, async (image, { metadata }) => {
    const { autoOrient: upright } = metadata ?? (await image.metadata());
    const scale = Math.min(width / upright.width, height / upright.height);
    const innerWidth = Math.min(width, Math.max(1, Math.round(upright.width * scale)));
    const innerHeight = Math.min(height, Math.max(1, Math.round(upright.height * scale)));
    const inner = await rgb(resized(image, innerWidth, innerHeight, 'fill', options));
    const covered = innerWidth === width && innerHeight === height;
    const pixels = covered && into === undefined ? inner : (into ?? new Uint8Array(width * height * 3));
    if (pixels !== inner) {
      placeTopLeft(inner, innerWidth, innerHeight, pixels, width, height, options.pad ?? [0, 0, 0]);
      release(inner);
    }
    const { width: w, height: h } = upright;
    return { pixels, width: w, height: h, scaleX: innerWidth / w, scaleY: innerHeight / h };
  });
}

/** The middle of the image, scaled so that it covers a `size` × `size` square: what most embedders want. */
export async function decodeCovered(bytes: Uint8Array, size: number, options: CoverOptions = {}): Promise<Pixels> {
  const { into } = options;
  refuseOtherLength(into, size, size);
  return decoding(bytes, options, async (image) => {
    const pixels = await rgb(resized(image, size, size, 'cover', options));
    return { pixels: into ? moved(pixels, into) : pixels, width: size, height: size };
  });
}

/** Puts pixels into memory of the caller's, and gives theirs back. For the other files of this folder. */
export function moved(pixels: Uint8Array, into: Uint8Array): Uint8Array {
  into.set(pixels);
  release(pixels);
  return into;
}

function refuseOtherLength(into: Uint8Array | undefined, width: number, height: number): void {
  if (into === undefined || into.length === width * height * 3) return;
  throw new RangeError(`into has ${into.length} bytes, expected ${width} × ${height} × 3`);
}

/** The whole image at its own size. */
export async function decodeUpright(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Pixels> {
  return decoding(bytes, options, (image) => asRgbPixels(image));
}

/** The whole image, scaled down (never up) so that its longest side is at most `longest` pixels. */
export async function decodeWithin(bytes: Uint8Array, longest: number, options: DecodeOptions = {}): Promise<Pixels> {
  return decoding(bytes, options, (image) =>
    asRgbPixels(resized(image, longest, longest, 'inside', options, { withoutEnlargement: true })),
  );
}

/** What a pipeline runs on. */
export interface Opened {
  readonly source: Decodable;
  /** Where it was read on the way. */
  readonly metadata?: Metadata;
}

/**
 * Runs `work` on a sharp pipeline over the bytes with this module's limits; failures come as `BadImageError`. For the
 * other files of this folder.
 */
export async function decoding<T>(
  bytes: Uint8Array,
  options: DecodeOptions,
  work: (image: Sharp, opened: Opened) => Promise<T>,
): Promise<T> {
  refuseUndecodable(bytes);
  const cost = decodeCostOf(bytes);
  const run = () => decodingNow(bytes, options, work);
  return cost <= UNCOUNTED_BYTES ? run() : heldWhole.run(cost, run);
}

/** Pictures that decoders hold as a whole, of all calls in this process; those up to so many bytes are not counted. */
const heldWhole = new PixelBudget(2 ** 30);
const UNCOUNTED_BYTES = 2 ** 26;

async function decodingNow<T>(
  bytes: Uint8Array,
  options: DecodeOptions,
  work: (image: Sharp, opened: Opened) => Promise<T>,
): Promise<T> {
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  const source = await decodable(bytes, maxPixels);
  try {
    const image = sharp(source.bytes, sharpOptions(maxPixels, options.applyProfile === true));
    if (options.applyProfile !== 'unless-srgb') return await work(image, { source });
    const metadata = await image.metadata();
    if (!hasOtherProfile(metadata)) return await work(image, { source, metadata });
    return await work(sharp(source.bytes, sharpOptions(maxPixels, true)), { source, metadata });
  } catch (error) {
    throw badImageFrom(error, source.bytes, maxPixels);
  }
}

/**
 * `failOn: 'error'` refuses cut files but not harmless oddities that cameras write (`'warning'` would). `autoOrient` is
 * the one place where EXIF orientation is applied.
 */
function sharpOptions(maxPixels: number, applyProfile: boolean): SharpOptions {
  return { failOn: 'error', autoOrient: true, limitInputPixels: maxPixels, pages: 1, ignoreIcc: !applyProfile };
}

/** Whether the image carries an ICC profile that does not call itself sRGB, in ASCII (version 2) or UTF-16 (version 4). */
function hasOtherProfile({ icc }: Metadata): boolean {
  return icc !== undefined && !icc.includes('sRGB') && !icc.includes(Buffer.from('\0s\0R\0G\0B', 'latin1'));
}

function resized(
  image: Sharp,
  width: number,
  height: number,
  fit: 'fill' | 'cover' | 'inside',
  options: DecodeOptions,
  more: { withoutEnlargement?: boolean } = {},
): Sharp {
  return image.resize(width, height, {
    fit,
    position: 'centre',
    kernel: options.kernel ?? 'linear',
    fastShrinkOnLoad: options.shrinkOnLoad ?? true,
    ...more,
  });
}

function asRgb(image: Sharp): Sharp {
  return image.flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' });
}

/** A view, not a copy, of what libvips wrote. */
async function rgb(image: Sharp): Promise<Uint8Array> {
  return asBytes(await asRgb(image).toBuffer());
}

/** Runs a pipeline to RGB pixels. For the other files of this folder. */
export async function asRgbPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await asRgb(image).toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`decoded ${info.channels} channels, expected 3`);
  return { pixels: asBytes(data), width: info.width, height: info.height };
}

function asBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Rows are copied once; measured cheaper than letting libvips embed the image (about 5 % of a 640 × 480 decode). */
function placeTopLeft(
  inner: Uint8Array,
  innerWidth: number,
  innerHeight: number,
  out: Uint8Array,
  width: number,
  height: number,
  pad: Rgb,
): void {
  if (inner.length !== innerWidth * innerHeight * 3) {
    throw new Error(`decoded ${inner.length} bytes, expected ${innerWidth} × ${innerHeight} × 3`);
  }
  const rowBytes = innerWidth * 3;
  for (let y = 0; y < innerHeight; y++) out.set(inner.subarray(y * rowBytes, (y + 1) * rowBytes), y * width * 3);
  if (innerWidth < width) {
    for (let y = 0; y < innerHeight; y++) fillRgb(out, (y * width + innerWidth) * 3, (y + 1) * width * 3, pad);
  }
  fillRgb(out, innerHeight * width * 3, height * width * 3, pad);
}

function fillRgb(out: Uint8Array, from: number, to: number, [red, green, blue]: Rgb): void {
  if (red === green && green === blue) {
    out.fill(red, from, to);
    return;
  }
  for (let at = from; at < to; at += 3) {
    out[at] = red;
    out[at + 1] = green;
    out[at + 2] = blue;
  }
}

/** A box in whole pixels of its image. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The box widened by `margin` of its own size on every side, cut to the image, at least one pixel. */
export function withMargin(box: Box, margin: number, width: number, height: number): PixelBox {
  const marginX = (box[2] - box[0]) * margin;
  const marginY = (box[3] - box[1]) * margin;
  const left = Math.min(Math.max(0, Math.floor(box[0] - marginX)), width - 1);
  const top = Math.min(Math.max(0, Math.floor(box[1] - marginY)), height - 1);
  const right = Math.max(left + 1, Math.min(width, Math.ceil(box[2] + marginX)));
  const bottom = Math.max(top + 1, Math.min(height, Math.ceil(box[3] + marginY)));
  return { left, top, width: right - left, height: bottom - top };
}
