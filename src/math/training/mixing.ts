/**
 * Mixes two items of a batch into one, with as much of either's target: all of both, thinned (Zhang et al., "mixup", ICLR
 * 2018), or a rectangle of one in the other (Yun et al., "CutMix", ICCV 2019). Arrays are mixed in place.
 */
import type { Random } from '../../core/random.ts';

/** Of the Beta distribution that shares are drawn from: mixup's α of .2, CutMix's of 1. */
const MIXUP_ALPHA = 0.2;

/** The share of the first item, drawn for mixup: mostly near 0 or 1. Jöhnk's method; three draws in four are taken. */
export function mixupShare(random: Random): number {
  for (;;) {
    const [x, y] = [random() ** (1 / MIXUP_ALPHA), random() ** (1 / MIXUP_ALPHA)];
    if (x + y <= 1 && x + y > 0) return x / (x + y);
  }
}

/** share · into + (1 − share) · other, in place. */
export function mixInto(into: Float32Array | Uint8Array, other: ArrayLike<number>, share: number): void {
  const half = into instanceof Uint8Array ? 0.5 : 0;
  for (let i = 0; i < into.length; i++) into[i] = share * into[i] + (1 - share) * (other[i] ?? 0) + half;
}

/**
 * Puts a rectangle of another picture into one, in place.
 * @param into shape [height, width, channels] @returns the share of the first that is left
 */
export function cutInto(
  into: Float32Array | Uint8Array,
  other: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
  random: Random,
): number {
  const side = Math.sqrt(1 - random());
  const [h, w] = [Math.round(side * height), Math.round(side * width)];
  const top = Math.floor(random() * (height - h + 1));
  const left = Math.floor(random() * (width - w + 1));
  for (let y = top; y < top + h; y++) {
    for (let i = (y * width + left) * channels; i < (y * width + left + w) * channels; i++) into[i] = other[i] ?? 0;
  }
  return 1 - (h * w) / (height * width);
}
