/** Parts of a picture, brought upright and to a size. */
import type { Point } from './components.ts';
import type { Quadrilateral } from './rectangle.ts';

/** Shape [height, width, 3], RGB, 0 to 255. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The picture's own corners. */
export function wholeOf({ width, height }: Picture): Quadrilateral {
  return [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ];
}

/**
 * What is in a parallelogram as a rectangle of `width` × `height`: shape [height, width, 3], RGB, 0 to 255. Bilinear; where it gets
 * smaller, the mean of as many points a pixel as it covers. Beyond the picture its edge goes on.
 *
 * @param corners what becomes the top left, the top right, the bottom right, the bottom left, in pixels of the picture, whose first
 * one reaches from 0 to 1
 */
export function upright(
  picture: Picture,
  corners: Quadrilateral,
  { width, height }: { readonly width: number; readonly height: number },
): Float32Array {
  const [[x0, y0], right, , down] = corners;
  const step = ([x, y]: Point, count: number): Point => [(x - x0) / count, (y - y0) / count];
  const [ax, ay] = step(right, width);
  const [bx, by] = step(down, height);
  const across = Math.max(1, Math.round(Math.hypot(ax, ay)));
  const along = Math.max(1, Math.round(Math.hypot(bx, by)));
  const out = new Float32Array(width * height * 3);
  const share = 1 / (across * along);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (row * width + column) * 3;
      for (let i = 0; i < along; i++) {
        const v = row + (i + 0.5) / along;
        for (let j = 0; j < across; j++) {
          const u = column + (j + 0.5) / across;
          addPoint(picture, x0 + u * ax + v * bx - 0.5, y0 + u * ay + v * by - 0.5, share, out, at);
        }
      }
    }
  }
  return out;
}

/** Adds a share of what the picture has at a point; x and y are in middles of pixels. */
function addPoint(
  { pixels, width, height }: Picture,
  x: number,
  y: number,
  share: number,
  out: Float32Array,
  at: number,
): void {
  const cx = Math.min(width - 1, Math.max(0, x));
  const cy = Math.min(height - 1, Math.max(0, y));
  const left = Math.floor(cx);
  const top = Math.floor(cy);
  const fx = cx - left;
  const fy = cy - top;
  const a = (top * width + left) * 3;
  const b = left + 1 < width ? a + 3 : a;
  const below = top + 1 < height ? width * 3 : 0;
  for (let channel = 0; channel < 3; channel++) {
    const upper = pixels[a + channel] * (1 - fx) + pixels[b + channel] * fx;
    const lower = pixels[a + below + channel] * (1 - fx) + pixels[b + below + channel] * fx;
    out[at + channel] = out[at + channel] + share * (upper * (1 - fy) + lower * fy);
  }
}
