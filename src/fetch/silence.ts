/** A server that takes a question and says nothing would keep a command for ever: it is given up after a while. */

/** How long a server may say nothing, in ms: a proxy that looks through a file before it hands it on is given time. */
export const MAX_SILENCE_MS = 30_000;

export interface Silence {
  /** Aborted when there was silence for too long, or when the outer signal is. */
  readonly signal: AbortSignal;
  /** Whether it was silence that ended it. */
  isBroken(): boolean;
  /** Something came: the time begins anew. */
  heard(): void;
  /** The answer of the server, or a failure where it does not come in time: for those that look at no signal. */
  unlessSilent<T>(answer: Promise<T>): Promise<T>;
  /** No more is waited for. */
  stop(): void;
  /** The same, and what is still to come is not taken: the connection ends. */
  hangUp(): void;
}

export function watchSilence(limitMs: number, outer?: AbortSignal): Silence {
  const broken = new AbortController();
  const signal = outer === undefined ? broken.signal : AbortSignal.any([broken.signal, outer]);
  const seconds = Math.round(limitMs / 1000);
  let isBroken = false;
  const give = () => {
    isBroken = true;
    broken.abort(new Error(`the server has said nothing for ${seconds} seconds`));
  };
  const timer = setTimeout(give, limitMs);
  return {
    signal,
    isBroken: () => isBroken,
    heard: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
    hangUp: () => {
      clearTimeout(timer);
      broken.abort(new Error('no more is wanted'));
    },
    async unlessSilent(answer) {
      let onAbort = () => {};
      const silent = new Promise<never>((_, reject) => {
        onAbort = () => reject(signal.reason);
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      });
      try {
        return await Promise.race([answer, silent]);
      } finally {
        signal.removeEventListener('abort', onAbort);
        answer.catch(() => undefined);
      }
    },
  };
}
