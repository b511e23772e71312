/**
 * What stands around regions, in the image's own proportions, made smaller, with the way back to its pixels. Cut from the
 * image decoded at a half, a quarter or an eighth where that has pixels enough, as `region-squares.ts` does.
 */
import sharp from 'sharp';
import type { Box } from '../core/boxes.ts';
import { asRgbPixels, type Pixels } from './decode.ts';
import { eachDecoded, levelOf } from './region-squares.ts';

export interface RegionCropOptions {
  /** Longer side of the result in pixels. */
  readonly longest: number;
  /** Small regions are enlarged by at most this much. */
  readonly mostEnlarged: number;
  /** Added on every side, as a share of the box's longer side; cut off at the image's edge. */
  readonly margin: number;
}

export interface RegionCrop extends Pixels {
  /** x in the crop = (x in the image − left) × scaleX, and so for y. */
  readonly left: number;
  readonly top: number;
  readonly scaleX: number;
  readonly scaleY: number;
  /** In pixels of the image. */
  readonly box: Box;
}

/** In pixels of the image, not yet whole ones. */
interface Surroundings {
  readonly box: Box;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

type Size = Pick<Pixels, 'width' | 'height'>;

/** Bytes of the largest picture that {@link regionCrops} decodes for these boxes. */
export function cropsBytes(image: Size, boxes: readonly Box[], options: RegionCropOptions): number {
  const level = Math.min(...boxes.map((box) => levelOf(longerSide(around(box, image, options)), options.longest)));
  return (3 * image.width * image.height) / (level * level);
}

/** One crop a box, in their order. `image` is the upright image's size; `bytes` its file. */
export async function regionCrops(
  bytes: Uint8Array,
  image: Size,
  boxes: readonly Box[],
  options: RegionCropOptions,
): Promise<RegionCrop[]> {
  const places = boxes.map((box) => around(box, image, options));
  const crops: RegionCrop[] = new Array(boxes.length);
  await eachDecoded(bytes, image, places.map(longerSide), options.longest, async (decoded, i) => {
    crops[i] = await cropOf(decoded, image, places[i], options);
  });
  return crops;
}

function around(box: Box, { width, height }: Size, { margin }: RegionCropOptions): Surroundings {
  const more = margin * Math.max(box[2] - box[0], box[3] - box[1]);
  return {
    box,
    left: Math.max(0, box[0] - more),
    top: Math.max(0, box[1] - more),
    right: Math.min(width, box[2] + more),
    bottom: Math.min(height, box[3] + more),
  };
}

function longerSide({ left, top, right, bottom }: Surroundings): number {
  return Math.max(right - left, bottom - top);
}

async function cropOf(
  decoded: Pixels,
  image: Size,
  place: Surroundings,
  { longest, mostEnlarged }: RegionCropOptions,
): Promise<RegionCrop> {
  const { width, height } = decoded;
  const [perX, perY] = [width / image.width, height / image.height];
  const left = Math.min(width - 1, Math.floor(place.left * perX));
  const top = Math.min(height - 1, Math.floor(place.top * perY));
  const taken = {
    left,
    top,
    width: Math.min(width, Math.max(left + 1, Math.ceil(place.right * perX))) - left,
    height: Math.min(height, Math.max(top + 1, Math.ceil(place.bottom * perY))) - top,
  };
  const scale = Math.min(mostEnlarged, longest / Math.max(taken.width, taken.height));
  const size = {
    width: Math.max(1, Math.round(taken.width * scale)),
    height: Math.max(1, Math.round(taken.height * scale)),
  };
  const raw = sharp(decoded.pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  const { pixels } = await asRgbPixels(
    raw.extract(taken).resize(size.width, size.height, { fit: 'fill', kernel: 'linear' }),
  );
  return {
    pixels,
    ...size,
    left: left / perX,
    top: top / perY,
    scaleX: (size.width / taken.width) * perX,
    scaleY: (size.height / taken.height) * perY,
    box: place.box,
  };
}
