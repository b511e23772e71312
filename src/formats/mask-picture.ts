/** A picture of one object, as tools that draw masks write it into their JSON: what of it is not black, or not transparent. */
import sharp from 'sharp';
import type { MaskRle } from '../core/dataset.ts';
import { messageOf } from '../errors.ts';
import { badFile } from './check.ts';
import { maskBox, maskOfBitmap } from './contours.ts';
import { MAX_MASK_PIXELS } from './mend.ts';

export interface PicturePlace {
  /** Of the picture's first pixel in the image. */
  readonly left: number;
  readonly top: number;
  /** Of the image. */
  readonly width: number;
  readonly height: number;
}

/** @throws `BAD_FILE` for what is no picture, or reaches out of the image, or is empty */
export async function maskOfPicture(
  bytes: Buffer,
  { left, top, width, height }: PicturePlace,
  where: string,
): Promise<MaskRle> {
  if (width * height > MAX_MASK_PIXELS) throw badFile(where, `${width}×${height} pixels are more than any image has`);
  // Sharp throws at once for it, and not when it decodes.
  if (bytes.length === 0) throw badFile(`${where}.mask`, 'the picture is empty');
  const decoded = await sharp(bytes, { limitInputPixels: MAX_MASK_PIXELS })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw badFile(`${where}.mask`, `not a picture: ${messageOf(error)}`, undefined, error);
    });
  const { info, data } = decoded;
  if (left < 0 || top < 0 || left + info.width > width || top + info.height > height)
    throw badFile(where, `the mask of ${info.width}×${info.height} pixels at ${left}, ${top} is not inside the image`);
  const { channels } = info;
  const hasAlpha = channels === 2 || channels === 4;
  const pixels = new Uint8Array(info.width * info.height);
  for (let i = 0; i < pixels.length; i++) {
    const at = i * channels;
    pixels[i] = data[at] > 0 && (!hasAlpha || data[at + channels - 1] > 0) ? 1 : 0;
  }
  const mask = maskOfBitmap({ left, top, width: info.width, height: info.height, pixels }, width, height);
  if (maskBox(mask) === null) throw badFile(`${where}.mask`, 'nothing of it is set');
  return mask;
}
