/**
 * One after the other over all tabs. A browser holds six connections to a server for all of its tabs together: what takes long
 * would keep what a person waits for from being asked at all.
 *
 * Where a page is let in over plain HTTP from another machine, browsers have no locks, and each tab takes turns by itself.
 */

/** There are none outside secure contexts, whatever the types say. */
export const locks: LockManager | undefined = navigator.locks;

let last: Promise<unknown> = Promise.resolve();

/** @param signal leaves the queue */
export function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (locks) return locks.request('labelsmith-turn', { signal }, work);
  const next = last.then(() => {
    signal.throwIfAborted();
    return work();
  });
  last = next.catch(() => undefined);
  return next;
}
