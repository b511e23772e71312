/**
 * Other views of a photograph, as training sees more than one of: a random crop, mirrored or not, in slightly other light
 * (random resized crop, flip and jitter as since Szegedy et al., "Going Deeper with Convolutions", CVPR 2015).
 */
import sharp, { type Sharp } from 'sharp';
import type { Random } from '../core/random.ts';
import type { Pixels } from './decode.ts';

/** Least share of the area that is kept: with less, small objects are often cut away. */
const MIN_AREA = 0.5;
/** How far the crop's aspect is from the image's, at most. */
const MAX_STRETCH = 4 / 3;
/** Brightness and saturation are multiplied by 1 ± this, at most. */
const JITTER = 0.2;

/** One view as an uncompressed PNG file, so that it goes where files of images go. Draws seven numbers. */
export function augmentedView(image: Pixels, random: Random): Promise<Uint8Array> {
  return augmented(image, random).png({ compressionLevel: 0 }).toBuffer();
}

/** The same view stretched to a square, as training takes it: shape [size, size, 3], RGB. */
export function augmentedSquare(image: Pixels, random: Random, size: number): Promise<Uint8Array> {
  return augmented(image, random).resize(size, size, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
}

function augmented({ pixels, width, height }: Pixels, random: Random): Sharp {
  const area = MIN_AREA + (1 - MIN_AREA) * random();
  const stretch = MAX_STRETCH ** (2 * random() - 1);
  const [w, h] = [Math.sqrt(area * stretch) * width, Math.sqrt(area / stretch) * height];
  const [cropWidth, cropHeight] = [wholeWithin(w, width), wholeWithin(h, height)];
  const left = Math.floor(random() * (width - cropWidth + 1));
  const top = Math.floor(random() * (height - cropHeight + 1));
  const mirrored = random() < 0.5;
  const [brightness, saturation] = [1 + JITTER * (2 * random() - 1), 1 + JITTER * (2 * random() - 1)];
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .extract({ left, top, width: cropWidth, height: cropHeight })
    .flop(mirrored)
    .modulate({ brightness, saturation });
}

function wholeWithin(value: number, most: number): number {
  return Math.max(1, Math.min(most, Math.round(value)));
}
