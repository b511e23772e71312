/** What a command of the table is: data for the parser and the help, and one function that does it. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { RunOptions } from '../jobs/run.ts';
import { DEFAULT_WORKSPACE } from '../jobs/workspace.ts';
import { DEVICES } from '../onnx/device.ts';
import type { Output } from './output.ts';
import { nonNegative, wholeNumber } from './text-values.ts';
import { type ArgumentTable, flag, type OptionTable, option, type Values, valuesOf } from './values.ts';

export interface CommandSpec<A extends ArgumentTable, O extends OptionTable> {
  /** `add`; `models list` is a command within `models`. */
  readonly name: string;
  readonly summary: string;
  /** Longer text under the usage line. */
  readonly details?: string;
  readonly args?: A;
  readonly options?: O;
  /** It can say what it would do (`--dry-run`); other commands refuse the option rather than go ahead. */
  readonly dryRun?: true;
  /** `--limit` makes it a run on a subset; other commands say that it means nothing to them. */
  readonly limit?: true;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Gives the exit code; none is 0. */
  run(invocation: Invocation<Values<A>, Values<O>>): Promise<number | undefined>;
}

/** A command of the table, whatever its options are called. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly args: ArgumentTable;
  readonly options: OptionTable;
  readonly dryRun: boolean;
  readonly limit: boolean;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Fails on what the tables do not take. */
  check(typed: Typed): void;
  /** Checks what was typed (by the keys of the tables), then does it. */
  run(typed: Typed, context: Context): Promise<number | undefined>;
}

export interface Typed {
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What every command is given, whatever its options are. */
export interface Context {
  readonly global: GlobalOptions;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Options of a stage, with progress already going to the output. */
  runOptions(): RunOptions & { readonly done: () => void };
}

export interface Invocation<A, O> extends Context {
  readonly args: A;
  readonly options: O;
}

type None = Readonly<Record<never, never>>;

export function command<A extends ArgumentTable = None, O extends OptionTable = None>(
  spec: CommandSpec<A, O>,
): Command {
  const { name, summary, details, examples, dryRun = false, limit = false } = spec;
  // A table that is left out is one with nothing in it, which is what its type says.
  const { args = {} as A, options = {} as O } = spec;
  const hint = `See: labelsmith ${name} --help`;
  const checked = (typed: Typed) => ({
    args: valuesOf(args, typed.args, hint),
    options: valuesOf(options, typed.options, hint),
  });
  return {
    name,
    summary,
    details,
    args,
    options,
    dryRun,
    limit,
    examples,
    check: (typed) => void checked(typed),
    run: (typed, context) => spec.run({ ...context, ...checked(typed) }),
  };
}

export const GLOBAL_OPTIONS = {
  workspace: option(
    '-w, --workspace <dir>',
    'the folder with the records, or postgres://HOST/DATABASE for many machines',
    z.string().default(DEFAULT_WORKSPACE),
  ),
  blobs: option(
    '--blobs <place>',
    'with postgres://, once: where vectors and other files are, s3://, gs:// or az://BUCKET/PREFIX, or a shared folder',
    z.string().optional(),
  ),
  fleet: flag('--fleet', 'with postgres://: shards are done by the workers there are (labelsmith worker)'),
  detach: flag('--detach', 'with postgres://: give the whole command to the workers, and return'),
  follow: flag('--follow', 'the same, and show how far it is; with status: how far is what was given'),
  price: option('--price <n>', "with --follow: what a worker's hour costs", nonNegative().optional()),
  priority: option('--priority <n>', 'with --fleet: shards of a higher one are done first', wholeNumber(0).default(0)),
  json: flag('--json', 'one JSON document on stdout, progress on stderr'),
  quiet: flag('-q, --quiet', 'no progress, no remarks, no summary: only what was asked for, and warnings'),
  seed: option('--seed <n>', 'seed of everything random', wholeNumber(0).default(0)),
  threads: option('--threads <n>', 'inference workers (default: one a core)', wholeNumber(1).optional()),
  device: option('--device <name>', 'what models and mathematics run on', z.enum(DEVICES).default('cpu')),
  strict: flag('--strict', 'exit 1 when any file could not be read, any row matched nothing, or anything was left out'),
  shardSize: option('--shard-size <n>', 'items committed as one', wholeNumber(1).optional()),
  limit: option('--limit <n>', 'a run on a subset: stop after this many items', wholeNumber(1).optional()),
  dryRun: flag(
    '--dry-run',
    'say what would be done, with estimated time and disk, and do nothing; of commands that list it',
  ),
} satisfies OptionTable;

export type GlobalOptions = Values<typeof GLOBAL_OPTIONS> & { readonly threads: number };

/** A thread has sessions of its own, of 30 MB and more; more threads than this only cost memory. */
export const MAX_THREADS = Math.max(16, 4 * availableParallelism());

/** The options with their defaults, and with no more threads than are of any use. */
export function globalOptions(typed: Readonly<Record<string, unknown>>): GlobalOptions {
  const { threads = availableParallelism(), ...rest } = valuesOf(GLOBAL_OPTIONS, typed);
  return { ...rest, threads: Math.min(threads, MAX_THREADS) };
}
