/** Times, sizes and rates as people write them: `90s`, `20GB`, `5MB/s`. Undefined for what is none. */

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const UNITS_BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `90s`, `20m`, `1.5h`, `7d` in ms. */
export function durationIn(text: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$/.exec(text) ?? [];
  const value = Number(digits) * (UNITS_MS[unit] ?? Number.NaN);
  return value > 0 ? value : undefined;
}

/** `500kB`, `20GB`; powers of 1000, as sizes are printed. */
export function byteSizeIn(text: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([kKMGT]?B)\s*$/.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS_BYTES[unit] ?? Number.NaN);
  return bytes > 0 ? Math.round(bytes) : undefined;
}

/** `5MB/s` or `5MB` as bytes a second. */
export function byteRateIn(text: string): number | undefined {
  return byteSizeIn(text.replace(/\/s\s*$/, ''));
}

export interface SizeAndAge {
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
}

/** `20GB`, `7d`, or both with a comma: how much is kept, and how long. */
export function sizeAndAgeIn(text: string): SizeAndAge | undefined {
  const limits: { maxBytes?: number; maxAgeMs?: number } = {};
  for (const part of text.split(',')) {
    const [bytes, ageMs] = [byteSizeIn(part), durationIn(part)];
    if (bytes !== undefined && limits.maxBytes === undefined) limits.maxBytes = bytes;
    else if (ageMs !== undefined && limits.maxAgeMs === undefined) limits.maxAgeMs = ageMs;
    else return undefined;
  }
  return limits;
}
