/**
 * What options and arguments take: schemas from text to a checked value.
 *
 * The message of an issue completes `--limit takes …`, so it says what is expected and nothing else; `values.ts` adds
 * the option and the text.
 */
import { z } from 'zod';
import { readName } from '../core/class-name.ts';

/** @param read gives the value, or undefined for a text that is not what is expected */
function text<T>(expected: string, read: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((given, context) => {
    const value = read(given);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: expected, input: given });
    return z.NEVER;
  });
}

export function wholeNumber(least: number): z.ZodType<number, string> {
  return text(`a whole number of at least ${least}`, (given) => {
    const value = Number(given);
    return given.trim() !== '' && Number.isSafeInteger(value) && value >= least ? value : undefined;
  });
}

/** A number from 0 to 1. */
export function fraction(): z.ZodType<number, string> {
  return text('a number from 0 to 1', fractionIn);
}

function fractionIn(given: string): number | undefined {
  const value = Number(given);
  return given.trim() !== '' && value >= 0 && value <= 1 ? value : undefined;
}

/** As tasks are kept and looked for: blanks around it and the Unicode form do not make another one. */
export function taskName(): z.ZodType<string, string> {
  return text('the name of a task', (given) => {
    const reading = readName(given);
    return reading.kind === 'name' ? reading.name : undefined;
  });
}

/** `a,b, c`: names with the spaces around them gone, none empty. */
export function nameList(): z.ZodType<string[], string> {
  return text('names with commas between them', (given) => {
    const names = given.split(',').map((name) => name.trim());
    return names.includes('') ? undefined : names;
  });
}

/** The same of names that are known. */
export function listOf<const T extends string>(known: readonly T[]): z.ZodType<T[], string> {
  return text(known.join(', '), (given) => {
    const found = given.split(',').map((name) => known.find((one) => one === name.trim()));
    const all = found.filter((name) => name !== undefined);
    return all.length === found.length ? all : undefined;
  });
}

export interface Thresholds {
  /** For every class that has none of its own. */
  readonly default?: number;
  readonly classes: Readonly<Record<string, number>>;
}

/** `0.4`, `person=0.5,dog=0.2` or `0.4,person=0.5`. */
export function thresholds(): z.ZodType<Thresholds, string> {
  return text('a number from 0 to 1, or CLASS=NUMBER pairs with commas between them', (given) => {
    let general: number | undefined;
    const classes: Record<string, number> = {};
    for (const part of given.split(',')) {
      const [, name, digits = ''] = /^\s*(?:(.+?)\s*=)?\s*([\d.]+)\s*$/.exec(part) ?? [];
      const value = fractionIn(digits);
      if (value === undefined) return undefined;
      if (name === undefined) general = value;
      else classes[name] = value;
    }
    return { default: general, classes };
  });
}

/** `416x416`. */
export function size(): z.ZodType<{ width: number; height: number }, string> {
  return text('WIDTHxHEIGHT in pixels', (given) => {
    const [, width, height] = /^([1-9]\d*)[x×]([1-9]\d*)$/.exec(given) ?? [];
    return width === undefined ? undefined : { width: Number(width), height: Number(height) };
  });
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `20m`, `1.5h` as milliseconds. */
export function duration(): z.ZodType<number, string> {
  return text('a time such as 90s, 20m or 1.5h', durationIn);
}

function durationIn(given: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$/.exec(given) ?? [];
  const value = Number(digits) * (UNITS_MS[unit] ?? Number.NaN);
  return value > 0 ? value : undefined;
}

/** `20GB`, `7d`, or both with a comma: how much of a folder is kept, and how long. */
export function keepLimits(): z.ZodType<{ maxBytes?: number; maxAgeMs?: number }, string> {
  return text('a size such as 20GB, an age such as 7d, or both with a comma', (given) => {
    const limits: { maxBytes?: number; maxAgeMs?: number } = {};
    for (const part of given.split(',')) {
      const [bytes, ageMs] = [byteSizeIn(part), durationIn(part)];
      if (bytes !== undefined && limits.maxBytes === undefined) limits.maxBytes = bytes;
      else if (ageMs !== undefined && limits.maxAgeMs === undefined) limits.maxAgeMs = ageMs;
      else return undefined;
    }
    return limits;
  });
}

/** An option whose value may be left out: `true` then. */
export function fractionOrTrue(): z.ZodType<number | true, string | true> {
  return z.union([z.literal(true), fraction()], { error: 'a number from 0 to 1' });
}

export function wholeNumberOrTrue(): z.ZodType<number | true, string | true> {
  return z.union([z.literal(true), wholeNumber(0)], { error: 'a whole number of at least 0' });
}

const UNITS_BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `500kB`, `20GB`; powers of 1000, as sizes are printed. */
function byteSizeIn(given: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([kKMGT]?B)\s*$/.exec(given) ?? [];
  const bytes = Number(digits) * (UNITS_BYTES[unit] ?? Number.NaN);
  return bytes > 0 ? Math.round(bytes) : undefined;
}

/** `5MB/s` or `5MB` as bytes a second. */
export function byteRate(): z.ZodType<number, string> {
  return text('a rate such as 500kB/s or 5MB/s', (given) => byteSizeIn(given.replace(/\/s\s*$/, '')));
}

/** `auto`, or a number of clusters. */
export function clusterCount(): z.ZodType<number | 'auto', string> {
  return z.union([z.literal('auto'), wholeNumber(1)], { error: 'auto, or a whole number of at least 1' });
}
