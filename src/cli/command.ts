/** What a command of the table is: data for the parser and the help, and one function that does it. */
import type { RunOptions } from '../jobs/run.ts';
import type { Output } from './output.ts';

export interface CommandSpec {
  /** Name and arguments as in the help: `add <source...>`; `models list` is a command within `models`. */
  readonly usage: string;
  readonly summary: string;
  /** Longer text under the usage line. */
  readonly details?: string;
  readonly options?: readonly OptionSpec[];
  /** It can say what it would do (`--dry-run`); other commands refuse the option rather than go ahead. */
  readonly dryRun?: true;
  /** `--limit` makes it a pilot; other commands say that it means nothing to them. */
  readonly limit?: true;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Gives the exit code; none is 0. */
  run(invocation: Invocation): Promise<number | undefined>;
}

export interface OptionSpec {
  /** `-m, --model <name>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string | number | boolean;
  /** Turns the text into a value, or throws a `USAGE` error that names the option. */
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
}

/** Everything a command is given. */
export interface Invocation {
  /** Positional arguments, variadic ones flattened. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly global: GlobalOptions;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Options of a stage, with progress already going to the output. */
  runOptions(): RunOptions & { readonly done: () => void };
}

export interface GlobalOptions {
  readonly workspace: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly seed: number;
  readonly threads: number;
  readonly strict: boolean;
  readonly shardSize?: number;
  readonly limit?: number;
  readonly dryRun: boolean;
}
