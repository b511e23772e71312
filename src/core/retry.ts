/**
 * Trying again: waits that grow and are random, so that many who were turned away at once do not come back at once
 * ("full jitter": Brooker, "Exponential Backoff and Jitter", 2015).
 */

export interface Backoff {
  /** Longest wait before the first retry, in ms; doubled for each one after it. */
  readonly baseMs: number;
  /** No wait is longer, in ms. */
  readonly maxMs: number;
}

/** The wait before the next attempt, in ms. @param failures in a row so far, 1 or more; @param random from 0 to 1 */
export function backoffMs({ baseMs, maxMs }: Backoff, failures: number, random: number): number {
  return random * Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
}

export interface RetryOptions extends Backoff {
  /** Gives up when an attempt fails and so much time has passed since the first one began, in ms. */
  readonly patienceMs: number;
  readonly isTransient: (error: unknown) => boolean;
  /** Told of each failure that is tried again. */
  readonly onRetry?: (error: unknown, waitMs: number) => void;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly now: () => number;
  readonly random: () => number;
}

/** Does `work` until it succeeds, fails for good, or patience ends; the last error is thrown then. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const startedAt = options.now();
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!options.isTransient(error) || options.now() - startedAt >= options.patienceMs) throw error;
      const waitMs = backoffMs(options, failures, options.random());
      options.onRetry?.(error, waitMs);
      await options.sleep(waitMs);
    }
  }
}
