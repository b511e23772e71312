/** What fine-tuning looks at, whole images and regions alike: as an embedder sees it, and as the picture that other views are cut from. */
import type { Box } from '../../../core/boxes.ts';
import { decodeWithin, type Pixels } from '../../../images/decode.ts';
import { regionPixels } from '../../../images/region-pixels.ts';
import type { Embedder } from '../../../models/embedder.ts';
import { pixelsFor } from '../../item-pixels.ts';

export interface TuningImage {
  /** Shape [height, width, 3] of the input, RGB. */
  pixels(input: Embedder['input']): Promise<Uint8Array>;
  /** No side is longer than {@link LONGEST}. */
  picture(): Promise<Pixels>;
}

/** Large enough for a crop of half of the image to fill a network's input. */
const LONGEST = 400;

/** @param bytes of the image's file */
export function wholeImage(bytes: Uint8Array): TuningImage {
  return { pixels: (input) => pixelsFor(bytes, input), picture: () => decodeWithin(bytes, LONGEST) };
}

/** @param image upright @param margin around the box, as a share of its longer side */
export function regionIn(image: Pixels, box: Box, margin: number): TuningImage {
  return {
    pixels: ({ width: size, kernel }) => regionPixels(image, box, { size, kernel, margin }),
    async picture() {
      const pixels = await regionPixels(image, box, { size: LONGEST, margin });
      return { pixels, width: LONGEST, height: LONGEST };
    },
  };
}
