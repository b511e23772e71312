/** When a schedule's next time is. Pure: the clock is given. */

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

export interface Times {
  /** In ms. */
  readonly every?: number;
  /** Minutes after midnight, by this machine's clock. */
  readonly at?: number;
  readonly on?: readonly (typeof DAYS)[number][];
}

/**
 * How long it is until the next time, in ms; 0 for now.
 *
 * @param lastBeganAtMs when it last began, by the wall clock; undefined where it never did
 */
export function untilNext({ every, at, on }: Times, lastBeganAtMs: number | undefined, nowMs: number): number {
  if (at === undefined) {
    if (lastBeganAtMs === undefined || every === undefined) return 0;
    // A clock that was set back makes no schedule wait longer than its own time.
    return Math.min(every, Math.max(0, lastBeganAtMs + every - nowMs));
  }
  for (let day = 0; day <= 7; day++) {
    const time = new Date(nowMs);
    // An hour that a change of the clock leaves out becomes the one after it.
    time.setHours(Math.floor(at / 60), at % 60, 0, 0);
    time.setDate(time.getDate() + day);
    const isDay = on === undefined || on.includes(DAYS[time.getDay()]!);
    if (isDay && time.getTime() > nowMs) return time.getTime() - nowMs;
  }
  return 24 * 3_600_000;
}

/** `every 5m`, `at 02:00 on mon, tue`. */
export function timesText({ every, at, on }: Times): string {
  if (at === undefined) return `every ${spanText(every ?? 0)}`;
  const time = `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
  return `at ${time}${on === undefined ? '' : ` on ${on.join(', ')}`}`;
}

function spanText(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms / 1000}s`;
}
