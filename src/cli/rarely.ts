/** What lasts is told at its beginning, and then at intervals that double: a log of days holds some lines of it. */
export class Rarely {
  readonly #firstMs: number;
  #nextMs = 0;

  /** @param firstMs after which it is told for the second time, milliseconds */
  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /** @param forMs how long it has lasted */
  isDue(forMs: number): boolean {
    if (forMs < this.#nextMs) return false;
    this.#nextMs = Math.max(this.#firstMs, 2 * forMs);
    return true;
  }

  /** What comes now is another one. */
  beginAnew(): void {
    this.#nextMs = 0;
  }
}
