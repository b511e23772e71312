/** What a model sees of a region: a square around its box, at the model's size. */
import sharp from 'sharp';
import type { Box } from '../core/boxes.ts';
import { asRgbPixels, type Kernel, moved, type PixelBox, type Pixels } from './decode.ts';

export interface RegionPixelsOptions {
  /** Side of the result in pixels. */
  readonly size: number;
  /** Added on every side, as a share of the box's longer side. */
  readonly margin: number;
  /** Default `linear`. */
  readonly kernel?: Kernel;
  /** Where the pixels go, `size × size × 3` bytes. Default: a new array. */
  readonly into?: Uint8Array;
}

/** The square as long as the box's longer side with its margins, moved into the image and cut where it does not fit. */
export function squareAround(box: Box, margin: number, width: number, height: number): PixelBox {
  const longer = Math.max(box[2] - box[0], box[3] - box[1]) * (1 + 2 * margin);
  const along = (from: number, to: number, most: number) => {
    const side = Math.max(1, Math.min(most, Math.round(longer)));
    return { side, start: Math.max(0, Math.min(most - side, Math.round((from + to - side) / 2))) };
  };
  const x = along(box[0], box[2], width);
  const y = along(box[1], box[3], height);
  return { left: x.start, top: y.start, width: x.side, height: y.side };
}

/** Pixels of a region, shape [size, size, 3], RGB. Where the image is narrower than the square, what there is is stretched. */
export async function regionPixels(image: Pixels, box: Box, options: RegionPixelsOptions): Promise<Uint8Array> {
  const { width, height } = image;
  const { size, margin, kernel = 'linear', into } = options;
  const raw = sharp(image.pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  const part = raw.extract(squareAround(box, margin, width, height));
  const { pixels } = await asRgbPixels(part.resize(size, size, { fit: 'fill', kernel }));
  return into ? moved(pixels, into) : pixels;
}
