/**
 * Options and arguments as a command declares them, and what becomes of the words that were typed: typed values, or a
 * `USAGE` error that names the option, what it takes, what came, and what was probably meant.
 */
import { z } from 'zod';
import { nearestNames } from '../core/nearest-names.ts';
import { LabelsmithError } from '../errors.ts';

export interface OptionSpec<S extends z.ZodType = z.ZodType> {
  /** `-m, --model <name>`. The key in the table is the long name in camel case. */
  readonly flags: string;
  readonly description: string;
  /** From the text (or true, of a flag) to the value; absent is undefined, and defaults are the schema's. */
  readonly schema: S;
  /** The default as it would be typed, where the value itself would say little: `10s` of 10000. */
  readonly defaultText?: string;
  /** What to do, where the option was given something that it does not take. */
  readonly hint?: string;
  /** An empty text says something here, such as "take it away"; else it is refused. */
  readonly mayBeEmpty?: boolean;
  /** `--no-…`, of an option that may be said, denied or left open. */
  readonly denial?: { readonly flags: string; readonly description: string };
}

export interface ArgumentSpec<S extends z.ZodType = z.ZodType> {
  /** `<file>`, `[file]` where it may be left out, `<file...>` for several. */
  readonly usage: string;
  readonly description: string;
  readonly schema: S;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;
/** In the order of the command line. */
export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>;

/** What a command is given of its table. */
export type Values<T extends Readonly<Record<string, { readonly schema: z.ZodType }>>> = {
  readonly [K in keyof T]: z.output<T[K]['schema']>;
};

export function option<S extends z.ZodType>(flags: string, description: string, schema: S): OptionSpec<S> {
  return { flags, description, schema };
}

/** An option that is there or not. */
export function flag(flags: string, description: string): OptionSpec<z.ZodDefault<z.ZodBoolean>> {
  return { flags, description, schema: z.boolean().default(false) };
}

export function argument<S extends z.ZodType>(usage: string, description: string, schema: S): ArgumentSpec<S> {
  return { usage, description, schema };
}

/** What an option is where it is not given; undefined for none. */
export function defaultOf(schema: z.ZodType): unknown {
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}

/** The words that an option takes, where these are few. */
export function choicesOf(schema: z.ZodType): readonly string[] | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    const inner: unknown = schema.unwrap();
    return inner instanceof z.ZodType ? choicesOf(inner) : undefined;
  }
  return schema instanceof z.ZodEnum ? schema.options.map(String) : undefined;
}

/**
 * @param given by key, as typed; what is missing was not
 * @param hint of a refusal that has none of its own
 */
export function valuesOf<T extends OptionTable | ArgumentTable>(
  table: T,
  given: Readonly<Record<string, unknown>>,
  hint = 'See: labelsmith --help',
): Values<T> {
  const values = Object.entries(table).map(([key, spec]) => [key, valueFrom(spec, given[key], hint)]);
  // Each value is its own schema's output, which `fromEntries` cannot say.
  return Object.fromEntries(values) as Values<T>;
}

function valueFrom(spec: OptionSpec | ArgumentSpec, given: unknown, hint: string): unknown {
  const result = spec.schema.safeParse(given);
  if (result.success) {
    if (!('mayBeEmpty' in spec && spec.mayBeEmpty)) refuseEmpty(spec, given);
    return result.data;
  }
  const [issue] = result.error.issues;
  const choices = choicesOf(spec.schema);
  const expected = choices ? wordsWithOr(choices) : issue.message;
  const near = choices && typeof given === 'string' ? nearestNames(given, choices, 1) : [];
  const came = given === undefined ? ', and is missing' : `, not ${JSON.stringify(given)}`;
  throw new LabelsmithError('USAGE', `${nameOf(spec)} takes ${expected}${came}.`, {
    hint: near.length > 0 ? `Did you mean ${near[0]}?` : 'hint' in spec ? spec.hint : hint,
  });
}

/** As a path, an empty text would be the current folder: `forget "$OLD" --yes` would forget all that is in it. */
function refuseEmpty(spec: OptionSpec | ArgumentSpec, given: unknown): void {
  if (given !== '' && !(Array.isArray(given) && given.includes(''))) return;
  throw new LabelsmithError('USAGE', `${nameOf(spec)} is given an empty text.`, {
    hint: 'Was a variable of the shell not set? A name needs a character, and the current folder is ".".',
  });
}

function nameOf(spec: OptionSpec | ArgumentSpec): string {
  if ('usage' in spec) return spec.usage.replace(/[<>[\].]/g, '').toUpperCase();
  return /--[\w-]+/.exec(spec.flags)?.[0] ?? spec.flags;
}

function wordsWithOr(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
