/**
 * All that is recorded of a new image, from one decode of it. The picture is decoded small: the JPEG decoder then does an
 * eighth to a half of the work on pixels but still walks all of the file's data, so that a cut file is found.
 */
import { sha256Hex } from '../core/ids.ts';
import type { ImageFormat, ImageRecord } from '../core/image.ts';
import { asRgbPixels, type DecodeOptions, decoding } from './decode.ts';
import { cameraFactsOf } from './exif.ts';
import { perceptualHashOf } from './hash.ts';
import { flagsOf, INSPECT_SIDE, luminanceOf, qualityOf } from './quality.ts';
import { sniffFormat } from './sniff.ts';

/** An image's record but for its group, which depends on the others. */
export type InspectedImage = Omit<ImageRecord, 'groupId'>;

/** Fails with `BadImageError` for what cannot be decoded. */
export function inspect(bytes: Uint8Array, options: Pick<DecodeOptions, 'maxPixels'> = {}): Promise<InspectedImage> {
  return decoding(bytes, options, async (image) => {
    const found = await image.metadata();
    const small = await asRgbPixels(
      image.resize(INSPECT_SIDE, INSPECT_SIDE, { fit: 'inside', kernel: 'linear', withoutEnlargement: true }),
    );
    const luminance = luminanceOf(small);
    const quality = qualityOf(luminance);
    const { width, height } = found.autoOrient;
    return {
      id: sha256Hex(bytes),
      byteSize: bytes.length,
      // Whatever was decoded was sniffed first, and only formats of ImageFormat are decoded.
      format: sniffFormat(bytes) as ImageFormat,
      width,
      height,
      orientation: found.orientation ?? 1,
      frames: found.pages ?? 1,
      perceptualHash: perceptualHashOf(luminance),
      quality,
      flags: flagsOf(quality, width, height),
      ...cameraFactsOf(found.exif),
    };
  });
}
