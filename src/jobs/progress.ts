/** How far a stage is, how fast it goes and how long it will take. */
import type { Progress } from './stage.ts';

/** The rate is that of the last seconds, so that the time left follows a change of speed. */
const RATE_WINDOW_MS = 8000;
/** Below this the rate says more about start-up than about the work. */
const RATE_MIN_MS = 500;

export interface ProgressMeter {
  /** @param worked how many of them this run did itself, and did not find done. Default: all. */
  add(items: number, worked?: number): void;
  elapsedMs(): number;
  snapshot(shardsCommitted: number): Progress;
}

export function progressMeter(stage: string, total: number | undefined, clock: () => number): ProgressMeter {
  const startedAt = clock();
  /** Points of (time, worked), at most one a quarter second, oldest first, reaching back over the window. */
  const points: { at: number; worked: number }[] = [{ at: startedAt, worked: 0 }];
  let [done, worked] = [0, 0];
  return {
    add(items, own = items) {
      done += items;
      worked += own;
      const now = clock();
      const last = points.at(-1) as { at: number; worked: number };
      if (now - last.at < 250) return;
      points.push({ at: now, worked });
      while (points.length > 2 && now - (points[1] as { at: number }).at > RATE_WINDOW_MS) points.shift();
    },
    elapsedMs: () => clock() - startedAt,
    snapshot(shardsCommitted) {
      const now = clock();
      const first = points[0];
      const spanMs = now - first.at;
      const rate = spanMs >= RATE_MIN_MS ? ((worked - first.worked) * 1000) / spanMs : 0;
      const remainingMs = total !== undefined && rate > 0 ? (Math.max(0, total - done) * 1000) / rate : undefined;
      return { stage, done, total, worked, rate, elapsedMs: now - startedAt, remainingMs, shardsCommitted };
    },
  };
}
