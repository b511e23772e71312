/** Turns the table of commands into a parser with help, and one invocation into a call of its command. */
import { availableParallelism } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import { LabelsmithError } from '../errors.ts';
import { LABELSMITH_VERSION } from '../jobs/run.ts';
import { DEFAULT_WORKSPACE } from '../jobs/workspace.ts';
import type { CommandSpec, GlobalOptions, Invocation } from './command.ts';
import { allCommands } from './commands/table.ts';
import { createOutput } from './output.ts';
import { wholeNumber } from './parse.ts';

const GLOBAL_OPTIONS: readonly Option[] = [
  new Option('-w, --workspace <dir>', 'the folder with the records').default(DEFAULT_WORKSPACE),
  new Option('--json', 'one JSON document on stdout, progress on stderr').default(false),
  new Option('-q, --quiet', 'no progress and no remarks').default(false),
  new Option('--seed <n>', 'seed of everything random').default(0).argParser(wholeNumber('--seed', 0)),
  new Option('--threads <n>', 'inference workers (default: one a core)').argParser(wholeNumber('--threads', 1)),
  new Option('--strict', 'exit 1 when any file could not be read, or any row matched nothing or was left out').default(
    false,
  ),
  new Option('--shard-size <n>', 'items committed as one').argParser(wholeNumber('--shard-size', 1)),
  new Option('--limit <n>', 'a pilot: stop after this many items').argParser(wholeNumber('--limit', 1)),
  new Option('--dry-run', 'say what would be done, with estimated time and disk').default(false),
];

/**
 * Runs one command line (without `node` and the script) and gives its exit code. Errors are thrown.
 *
 * @param commands those it may name; nothing else is known to the parser
 */
export async function runCommandLine(
  argv: readonly string[],
  commands: readonly CommandSpec[],
  signal: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  const program = new Command('labelsmith')
    .description('From a pile of unlabelled images to a corpus of classes.')
    .version(LABELSMITH_VERSION)
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText('after', examplesText([['labelsmith auto ~/photos', 'everything in one go']]));
  for (const option of GLOBAL_OPTIONS) program.addOption(option);

  for (const spec of commands) {
    const command = commandFor(program, spec.usage);
    command
      .summary(spec.summary)
      .description(spec.details ? `${spec.summary}\n\n${flowing(spec.details)}` : spec.summary);
    command.addHelpText('after', examplesText(spec.examples));
    for (const option of spec.options ?? []) {
      const parsed = new Option(option.flags, option.description);
      if (option.default !== undefined) parsed.default(option.default);
      if (option.parse) parsed.argParser(option.parse);
      if (option.choices) parsed.choices(option.choices);
      command.addOption(parsed);
    }
    command.action(async (...received: unknown[]) => {
      const args = received
        .slice(0, command.registeredArguments.length)
        .flat()
        .filter((arg) => arg !== undefined) as string[];
      const invoked = invocation(args, command.optsWithGlobals(), signal);
      if (invoked.global.dryRun && !spec.dryRun) await refuseDryRun(spec);
      if (invoked.global.limit !== undefined && !spec.limit) {
        invoked.output.note(`note: --limit means nothing to ${command.name()}; it goes over everything.`);
      }
      exitCode = (await spec.run(invoked)) ?? 0;
    });
  }

  try {
    await program.parseAsync(argv.slice(), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Commander ends a bare group (`labelsmith models`) by printing its help: that is wrong usage, already explained.
    if (error.code === 'commander.help') return 2;
    const command = argv.find((arg) => !arg.startsWith('-')) ?? '';
    throw new LabelsmithError('USAGE', error.message.replace(/^error: /, ''), {
      hint: `See: labelsmith ${program.commands.some((c) => c.name() === command) ? `${command} ` : ''}--help`,
      cause: error,
    });
  }
  return exitCode;
}

/** The command of a usage line, within its group where it has one: `models list` under `models`. */
function commandFor(program: Command, usage: string): Command {
  const words = usage.split(' ');
  const names = words.filter((word) => /^[a-z]/.test(word));
  const group = names.length > 1 ? names[0] : undefined;
  const rest = words.slice(group ? 1 : 0).join(' ');
  if (!group) return program.command(rest);
  const existing = program.commands.find((command) => command.name() === group);
  return (existing ?? program.command(group).summary(GROUPS[group] ?? '')).command(rest);
}

const GROUPS: Readonly<Record<string, string>> = {
  models: 'the models: list, pull, import',
  corpus: 'the corpus of classes',
  teach: 'a few labels, then everything',
};

async function refuseDryRun(spec: CommandSpec): Promise<never> {
  const name = (usage: string) => usage.replace(/ [^a-z].*$/, '');
  const able = (await allCommands()).filter(({ dryRun }) => dryRun).map(({ usage }) => name(usage));
  throw new LabelsmithError(
    'USAGE',
    `${name(spec.usage)} cannot say beforehand what it would do, so it takes no --dry-run.`,
    {
      hint: `These commands can: ${able.join(', ')}.`,
    },
  );
}

/** Lines joined to paragraphs, for a terminal of any width; indented lines, as of a list, stay. */
function flowing(text: string): string {
  return text.replace(/(?<=\S)\n(?=\S)/g, ' ');
}

function examplesText(examples: CommandSpec['examples']): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  return `\nExamples:\n${examples.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`).join('\n')}`;
}

function invocation(args: readonly string[], options: Record<string, unknown>, signal: AbortSignal): Invocation {
  const global: GlobalOptions = {
    workspace: options.workspace as string,
    json: options.json as boolean,
    quiet: options.quiet as boolean,
    seed: options.seed as number,
    threads: (options.threads as number | undefined) ?? availableParallelism(),
    strict: options.strict as boolean,
    shardSize: options.shardSize as number | undefined,
    limit: options.limit as number | undefined,
    dryRun: options.dryRun as boolean,
  };
  const output = createOutput(global);
  return {
    args,
    options,
    global,
    output,
    signal,
    runOptions() {
      const progress = output.progress();
      const { seed, threads, shardSize, limit } = global;
      return { seed, threads, shardSize, limit, signal, onProgress: progress.update, done: progress.done };
    },
  };
}
