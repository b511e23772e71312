/** Pictures for people and exports: crops of regions and thumbnails, as encoded bytes. */
import sharp from 'sharp';
import type { Box } from '../core/boxes.ts';
import { asRgbPixels, type DecodeOptions, decodeUpright, decoding, type Pixels, withMargin } from './decode.ts';

export interface CropOptions extends DecodeOptions {
  /** Added on every side, as a share of the box's own width and height (default 0). Cut off at the image's edge. */
  readonly margin?: number;
  /** JPEG quality, 1 to 100 (default 92). */
  readonly quality?: number;
}

/** One JPEG a box, in order, from one decode of the image. Boxes are in pixels of the upright image. */
export async function cropRegions(
  bytes: Uint8Array,
  boxes: readonly Box[],
  options: CropOptions = {},
): Promise<Uint8Array[]> {
  if (boxes.length === 0) return [];
  const image = await decodeUpright(bytes, { applyProfile: true, ...options });
  const crops: Uint8Array[] = [];
  // One after the other: encoding all at once would hold all crops of an image with hundreds of regions.
  for (const box of boxes) crops.push(await cropOf(image, box, options));
  return crops;
}

/** One JPEG of a decoded image. */
export async function cropOf(image: Pixels, box: Box, options: CropOptions = {}): Promise<Uint8Array> {
  const { pixels, width, height } = image;
  const part = withMargin(box, options.margin ?? 0, width, height);
  return sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .extract(part)
    .jpeg({ quality: options.quality ?? 92, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

export interface ThumbnailOptions extends DecodeOptions {
  /** Longest side in pixels (default 256); smaller images keep their size, but with `enlarge`. */
  readonly longest?: number;
  readonly enlarge?: boolean;
  /** Default `webp`, about a third smaller than `jpeg` for the same look. */
  readonly format?: 'jpeg' | 'webp';
  /** 1 to 100 (default 75). */
  readonly quality?: number;
  /** Show this part only, in pixels of the upright image, with `margin` as in {@link CropOptions}. */
  readonly box?: Box;
  readonly margin?: number;
}

export interface Thumbnail {
  /** An encoded image with no metadata. */
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Thumbnail pixels per image pixel, to draw boxes on it. */
  readonly scale: number;
}

/** A small picture of an image, or of a part of it, for reports and the app. */
export async function thumbnailOf(bytes: Uint8Array, options: ThumbnailOptions = {}): Promise<Thumbnail> {
  const longest = options.longest ?? 256;
  const { box } = options;
  return decoding(bytes, { applyProfile: true, ...options }, async (image) => {
    const { width, height } = (await image.metadata()).autoOrient;
    const part =
      box === undefined ? { left: 0, top: 0, width, height } : withMargin(box, options.margin ?? 0, width, height);
    const shown = box === undefined ? image : image.extract(part);
    const small = await asRgbPixels(
      shown.resize(longest, longest, {
        fit: 'inside',
        kernel: options.kernel ?? 'lanczos3',
        withoutEnlargement: !options.enlarge,
      }),
    );
    const raw = sharp(small.pixels, { raw: { width: small.width, height: small.height, channels: 3 } });
    const quality = options.quality ?? 75;
    const encoded = await (options.format === 'jpeg' ? raw.jpeg({ quality }) : raw.webp({ quality })).toBuffer();
    return {
      bytes: new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength),
      width: small.width,
      height: small.height,
      scale: small.width / part.width,
    };
  });
}
