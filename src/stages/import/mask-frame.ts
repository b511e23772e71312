/** Masks of one frame in another: resized by the nearest pixel, turned by quarters. Resident: a byte a pixel of the part that is set. */
import type { MaskRle } from '../../core/dataset.ts';
import { type Bitmap, bitmapOf, maskOfBitmap } from '../../formats/contours.ts';
import type { Turn } from './orientation.ts';

export function resizedMask(mask: MaskRle, width: number, height: number): MaskRle {
  const [fromHeight, fromWidth] = mask.size;
  if (fromWidth === width && fromHeight === height) return mask;
  const part = bitmapOf(mask);
  if (part === null) return { size: [height, width], counts: [width * height] };
  const [scaleX, scaleY] = [width / fromWidth, height / fromHeight];
  // The pixels of the new mask whose centres lie in the part, at least one each way.
  const [left, right] = span(part.left, part.width, scaleX, width);
  const [top, bottom] = span(part.top, part.height, scaleY, height);
  const resized: Bitmap = {
    left,
    top,
    width: right - left,
    height: bottom - top,
    pixels: new Uint8Array((right - left) * (bottom - top)),
  };
  const from = (at: number, scale: number, start: number, length: number) =>
    Math.min(Math.max(Math.floor((at + 0.5) / scale) - start, 0), length - 1);
  for (let y = top; y < bottom; y++) {
    const row = from(y, scaleY, part.top, part.height) * part.width;
    for (let x = left; x < right; x++)
      resized.pixels[(y - top) * resized.width + x - left] = part.pixels[row + from(x, scaleX, part.left, part.width)];
  }
  return maskOfBitmap(resized, width, height);
}

function span(start: number, length: number, scale: number, size: number): [number, number] {
  const first = Math.min(Math.max(Math.round(start * scale), 0), size - 1);
  return [first, Math.min(Math.max(Math.round((start + length) * scale), first + 1), size)];
}

export function turnedMask(mask: MaskRle, turn: Turn): MaskRle {
  const [height, width] = mask.size;
  const part = bitmapOf(mask);
  if (part === null) return { size: [width, height], counts: [width * height] };
  const corner = turn.point(part.left, part.top, width, height);
  const opposite = turn.point(part.left + part.width, part.top + part.height, width, height);
  const [left, top] = [Math.min(corner[0], opposite[0]), Math.min(corner[1], opposite[1])];
  const turned: Bitmap = {
    left,
    top,
    width: part.height,
    height: part.width,
    pixels: new Uint8Array(part.pixels.length),
  };
  for (let y = 0; y < part.height; y++)
    for (let x = 0; x < part.width; x++) {
      if (part.pixels[y * part.width + x] === 0) continue;
      const [tx, ty] = turn.point(part.left + x + 0.5, part.top + y + 0.5, width, height);
      turned.pixels[Math.floor(ty - top) * turned.width + Math.floor(tx - left)] = 1;
    }
  return maskOfBitmap(turned, height, width);
}
