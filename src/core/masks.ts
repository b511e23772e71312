/** Masks as COCO's run lengths: column by column from the left, each from the top; the first run counts zeros. */

/** Collects runs of pixels in column-major order. */
export class RunLengths {
  readonly #counts: number[] = [];
  #value: 0 | 1 = 0;
  #run = 0;

  /** The next `length` pixels, 0 or more, are all `value`. */
  add(value: 0 | 1, length: number): void {
    if (length === 0) return;
    if (value === this.#value) {
      this.#run += length;
      return;
    }
    this.#counts.push(this.#run);
    this.#value = value;
    this.#run = length;
  }

  /** The counts of all pixels so far. */
  counts(): number[] {
    return [...this.#counts, this.#run];
  }
}
