/**
 * Where to look in an image that is much larger than a model's input: a pyramid. The whole image first, then the image
 * twice as large, four times and so on, up to at most its own pixels, each cut into tiles of the input's size. A thing
 * of any size is seen at a size that the model knows, at a third more cost than the finest level alone.
 */
import type { Pixels } from './decode.ts';

export interface TileGrid {
  /** The image's longer side at this level, in pixels. */
  readonly longest: number;
  /** The image's size at this level. */
  readonly width: number;
  readonly height: number;
  /** Top-left corners of the tiles, in pixels of this level. */
  readonly lefts: readonly number[];
  readonly tops: readonly number[];
}

type Size = Pick<Pixels, 'width' | 'height'>;

/**
 * Levels below the whole image, coarse to fine; none where the image is less than twice as large as the input.
 * @param overlap of neighbouring tiles, as a share of the input's side; things up to that size are whole in some tile
 */
export function tileGrids(image: Size, input: Size, overlap: number): TileGrid[] {
  const whole = Math.min(input.width / image.width, input.height / image.height);
  const grids: TileGrid[] = [];
  for (let scale = 2 * whole; scale <= 1; scale *= 2) {
    const width = Math.max(1, Math.round(image.width * scale));
    const height = Math.max(1, Math.round(image.height * scale));
    const lefts = tileStarts(width, input.width, overlap);
    const tops = tileStarts(height, input.height, overlap);
    grids.push({ longest: Math.max(width, height), width, height, lefts, tops });
  }
  return grids;
}

/** Tiles of all levels, the whole image included. */
export function tileCount(image: Size, input: Size, overlap: number): number {
  return tileGrids(image, input, overlap).reduce((sum, { lefts, tops }) => sum + lefts.length * tops.length, 1);
}

/** As few starts as overlap enough, evenly apart, the last tile ending where the image does. */
export function tileStarts(length: number, side: number, overlap: number): number[] {
  if (length <= side) return [0];
  const shared = Math.round(side * overlap);
  const count = Math.ceil((length - shared) / (side - shared));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - side)) / (count - 1)));
}

/** Copies a tile of a picture; what reaches beyond the picture is `pad`. */
export function cutTile(
  picture: Pixels,
  left: number,
  top: number,
  { width, height, pad }: Size & { readonly pad: readonly [number, number, number] },
  into: Uint8Array,
): void {
  const columns = Math.min(width, picture.width - left);
  const rows = Math.min(height, picture.height - top);
  if (columns < width || rows < height) for (let at = 0; at < into.length; at += 3) into.set(pad, at);
  for (let row = 0; row < rows; row++) {
    const from = 3 * ((top + row) * picture.width + left);
    into.set(picture.pixels.subarray(from, from + 3 * columns), 3 * row * width);
  }
}
