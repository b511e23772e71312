/** Notices that nothing was heard for too long. */
export class Silence {
  readonly #timer: NodeJS.Timeout;
  #heardAtMs = performance.now();

  /** @param onSilence called once */
  constructor(silenceMs: number, onSilence: () => void) {
    this.#timer = setInterval(
      () => {
        if (performance.now() - this.#heardAtMs < silenceMs) return;
        this.stop();
        onSilence();
      },
      Math.max(10, silenceMs / 10),
    );
  }

  heard(): void {
    this.#heardAtMs = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
