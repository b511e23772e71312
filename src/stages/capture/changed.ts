/** Whether a picture differs from the last one that was kept, by its perceptual hash. */
import { decodeWithin } from '../../images/decode.ts';
import { perceptualHashOf } from '../../images/hash.ts';
import { INSPECT_SIDE, luminanceOf } from '../../images/quality.ts';

export class ChangeDetector {
  readonly #bits: number;
  #last: bigint | undefined;

  /** @param bits of 64 that have to differ by more than this */
  constructor(bits: number) {
    this.#bits = bits;
  }

  /** Fails for a picture that cannot be decoded. What differs is compared with from now on. */
  async isChanged(bytes: Uint8Array): Promise<boolean> {
    const pixels = await decodeWithin(bytes, INSPECT_SIDE);
    const hash = BigInt(`0x${perceptualHashOf(luminanceOf(pixels))}`);
    if (this.#last !== undefined && bitsIn(this.#last ^ hash) <= this.#bits) return false;
    this.#last = hash;
    return true;
  }
}

function bitsIn(value: bigint): number {
  let count = 0;
  for (let left = value; left > 0n; left &= left - 1n) count++;
  return count;
}
