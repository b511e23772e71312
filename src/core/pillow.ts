/** How the hub's image processors bring an image to a network's size, as data; `images/pillow` does it. */

/** Filters as Pillow calls them. */
export const RESAMPLES = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
export type Resample = (typeof RESAMPLES)[number];

/** Kinds of {@link PillowSize} with nothing more to say. */
export const PLAIN_SIZES = [
  'exact',
  'padded-square',
  'blurred-square',
  'sampled',
  'opencv-letterbox',
  'averaged',
  'longest',
  'none',
] as const;

/** How an image is brought to a size before its middle is cut out, or what is missing is filled up. */
export type PillowSize =
  /**
   * - `exact`: to the input's size, whatever that does to its sides' proportions.
   * - `padded-square`: filled up to a square at the right and below, then to the input's size.
   * - `longest`: the longer side to the input's, the rest filled up at the right and below.
   * - `none`: as it is.
   */
  | { readonly kind: 'exact' | 'padded-square' | 'longest' | 'none' }
  /**
   * Filled up to a square as above, then made smaller in floats by a Gaussian and straight lines between its values, as
   * OWLv2 was trained (scikit-image's `resize`). No bytes come out, but 32-bit floats of the same range.
   */
  | { readonly kind: 'blurred-square' }
  /** `exact`, but by straight lines between the four nearest pixels with nothing averaged, as RF-DETR's is: in floats too. */
  | { readonly kind: 'sampled' }
  /**
   * The whole image at the top left, its sides in proportion and cut to whole pixels, the rest filled up; by straight lines between
   * the four nearest pixels with nothing averaged, in OpenCV's fixed point. Bytes; places are in proportion to the sides before
   * they were cut, as their makers reckon them (YOLOX).
   */
  | { readonly kind: 'opencv-letterbox' }
  /** `exact`, by the same averages as there, but in floats: nothing is rounded to bytes, as torchvision does it with tensors. */
  | { readonly kind: 'averaged' }
  /** To so many pixels whatever that does to proportions; the middle of it, where that is larger than the input. */
  | { readonly kind: 'squashed'; readonly width: number; readonly height: number }
  /** `longest`, but filled up with numbers that need be no bytes, after it was made smaller: in 32-bit floats, as above. */
  | { readonly kind: 'filled'; readonly fill: readonly [number, number, number] }
  /** The shorter side to so many pixels, the other in proportion, cut to whole pixels. */
  | { readonly kind: 'shortest'; readonly edge: number }
  /**
   * The same, but with a longer side of at most `longest`; and the network takes it in that size, whatever it is. With
   * `multiple`, sides are then cut down to multiples of it.
   */
  | { readonly kind: 'open'; readonly edge: number; readonly longest: number; readonly multiple?: number };

const FLOATS: readonly PillowSize['kind'][] = ['blurred-square', 'sampled', 'averaged', 'filled'];

/** What an input's pixels are once they are made: bytes, but where their processor does not round. */
export function pixelTypeOf(pillow: PillowProcessing | undefined): 'uint8' | 'float32' {
  return FLOATS.some((kind) => kind === pillow?.size.kind) ? 'float32' : 'uint8';
}

/** Bytes of an input of that many pixels. */
export function inputBytes({
  width,
  height,
  pillow,
}: {
  readonly width: number;
  readonly height: number;
  readonly pillow?: PillowProcessing;
}): number {
  return width * height * 3 * (pixelTypeOf(pillow) === 'float32' ? 4 : 1);
}

export interface PillowProcessing {
  readonly resample: Resample;
  /** Where a middle has no whole pixel: `torch` takes the even one of the two, else the one before. */
  readonly middle?: 'torch';
  readonly size: PillowSize;
}

/**
 * Bytes of pixels as an input takes them: as they are, or as so many 32-bit floats.
 *
 * @param into where they go; default the bytes themselves, or a new array of floats
 */
export function asInputPixels(
  bytes: Uint8Array,
  pillow: PillowProcessing | undefined,
  into: Uint8Array = pixelTypeOf(pillow) === 'uint8' ? bytes : new Uint8Array(4 * bytes.length),
): Uint8Array {
  if (pixelTypeOf(pillow) === 'float32') new Float32Array(into.buffer, into.byteOffset, bytes.length).set(bytes);
  else if (into !== bytes) into.set(bytes);
  return into;
}

/** Pixels of an input as numbers, 0 to 255, whichever of the two they are. */
export function pixelNumbers(pixels: Uint8Array, pillow: PillowProcessing | undefined): Float32Array {
  if (pixelTypeOf(pillow) === 'uint8') return Float32Array.from(pixels);
  return new Float32Array(pixels.buffer, pixels.byteOffset, pixels.byteLength / 4);
}
