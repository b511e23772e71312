/**
 * All that is recorded of a new image, from one decode of it. The picture is decoded small: the JPEG decoder then does an
 * eighth to a half of the work on pixels but still walks all of the file's data, so that a cut file is found.
 */
import type { Sharp } from 'sharp';
import { type ImageId, sha256Hex } from '../core/ids.ts';
import type { ImageFormat, ImageRecord, QualityFlag } from '../core/image.ts';
import { printOf } from './copies/print.ts';
import type { Decodable } from './decodable.ts';
import { asRgbPixels, type DecodeOptions, decoding } from './decode.ts';
import { cameraFactsOf } from './exif.ts';
import { perceptualHashOf } from './hash.ts';
import { jpegHeaderOf } from './jpeg-header.ts';
import { pixelHashOf } from './pixel-hash.ts';
import { flagsOf, INSPECT_SIDE, luminanceOf, qualityOf } from './quality.ts';
import { sniffFormat } from './sniff.ts';

/** An image's record but for its group, which depends on the others. */
export type InspectedImage = Omit<ImageRecord, 'groupId'>;

/**
 * Up to this many pixels an image is decoded as it is and made smaller here: asking the decoder for less costs about a
 * millisecond of its own, more than it saves on a picture of 400 × 300.
 */
const DECODED_WHOLE_PIXELS = 2 ** 17;

export interface InspectOptions extends Pick<DecodeOptions, 'maxPixels'> {
  /** The SHA-256 of the bytes where the caller has it already (default: computed here). */
  readonly id?: ImageId;
}

/** Fails with `BadImageError` for what cannot be decoded. */
export function inspect(bytes: Uint8Array, options: InspectOptions = {}): Promise<InspectedImage> {
  return decoding(bytes, options, async (image, { source }) => {
    const found = await factsOf(image, source);
    const { width, height } = found;
    const small = await asRgbPixels(
      width * height <= DECODED_WHOLE_PIXELS
        ? image
        : image.resize(INSPECT_SIDE, INSPECT_SIDE, { fit: 'inside', kernel: 'linear', withoutEnlargement: true }),
    );
    const luminance = luminanceOf(small);
    const quality = qualityOf(luminance);
    return {
      id: options.id ?? sha256Hex(bytes),
      byteSize: bytes.length,
      // Whatever was decoded was sniffed first, and only formats of ImageFormat are decoded.
      format: sniffFormat(bytes) as ImageFormat,
      width,
      height,
      orientation: found.orientation,
      frames: found.frames,
      perceptualHash: perceptualHashOf(luminance),
      print: printOf(luminance),
      pixelHash: pixelHashOf({ width, height }, luminance, small.pixels),
      quality,
      flags: [...flagsOf(quality, width, height), ...shownAs(source)],
      ...cameraFactsOf(found.exif),
    };
  });
}

/** How a file that is no plain 8-bit picture is shown. */
function shownAs({ range, hasMoreBands, hasGaps }: Decodable): QualityFlag[] {
  return [
    ...(range ? (['rescaled'] as const) : []),
    ...(hasMoreBands ? (['bands'] as const) : []),
    ...(hasGaps ? (['gaps'] as const) : []),
  ];
}

interface HeaderFacts {
  /** Of the upright image, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly frames: number;
  readonly exif: Uint8Array | undefined;
}

async function factsOf(image: Sharp, { bytes, exif, frames }: Decodable): Promise<HeaderFacts> {
  const header = jpegHeaderOf(bytes);
  if (header !== undefined && !header.hasExif) {
    return { width: header.width, height: header.height, orientation: 1, frames: 1, exif: undefined };
  }
  const found = await image.metadata();
  const { width, height } = found.autoOrient;
  return {
    width,
    height,
    orientation: found.orientation ?? 1,
    frames: frames ?? found.pages ?? 1,
    exif: exif ?? found.exif,
  };
}
