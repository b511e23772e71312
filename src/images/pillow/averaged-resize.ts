/**
 * Resizing by Pillow's antialiased filters, but in floats with nothing rounded: torchvision's `resize` of a tensor with
 * `antialias`. DINOv3's own processor scales colours first, so its pixels are no bytes. Cost as that of `resample.ts`;
 * resident: 12 bytes a pixel of the image at its new width, or at its new height where that is less.
 */
import type { Resample } from '../../core/pillow.ts';
import type { Pixels } from '../decode.ts';
import { exactTaps, FILTERS } from './resample.ts';

export interface AveragedSize {
  readonly width: number;
  readonly height: number;
  readonly resample: Exclude<Resample, 'nearest'>;
}

/** @returns shape [height, width, 3], RGB, 0 to 255 */
export function resizeAveraged(image: Pixels, { width, height, resample }: AveragedSize): Float32Array {
  const filter = FILTERS[resample];
  const rows = alongRows(image, width, exactTaps(image.width, width, filter));
  const { first, count, weights, width: taps } = exactTaps(image.height, height, filter);
  const rowLength = width * 3;
  const out = new Float32Array(rowLength * height);
  for (let y = 0; y < height; y++) {
    const row = out.subarray(y * rowLength, (y + 1) * rowLength);
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * taps + k];
      const from = (first[y] + k) * rowLength;
      for (let x = 0; x < rowLength; x++) row[x] += rows[from + x] * weight;
    }
  }
  return out;
}

function alongRows(
  { pixels, width, height }: Pixels,
  newWidth: number,
  { first, count, weights, width: taps }: ReturnType<typeof exactTaps>,
): Float32Array {
  const out = new Float32Array(newWidth * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const from = (y * width + first[x]) * 3;
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let k = 0; k < count[x]; k++) sum += pixels[from + 3 * k + c] * weights[x * taps + k];
        out[to++] = sum;
      }
    }
  }
  return out;
}
