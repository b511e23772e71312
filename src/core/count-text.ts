/** Counts as people read them. */
import { formatBytes } from './byte-size.ts';

/** `1,204`. */
export function formatCount(value: number): string {
  // Not by `toLocaleString`, whose first call takes longer than many a command.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 image`, `1,204 images`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `similarPairs` counted: `1 similar pair`, `1,204 similar pairs`; what counts bytes, as `4.0 kB sent`. */
export function countedName(name: string, count: number): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (/\bbytes?\b/.test(words)) {
    const rest = words.replace(/\s*\bbytes?\b\s*/, ' ').trim();
    return rest === '' || rest === 'size' ? formatBytes(count) : `${formatBytes(count)} ${rest}`;
  }
  return `${formatCount(count)} ${count === 1 ? singular(words) : words}`;
}

function singular(words: string): string {
  return words.replace(/(?<=[^aeiou])ies$/, 'y').replace(/(?<=x|ch|sh|ss)es$|(?<=[^s])s$/, '');
}
