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
  /** The shorter side to so many pixels, the other in proportion, cut to whole pixels. */
  | { readonly kind: 'shortest'; readonly edge: number };

export interface PillowProcessing {
  readonly resample: Resample;
  readonly size: PillowSize;
}
