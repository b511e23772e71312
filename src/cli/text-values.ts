/**
 * What options and arguments take: schemas from text to a checked value.
 *
 * The message of an issue completes `--limit takes …`, so it says what is expected and nothing else; `values.ts` adds
 * the option and the text.
 */
import { z } from 'zod';
import { readName } from '../core/class-name.ts';
import { textValue as text } from '../core/text-value.ts';
import { byteRateIn, durationIn, type SizeAndAge, sizeAndAgeIn } from '../core/units.ts';
import type { Part } from '../jobs/parts/parts-engine.ts';
import { withoutFileScheme } from '../sources/targets.ts';

/** Where something goes: a path, or an address; that of a folder or file of this machine (`file:///PATH`) is its path. */
export function outPlace(): z.ZodType<string, string> {
  return text('a path, or an address; one of a place on this machine is file:///ABSOLUTE/PATH', (given) => {
    try {
      return withoutFileScheme(given);
    } catch {
      return undefined;
    }
  });
}

export function wholeNumber(least: number): z.ZodType<number, string> {
  return text(`a whole number of at least ${least}`, (given) => {
    const value = Number(given);
    return given.trim() !== '' && Number.isSafeInteger(value) && value >= least ? value : undefined;
  });
}

/** A port of TCP; 0 for any that is free. */
export function port(): z.ZodType<number, string> {
  return text('a port, 0 to 65535', (given) => {
    const value = Number(given);
    return given.trim() !== '' && Number.isSafeInteger(value) && value >= 0 && value <= 65_535 ? value : undefined;
  });
}

export function nonNegative(): z.ZodType<number, string> {
  return text('a number of at least 0', (given) => {
    const value = Number(given);
    return given.trim() !== '' && Number.isFinite(value) && value >= 0 ? value : undefined;
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

/** `centernet=4` or `centernet=4,nanodet=0`. */
export function modelLimits(): z.ZodType<Record<string, number>, string> {
  return text('NAME=NUMBER pairs with commas between them', (given) => {
    const limits: Record<string, number> = {};
    for (const part of given.split(',')) {
      const [, name, digits] = /^\s*([\w.-]+)\s*=\s*(\d+)\s*$/.exec(part) ?? [];
      if (name === undefined) return undefined;
      limits[name] = Number(digits);
    }
    return limits;
  });
}

/** `416x416`. */
export function size(): z.ZodType<{ width: number; height: number }, string> {
  return text('WIDTHxHEIGHT in pixels', (given) => {
    const [, width, height] = /^([1-9]\d*)[x×]([1-9]\d*)$/.exec(given) ?? [];
    return width === undefined ? undefined : { width: Number(width), height: Number(height) };
  });
}

/** `90s`, `20m`, `1.5h` as milliseconds. */
export function duration(): z.ZodType<number, string> {
  return text('a time such as 90s, 20m or 1.5h', durationIn);
}

/** `20GB`, `7d`, or both with a comma: how much of a folder is kept, and how long. */
export function keepLimits(): z.ZodType<SizeAndAge, string> {
  return text('a size such as 20GB, an age such as 7d, or both with a comma', sizeAndAgeIn);
}

/** `2/8`: the part of this number, from 0, of so many. */
export function part(): z.ZodType<Part, string> {
  return text('I/N: a number from 0, and how many parts there are, as 0/4', (given) => {
    const [, index, count] = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(given) ?? [];
    const found = { index: Number(index), count: Number(count) };
    return count !== undefined && found.index < found.count && found.count <= MAX_PARTS ? found : undefined;
  });
}

const MAX_PARTS = 100_000;

/** An option whose value may be left out: `true` then. */
export function fractionOrTrue(): z.ZodType<number | true, string | true> {
  return z.union([z.literal(true), fraction()], { error: 'a number from 0 to 1' });
}

export function wholeNumberOrTrue(): z.ZodType<number | true, string | true> {
  return z.union([z.literal(true), wholeNumber(0)], { error: 'a whole number of at least 0' });
}

/** `5MB/s` or `5MB` as bytes a second. */
export function byteRate(): z.ZodType<number, string> {
  return text('a rate such as 500kB/s or 5MB/s', byteRateIn);
}

/** `auto`, or a number of clusters. */
export function clusterCount(): z.ZodType<number | 'auto', string> {
  return z.union([z.literal('auto'), wholeNumber(1)], { error: 'auto, or a whole number of at least 1' });
}
