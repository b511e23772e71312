/**
 * Resizing as OpenCV's `resize` with `INTER_LINEAR` does it to bytes, to the last bit: straight lines between the four pixels
 * nearest to each new one's middle, nothing averaged however much smaller the image gets, in its fixed point (weights of 11 bits,
 * `modules/imgproc/src/resize.cpp`). Makers of detectors read images with it. Cost: four products a new value.
 */
import type { Pixels } from '../decode.ts';
import { roundHalfToEven } from './rounding.ts';

/** OpenCV's `INTER_RESIZE_COEF_BITS`. */
const ONE = 2 ** 11;

export function resizeAsOpenCv(image: Pixels, width: number, height: number): Pixels {
  const across = placesOf(image.width, width);
  for (const [x, place] of across.entries()) {
    if (place.before < 0) across[x] = { before: 0, near: ONE, far: 0 };
    if (place.before >= image.width - 1) across[x] = { before: image.width - 1, near: ONE, far: 0 };
  }
  const rows = new RowsAcross(image, across);
  const last = image.height - 1;
  const pixels = new Uint8Array(width * height * 3);
  let to = 0;
  for (const { before, near, far } of placesOf(image.height, height)) {
    const above = rows.at(Math.min(Math.max(before, 0), last));
    const below = rows.at(Math.min(Math.max(before + 1, 0), last));
    for (let i = 0; i < above.length; i++) {
      pixels[to++] = (((near * (above[i] >> 4)) >> 16) + ((far * (below[i] >> 4)) >> 16) + 2) >> 2;
    }
  }
  return { pixels, width, height };
}

/** Of a new pixel: the old one before its middle, and what that and the next one count, of {@link ONE}. */
interface Place {
  readonly before: number;
  readonly near: number;
  readonly far: number;
}

/** Places in 32-bit floats, weights rounded to the nearest whole number, halves to the even one. */
function placesOf(size: number, newSize: number): Place[] {
  const scale = 1 / (newSize / size);
  return Array.from({ length: newSize }, (_, i) => {
    const at = Math.fround((i + 0.5) * scale - 0.5);
    const before = Math.floor(at);
    const share = Math.fround(at - before);
    return { before, near: roundHalfToEven(Math.fround(1 - share) * ONE), far: roundHalfToEven(share * ONE) };
  });
}

/** Rows at their new width, in fixed point; the last two are kept. */
class RowsAcross {
  readonly #image: Pixels;
  readonly #places: readonly Place[];
  readonly #kept: { row: number; values: Int32Array }[];

  constructor(image: Pixels, places: readonly Place[]) {
    this.#image = image;
    this.#places = places;
    this.#kept = [0, 1].map(() => ({ row: -1, values: new Int32Array(3 * places.length) }));
  }

  at(row: number): Int32Array {
    const known = this.#kept.find((one) => one.row === row);
    if (known) return known.values;
    // Rows are asked for from the top down: the upper one of the two is done with.
    const slot = this.#kept[0].row < this.#kept[1].row ? this.#kept[0] : this.#kept[1];
    slot.row = row;
    const { pixels, width } = this.#image;
    const { values } = slot;
    let to = 0;
    for (const { before, near, far } of this.#places) {
      const a = 3 * (row * width + before);
      const b = before + 1 < width ? a + 3 : a;
      for (let c = 0; c < 3; c++) values[to++] = pixels[a + c] * near + pixels[b + c] * far;
    }
    return values;
  }
}
