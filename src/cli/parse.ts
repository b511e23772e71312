/** Option values: text in, a checked value out, or a `USAGE` error that names the option and what it takes. */
import { LabelsmithError } from '../errors.ts';

type Parser<T> = (text: string) => T;

function refuse(option: string, text: string, expected: string): never {
  throw new LabelsmithError('USAGE', `${option} takes ${expected}, not ${JSON.stringify(text)}.`);
}

export function wholeNumber(option: string, least: number): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      refuse(option, text, `a whole number of at least ${least}`);
    }
    return value;
  };
}

/** A number from 0 to 1. */
export function fraction(option: string): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0 && value <= 1)) refuse(option, text, 'a number from 0 to 1');
    return value;
  };
}

/** `a,b, c`: names with the spaces around them gone, none empty. */
export function nameList(option: string): Parser<string[]> {
  return (text) => {
    const names = text.split(',').map((name) => name.trim());
    if (names.some((name) => name === '')) refuse(option, text, 'names with commas between them');
    return names;
  };
}

export interface Thresholds {
  /** For every class that has none of its own. */
  readonly default?: number;
  readonly classes: Readonly<Record<string, number>>;
}

/** `0.4`, `person=0.5,dog=0.2` or `0.4,person=0.5`. */
export function thresholds(option: string): Parser<Thresholds> {
  return (text) => {
    const expected = 'a number from 0 to 1, or CLASS=NUMBER pairs with commas between them';
    let general: number | undefined;
    const classes: Record<string, number> = {};
    for (const part of text.split(',')) {
      const [, name, digits] = /^\s*(?:(.+?)\s*=)?\s*([\d.]+)\s*$/.exec(part) ?? refuse(option, text, expected);
      const value = Number(digits);
      if (!(value >= 0 && value <= 1)) refuse(option, text, expected);
      if (name === undefined) general = value;
      else classes[name] = value;
    }
    return { default: general, classes };
  };
}

/** `416x416`. */
export function size(option: string): Parser<{ width: number; height: number }> {
  return (text) => {
    const [, width, height] = /^([1-9]\d*)[x×]([1-9]\d*)$/.exec(text) ?? refuse(option, text, 'WIDTHxHEIGHT in pixels');
    return { width: Number(width), height: Number(height) };
  };
}
