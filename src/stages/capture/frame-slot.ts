/** A place for one frame between a camera, which never waits, and a disk, which may be slow: the older one makes way. */
export class FrameSlot<T> {
  dropped = 0;
  #held: T | undefined;
  #isClosed = false;
  #wake: () => void = () => {};

  offer(frame: T): void {
    if (this.#held !== undefined) this.dropped++;
    this.#held = frame;
    this.#wake();
  }

  /** What is there may still be taken. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** The next frame; undefined when no more comes. One caller at a time. */
  async take(): Promise<T | undefined> {
    while (this.#held === undefined && !this.#isClosed) {
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      await woken.promise;
    }
    const frame = this.#held;
    this.#held = undefined;
    return frame;
  }
}
