/**
 * The one way from data of unknown shape (a settings row, a JSON file, a header) to a typed value: a zod schema, and a
 * `LabelsmithError` that names what was wrong, where in it, and what was expected.
 *
 * Owns the wording of such errors. Does not read files.
 */
import type { z } from 'zod';
import { type ErrorCode, LabelsmithError } from '../errors.ts';

export interface CheckedThing {
  /** Subject of the message: `corpus.json`, `the header of map.lsh`. */
  readonly what: string;
  /** Default `BAD_FILE`. */
  readonly code?: ErrorCode;
  readonly hint?: string;
}

/** Problems that a message names; `details.problems` has all of them. */
const MAX_SHOWN = 5;

/** The value as the schema gives it, with its defaults filled in and its transforms done. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, thing: CheckedThing): z.output<S> {
  const result = guardDepth(thing, () => schema.safeParse(value));
  if (result.success) return result.data;
  const problems = result.error.issues.map(problemText);
  const more = problems.length > MAX_SHOWN ? `; and ${problems.length - MAX_SHOWN} more` : '';
  throw refusal(thing, `${thing.what}: ${problems.slice(0, MAX_SHOWN).join('; ')}${more}`, { problems }, result.error);
}

/** The same from the text of a JSON document; a byte order mark at its start is passed over. */
export function validateJson<S extends z.ZodType>(schema: S, text: string, thing: CheckedThing): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refusal(thing, `${thing.what} is no JSON: ${reason}`, {}, cause);
  }
  return validate(schema, value, thing);
}

/** `images[3].width: expected number, got string`. Of alternatives, the problems of the one that fits best. */
export function problemText(issue: z.core.$ZodIssue): string {
  const where = placeText(issue.path);
  const prefix = where === '' ? '' : `${where}: `;
  switch (issue.code) {
    case 'invalid_type':
      return `${prefix}${typeText(issue)}`;
    case 'invalid_value':
      return `${prefix}expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'unrecognized_keys':
      return `${prefix}unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_union': {
      const closest = closestIssue(issue);
      return closest === issue ? `${prefix}${plain(issue.message)}` : problemText(closest);
    }
    default:
      return `${prefix}${plain(issue.message)}`;
  }
}

/** Of alternatives, the first problem of the one that fits best, with its whole path; any other problem as it is. */
export function closestIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const closest = [...issue.errors].sort((a, b) => reach(b) - reach(a))[0]?.[0];
  return closest === undefined ? issue : closestIssue({ ...closest, path: [...issue.path, ...closest.path] });
}

function typeText({ expected, message }: z.core.$ZodIssueInvalidType): string {
  const got = /received (\w+)$/.exec(message)?.[1] ?? 'something else';
  const wanted = expected === 'int' ? 'whole number' : expected === 'record' ? 'object' : expected;
  if (got === 'undefined') return `is missing (expected ${wanted})`;
  return `expected ${wanted}, got ${expected === 'int' && got === 'number' ? 'a fraction' : got}`;
}

/** How far into the value an alternative got before it did not fit. */
function reach(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

/** zod's own sentence without its heading: `Too small: expected number to be >=1` says `expected number to be >=1`. */
function plain(message: string): string {
  const text = message.replace(/^(?:Invalid input|Too small|Too big|Invalid string|Invalid key): /, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** `images[3].width`; empty for the value itself. */
export function placeText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** Data nested so deeply that checking it leaves the stack is the data's fault. */
function guardDepth<T>(thing: CheckedThing, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refusal(thing, `${thing.what} is nested too deeply`, {}, cause);
  }
}

function refusal(
  { code = 'BAD_FILE', hint }: CheckedThing,
  message: string,
  details: Readonly<Record<string, unknown>>,
  cause: unknown,
): LabelsmithError {
  return new LabelsmithError(code, message, { hint, details, cause });
}
