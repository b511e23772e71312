/** A server that is begun again, or a link that was cut, costs a while and nothing else. */
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../core/retry.ts';
import { isLostConnection } from './errors.ts';

/** How long a server is asked again that does not answer any more, milliseconds. */
export const PATIENCE_MS = 60_000;

/** Does it again while the server does not answer. @param work may be done twice */
export function whileLost<T>(work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  return retry(work, {
    baseMs: 100,
    maxMs: 2000,
    patienceMs,
    isTransient: isLostConnection,
    sleep: (ms) => sleep(ms),
    now: () => performance.now(),
    random: Math.random,
  });
}
