/**
 * Bounds what whole decoded images take at once. A stage has several images in flight, which is fine for photographs of
 * 2 MB of pixels and not for those of 800 MB: here the small go side by side and the huge one by one.
 */

/** 384 MiB: five photographs of 24 million pixels at once. */
export const DEFAULT_PIXEL_BUDGET_BYTES = 384 * 1024 * 1024;

export class PixelBudget {
  readonly #most: number;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];
  #used = 0;

  /** `mostBytes` is exceeded only by a single piece of work that needs more than all of it, which then runs alone. */
  constructor(mostBytes: number = DEFAULT_PIXEL_BUDGET_BYTES) {
    this.#most = mostBytes;
  }

  /** Runs `work`, which holds `bytes` while it runs, when there is room for it. First come, first served. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#most);
    if (this.#waiting.length > 0 || this.#used + share > this.#most) {
      await new Promise<void>((start) => this.#waiting.push({ bytes: share, start }));
    } else {
      this.#used += share;
    }
    try {
      return await work();
    } finally {
      this.#used -= share;
      this.#next();
    }
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || this.#used + first.bytes > this.#most) return;
      this.#waiting.shift();
      this.#used += first.bytes;
      first.start();
    }
  }
}
