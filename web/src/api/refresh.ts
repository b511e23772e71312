/**
 * Reads again what changed. Counts of classes go over all labels, and the database would keep the next label waiting for them:
 * so all is read again when nothing was written for a while, or has waited for long.
 */
import type { QueryClient } from '@tanstack/react-query';

const QUIET_MS = 1200;
const MAX_MS = 15_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let waitingSince = 0;

export function refreshSoon(queries: QueryClient): void {
  const now = performance.now();
  if (timer === undefined) waitingSince = now;
  else clearTimeout(timer);
  const waitMs = Math.min(QUIET_MS, Math.max(0, waitingSince + MAX_MS - now));
  timer = setTimeout(() => refreshNow(queries), waitMs);
}

export function refreshNow(queries: QueryClient): void {
  clearTimeout(timer);
  timer = undefined;
  void queries.invalidateQueries({ queryKey: ['record'] });
}
