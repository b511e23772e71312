/** From an image file to a network's input as Pillow makes it: every pixel decoded, none taken from a shrunken decode. */
import type { inputBytes, PillowProcessing } from '../../core/pillow.ts';
import { release } from '../../core/release.ts';
import {
  type DecodeOptions,
  decodeLetterboxed,
  decodeUpright,
  type Letterboxed,
  type LetterboxOptions,
} from '../decode.ts';
import { type PillowInput, processAsPillow } from './process.ts';

export interface PillowDecodeOptions extends DecodeOptions, PillowInput {
  /** Where the pixels go, {@link inputBytes} of them at most. Default: a new array. */
  readonly into?: Uint8Array;
}

/** Resident: the whole image, 3 bytes a pixel. Profiles are not applied: the networks saw pixels as they are stored. */
export async function decodeAsPillow(bytes: Uint8Array, options: PillowDecodeOptions): Promise<Letterboxed> {
  const { into } = options;
  const image = await decodeUpright(bytes, { applyProfile: false, maxPixels: options.maxPixels });
  const { pixels, scale, ...made } = processAsPillow(image, options);
  const { width, height } = image;
  if (into) into.set(pixels);
  if (pixels !== image.pixels) release(image.pixels);
  return {
    pixels: into?.subarray(0, pixels.length) ?? pixels,
    width,
    height,
    scaleX: scale?.x ?? 1,
    scaleY: scale?.y ?? 1,
    ...(options.pillow.size.kind === 'open' ? { made } : {}),
  };
}

/** The whole image in a model's input: as its processor says, where it has one of the hub's, else letterboxed. */
export function decodeForModel(
  bytes: Uint8Array,
  options: LetterboxOptions & { readonly pillow?: PillowProcessing },
): Promise<Letterboxed> {
  const { pillow, pad = [0, 0, 0] } = options;
  return pillow ? decodeAsPillow(bytes, { ...options, pad, pillow }) : decodeLetterboxed(bytes, options);
}
