/** A limit of bytes a second over all that takes from it: whoever takes waits until its turn has been paid for. */

export interface Bandwidth {
  /** Waits until so many bytes may go. */
  take(bytes: number): Promise<void>;
}

export interface BandwidthClock {
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

export function bandwidth(bytesPerSecond: number, clock: BandwidthClock): Bandwidth {
  /** When what was taken so far is paid for, in ms. Time in which nobody took is not saved up. */
  let paidUntilMs = clock.now();
  return {
    async take(bytes) {
      paidUntilMs = Math.max(paidUntilMs, clock.now()) + (bytes * 1000) / bytesPerSecond;
      await clock.sleep(Math.max(0, paidUntilMs - clock.now()));
    },
  };
}
