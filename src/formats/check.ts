/**
 * Hand validation of what a file says, with the place of the fault in the message. `where` is a file with a line or key
 * path: `labels.csv:17`, `annotations.json annotations[3].bbox`.
 */
import { readName } from '../core/class-name.ts';
import type { Keypoints } from '../core/dataset.ts';
import { LabelsmithError } from '../errors.ts';

export function badFile(where: string, what: string, hint?: string, cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `${where}: ${what}`, { hint, details: { where, what }, cause });
}

/** A value as it may stand in a message: short, on one line. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : jsonText(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function jsonText(value: unknown): string {
  if (value === undefined) return 'nothing';
  try {
    return JSON.stringify(typeof value === 'string' ? value.slice(0, 100) : value);
  } catch {
    // `JSON.parse` reads deeper than `JSON.stringify` writes.
    return 'something nested too deeply';
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function objectAt(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badFile(where, `an object was expected, not ${shown(value)}`);
  return value as JsonObject;
}

export function arrayAt(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw badFile(where, `a list was expected, not ${shown(value)}`);
  return value;
}

export function stringAt(value: unknown, where: string): string {
  if (typeof value !== 'string') throw badFile(where, `text was expected, not ${shown(value)}`);
  return value;
}

/** A class name as it is kept (`core/class-name.ts`). One that cannot be kept comes as it is: who keeps it refuses it. */
export function classNameAt(value: unknown, where: string): string {
  const name = stringAt(value, where);
  if (name.trim() === '') throw badFile(where, 'the class name is empty');
  const reading = readName(name);
  return reading.kind === 'name' ? reading.name : name;
}

export function numberAt(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw badFile(where, `a finite number was expected, not ${shown(value)}`);
  return value;
}

/** A number in text: digits, point, exponent; no `NaN`, no `0x10`, no blanks inside. */
export function numberIn(text: string, where: string): number {
  const trimmed = text.trim();
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (!Number.isFinite(value)) throw badFile(where, `a finite number was expected, not ${shown(text)}`);
  return value;
}

/** A whole number of pixels above 0. */
export function sizeAt(value: unknown, where: string): number {
  const size = numberAt(value, where);
  if (!(Number.isInteger(size) && size > 0)) throw badFile(where, `a size in pixels above 0 was expected, not ${size}`);
  return size;
}

/** An image's identity. */
export function sha256At(value: unknown, where: string): string {
  const sha256 = stringAt(value, where);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw badFile(where, '64 lower-case hexadecimal digits were expected');
  return sha256;
}

export function regionIdAt(value: unknown, where: string): string {
  const id = stringAt(value, where);
  if (!/^[0-9a-f]{32}$/.test(id)) throw badFile(where, '32 lower-case hexadecimal digits were expected');
  return id;
}

/** The value of a JSON text. */
export function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badFile(where, `not valid JSON: ${(cause as Error).message}`, undefined, cause);
  }
}

/** Polygons as lists of `[x, y, x, y, …]`. */
export function polygonsAt(value: unknown, where: string): number[][] {
  return arrayAt(value, where).map((polygon, i) => {
    const at = `${where}[${i}]`;
    const numbers = arrayAt(polygon, at).map((coordinate, j) => numberAt(coordinate, `${at}[${j}]`));
    if (numbers.length % 2 !== 0) throw badFile(at, `x, y pairs were expected, not ${numbers.length} numbers`);
    return numbers;
  });
}

/** Keypoints as a flat list `[x, y, v, …]`. */
export function flatKeypointsAt(value: unknown, where: string): Keypoints {
  const numbers = arrayAt(value, where).map((part, i) => numberAt(part, `${where}[${i}]`));
  if (numbers.length % 3 !== 0) throw badFile(where, `triples of x, y, v were expected, not ${numbers.length} numbers`);
  return Array.from({ length: numbers.length / 3 }, (_, i) =>
    keypointOf(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2], `${where}[${3 * i}]`),
  );
}

/** Keypoints as a list of `[x, y, v]`. */
export function keypointsAt(value: unknown, where: string): Keypoints {
  return arrayAt(value, where).map((point, i) => {
    const at = `${where}[${i}]`;
    const numbers = arrayAt(point, at).map((part, j) => numberAt(part, `${at}[${j}]`));
    if (numbers.length !== 3) throw badFile(at, `x, y and visibility were expected, not ${numbers.length} numbers`);
    return keypointOf(numbers[0], numbers[1], numbers[2], at);
  });
}

function keypointOf(x: number, y: number, visibility: number, where: string): Keypoints[number] {
  if (visibility !== 0 && visibility !== 1 && visibility !== 2)
    throw badFile(where, `the visibility of a keypoint is 0, 1 or 2, not ${visibility}`);
  return [x, y, visibility];
}

/** A file name or path, `/` between its parts, and no climbing out. */
export function fileNameAt(value: unknown, where: string): string {
  const name = stringAt(value, where);
  if (name === '') throw badFile(where, 'the file name is empty');
  return name;
}
