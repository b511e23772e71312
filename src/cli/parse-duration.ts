/** `90s`, `20m`, `1.5h` as milliseconds. */
import { LabelsmithError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

export function durationMs(option: string): (text: string) => number {
  return (text) => {
    const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([smh])\s*$/.exec(text) ?? [];
    const value = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
    if (value > 0) return value;
    throw new LabelsmithError('USAGE', `${option} takes a time such as 90s, 20m or 1.5h, not ${JSON.stringify(text)}.`);
  };
}
