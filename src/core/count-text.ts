/** Counts as people read them. */

/** `1,204`. */
export function formatCount(value: number): string {
  // Not by `toLocaleString`, whose first call takes longer than many a command.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 image`, `1,204 images`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
