/** Whether something answers, over time, so that what is said of it can say since when it does not. */
export class Outage {
  readonly #clock: () => number;
  #sinceMs: number | undefined;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** It did not answer. @returns how long it has not, milliseconds */
  missed(): number {
    const nowMs = this.#clock();
    this.#sinceMs ??= nowMs;
    return nowMs - this.#sinceMs;
  }

  /** It answered. @returns how long it had not, milliseconds; undefined where it did the last time too */
  answered(): number | undefined {
    const sinceMs = this.#sinceMs;
    this.#sinceMs = undefined;
    return sinceMs === undefined ? undefined : this.#clock() - sinceMs;
  }
}
