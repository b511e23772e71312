/** Stores that say nothing: SDKs that wait for as long as the connection is open are not waited for with them. */
import type { Readable } from 'node:stream';
import { interruptedPut } from '../sink.ts';

/** Slowest line that a request of some size is still waited for. */
const MIN_BYTES_PER_SECOND = 20_000;

/** How long a request of so many bytes may take, in ms. @param silenceMs how long one of no bytes may */
export function patienceFor(byteSize: number, silenceMs: number): number {
  return silenceMs + (byteSize * 1000) / MIN_BYTES_PER_SECOND;
}

export interface WithinOptions {
  /** Undefined where whoever sends it watches by itself. */
  readonly ms?: number;
  /** Ends it as an interruption. */
  readonly signal?: AbortSignal;
}

/** A request that has to end in time; `work` is told to stop by a signal, and not waited for where it does not listen. */
export async function within<T>({ ms, signal }: WithinOptions, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  if (signal?.aborted) throw interruptedPut();
  const stop = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (error: Error) => {
    reject(error);
    stop.abort();
  };
  const interrupted = () => end(interruptedPut());
  const timer = ms === undefined ? undefined : setTimeout(() => end(timedOut()), ms);
  signal?.addEventListener('abort', interrupted, { once: true });
  try {
    return await Promise.race([work(stop.signal), ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupted);
  }
}

/** The pieces of a body, which fails when none comes for so long. Time that whoever takes them needs does not count. */
export async function* pieces(body: Readable, silenceMs: number): AsyncGenerator<Buffer> {
  const watch = () => setTimeout(() => body.destroy(timedOut()), silenceMs);
  let timer = watch();
  try {
    for await (const piece of body) {
      clearTimeout(timer);
      yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
      timer = watch();
    }
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(): Error {
  return Object.assign(new Error('the store was silent for too long'), { code: 'ETIMEDOUT' });
}
