/** How the hub's image processors bring an image to a network's size, as data; `images/pillow` does it. */

/** Filters as Pillow calls them. */
export const RESAMPLES = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
export type Resample = (typeof RESAMPLES)[number];

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
  /** `longest`, but filled up with numbers that need be no bytes, after it was made smaller: in 32-bit floats, as above. */
  | { readonly kind: 'filled'; readonly fill: readonly [number, number, number] }
  /** The shorter side to so many pixels, the other in proportion, cut to whole pixels. */
  | { readonly kind: 'shortest'; readonly edge: number }
  /** The same, but with a longer side of at most `longest`; and the network takes it in that size, whatever it is. */
  | { readonly kind: 'open'; readonly edge: number; readonly longest: number };

/** What an input's pixels are once they are made: bytes, but where their processor does not round. */
export function pixelTypeOf(pillow: PillowProcessing | undefined): 'uint8' | 'float32' {
  const kind = pillow?.size.kind;
  return kind === 'blurred-square' || kind === 'sampled' || kind === 'filled' ? 'float32' : 'uint8';
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
  readonly size: PillowSize;
}
