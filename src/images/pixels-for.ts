/** A whole image as a model takes it, whatever the model does with it. */
import type { PillowProcessing } from '../core/pillow.ts';
import { decodeCovered, decodeLetterboxed, type Kernel, type Pixels, type Rgb } from './decode.ts';
import { decodeAsPillow } from './pillow/decode.ts';

export interface PixelsInput {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** `letterbox`: the whole image, at the top left; `cover`: its middle. */
  readonly fit: 'letterbox' | 'cover';
  readonly pad: Rgb;
  readonly kernel: Kernel;
  /** As a processor of the hub does it, in the place of all the rest. */
  readonly pillow?: PillowProcessing;
}

/**
 * Shape [height, width, 3], RGB.
 *
 * @param into where the pixels go; default a new array.
 */
export async function pixelsFor(bytes: Uint8Array, input: PixelsInput, into?: Uint8Array): Promise<Uint8Array> {
  const { width, height, fit, pad, kernel, pillow } = input;
  if (pillow) return (await decodeAsPillow(bytes, { width, height, pad, pillow, into })).pixels;
  const decode = (): Promise<Pick<Pixels, 'pixels'>> => {
    switch (fit) {
      case 'cover':
        return decodeCovered(bytes, width, { kernel, into });
      case 'letterbox':
        return decodeLetterboxed(bytes, { width, height, pad, kernel, into });
      default:
        return fit satisfies never;
    }
  };
  return (await decode()).pixels;
}
