/** Turns the table of commands into a parser with help, and one invocation into a call of its command. */
import { writeSync } from 'node:fs';
import { Argument, CommanderError, Help, Option, Command as Parser } from 'commander';
import { formatCount } from '../core/count-text.ts';
import { LABELSMITH_VERSION } from '../core/version.ts';
import { LabelsmithError } from '../errors.ts';
import { PartDone } from '../jobs/parts/part-done.ts';
import type { Progress } from '../jobs/stage.ts';
import { SUMMARY_TO } from '../stages/worker/command-process.ts';
import { type Command, type Context, GLOBAL_OPTIONS, globalOptions } from './command.ts';
import { allCommands } from './commands/table.ts';
import { createOutput } from './output.ts';
import { tellPart } from './print/part.ts';
import { choicesOf, defaultOf, type OptionTable } from './values.ts';

/**
 * Runs one command line (without `node` and the script) and gives its exit code. Errors are thrown.
 *
 * @param commands those it may name; nothing else is known to the parser
 */
export async function runCommandLine(
  argv: readonly string[],
  commands: readonly Command[],
  signal: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  const program = new Parser('labelsmith')
    .description('From a pile of unlabelled images to a corpus of classes.')
    .version(LABELSMITH_VERSION)
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, ...globalOptionsOf(commands) })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText('after', examplesText(FIRST_STEPS));
  addOptions(program, GLOBAL_OPTIONS);

  for (const command of commands) {
    const { summary, details, examples, args, options } = command;
    const parser = parserFor(program, command)
      .summary(summary)
      .description(details ? `${summary}\n\n${flowing(details)}` : summary)
      .addHelpText('after', examplesText(examples));
    for (const { usage, description } of Object.values(args)) parser.addArgument(new Argument(usage, description));
    addOptions(parser, options);
    parser.action(async (...received: unknown[]) => {
      const typedGlobal = typedIn(parser, GLOBAL_OPTIONS);
      const { context, reached } = contextOf(typedGlobal, signal);
      if (context.global.dryRun && !command.dryRun) await refuseDryRun(command);
      refusePriceAlone(context.global);
      if (context.global.limit !== undefined && !command.limit) {
        context.output.note(`note: --limit means nothing to ${command.name}; it goes over everything.`);
      }
      const given = Object.fromEntries(Object.keys(args).map((key, i) => [key, received[i]]));
      const typed = { args: given, options: typedIn(parser, options) };
      const { detach, follow } = context.global;
      if (detach || (follow && command.name !== 'status')) {
        const { giveToWorkers } = await import('./detach.ts');
        exitCode = await giveToWorkers(command, typed, typedGlobal, context);
        return;
      }
      try {
        exitCode = (await command.run(typed, context)) ?? 0;
        if (signal.aborted) tellInterrupted(context.output, reached());
      } catch (error) {
        if (!(error instanceof PartDone)) throw error;
        tellPart(error, context.output);
      }
    });
  }

  for (const group of program.commands.filter((one) => one.commands.length > 0)) {
    const firsts = commands
      .filter(({ name }) => name.startsWith(`${group.name()} `))
      .flatMap((one) => one.examples.slice(0, 1));
    group.addHelpText('after', examplesText(firsts));
  }

  try {
    await program.parseAsync(argv.slice(), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Commander ends a bare group (`labelsmith models`) by printing its help: that is wrong usage, already explained.
    const command = commandAmong(argv, program);
    if (error.code === 'commander.help') {
      if (!argv.includes('--json')) return 2;
      const group = program.commands.find((one) => one.name() === command) ?? program;
      const names = group.commands.map((one) => one.name()).filter((name) => name !== 'help');
      throw new LabelsmithError('USAGE', `${command || 'labelsmith'} needs a command: ${names.join(', ')}.`, {
        hint: `See: labelsmith ${command === '' ? '' : `${command} `}--help`,
        details: { commands: names },
      });
    }
    throw new LabelsmithError('USAGE', error.message.replace(/^error: /, ''), {
      hint: `See: ${helpOf(argv, program)}`,
      cause: error,
    });
  }
  return exitCode;
}

/** The first word that is a command, since one before it may be the value of a global option: `-w DIR models`. */
function commandAmong(argv: readonly string[], program: Parser): string {
  const words = argv.filter((arg) => !arg.startsWith('-'));
  return words.find((word) => program.commands.some((one) => one.name() === word)) ?? words[0] ?? '';
}

/** The command whose help tells more: within a group that one. */
function helpOf(argv: readonly string[], program: Parser): string {
  const name = commandAmong(argv, program);
  const command = program.commands.find((one) => one.name() === name);
  const after = argv.slice(argv.indexOf(name) + 1);
  const within = after.find((word) => command?.commands.some((one) => one.name() === word));
  return ['labelsmith', command?.name(), within, '--help'].filter((word) => word !== undefined).join(' ');
}

function refusePriceAlone({ price, follow }: Context['global']): void {
  if (price === undefined || follow) return;
  throw new LabelsmithError('USAGE', '--price says what is followed costs, so it needs --follow.', {
    hint: 'As in: labelsmith status --follow --price 0.40',
  });
}

/** The help of a command leaves out `--dry-run` where the command would refuse it. */
function globalOptionsOf(commands: readonly Command[]): Partial<Help> {
  const able = new Set(commands.filter(({ dryRun }) => dryRun).map(({ name }) => name));
  const nameOf = (parser: Parser): string =>
    parser.parent?.parent ? `${nameOf(parser.parent)} ${parser.name()}` : parser.name();
  return {
    visibleGlobalOptions(parser) {
      const all = Object.assign(new Help(), { showGlobalOptions: true }).visibleGlobalOptions(parser);
      return all.filter(({ long }) => long !== '--dry-run' || able.has(nameOf(parser)));
    },
  };
}

function addOptions(parser: Parser, table: OptionTable): void {
  for (const [key, { flags, description, schema, defaultText, denial }] of Object.entries(table)) {
    const option = new Option(flags, description);
    if (option.attributeName() !== key) throw new Error(`the option ${flags} stands under ${key} in its table`);
    const fallback = defaultOf(schema);
    // For the help; the schema is what fills it in.
    if (fallback !== undefined) option.default(fallback, defaultText);
    const choices = choicesOf(schema);
    if (choices) option.argChoices = [...choices];
    parser.addOption(option);
    if (denial) parser.addOption(new Option(denial.flags, denial.description));
  }
}

/** The options of a table that stand on the command line. */
function typedIn(parser: Parser, table: OptionTable): Record<string, unknown> {
  const values = parser.optsWithGlobals();
  const typed = Object.keys(table).filter((key) => parser.getOptionValueSourceWithGlobals(key) === 'cli');
  return Object.fromEntries(typed.map((key) => [key, values[key]]));
}

/** The parser of a command, within its group where it has one: `models list` under `models`. */
function parserFor(program: Parser, { name }: Command): Parser {
  const [first, second] = name.split(' ');
  if (second === undefined) return program.command(first);
  const group = program.commands.find((known) => known.name() === first);
  return (group ?? program.command(first).summary(GROUPS[first] ?? '')).command(second);
}

const FIRST_STEPS: readonly (readonly [string, string])[] = [
  ['labelsmith auto ~/photos', 'nobody labels: which classes are there'],
  ['labelsmith review', 'the same in the browser, then name and correct'],
  ['labelsmith match references/', 'a few pictures of each class: find the others'],
  ['labelsmith teach select', 'label a few: what to begin with'],
  ['labelsmith teach --help', 'what a command does, its options and examples'],
];

const GROUPS: Readonly<Record<string, string>> = {
  models: 'the models: list, pull, check, import',
  corpus: 'the corpus of classes',
  teach: 'a few labels, then everything',
  workspace: 'workspaces as a whole',
  edge: 'a device that labels by itself: pack, push, verify',
};

async function refuseDryRun({ name }: Command): Promise<never> {
  const able = (await allCommands()).filter(({ dryRun }) => dryRun).map((command) => command.name);
  throw new LabelsmithError('USAGE', `${name} cannot say beforehand what it would do, so it takes no --dry-run.`, {
    hint: `These commands can: ${able.join(', ')}.`,
  });
}

/** Lines joined to paragraphs, for a terminal of any width; indented lines, as of a list, stay. */
function flowing(text: string): string {
  return text.replace(/(?<=\S)\n(?=\S)/g, ' ');
}

function examplesText(examples: Command['examples']): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  return `\nExamples:\n${examples.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`).join('\n')}`;
}

/** A worker that runs this command keeps its summary for those who follow it. */
function summarySink(): { write(text: string): void } | undefined {
  const fd = Number(process.env[SUMMARY_TO] || Number.NaN);
  // Not those that it starts itself.
  delete process.env[SUMMARY_TO];
  return Number.isInteger(fd) ? { write: (text) => void writeSync(fd, text) } : undefined;
}

/** @param reached how far the last stage was; undefined where none had begun, or the command has no stages */
function tellInterrupted(output: Context['output'], reached: Progress | undefined): void {
  if (reached === undefined) return;
  const { stage, done, kept = done, total } = reached;
  const far = total === undefined ? formatCount(kept) : `${formatCount(kept)} of ${formatCount(total)}`;
  output.warn(
    `Interrupted: of ${stage} ${far} are done, and kept. Run the same command again: it does what is missing.`,
  );
}

/** @returns also how far the last stage was when it was last heard of */
function contextOf(
  typed: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): { readonly context: Context; reached(): Progress | undefined } {
  const global = globalOptions(typed);
  const output = createOutput(global, process.stdout, process.stderr, summarySink());
  if (typed.threads !== undefined && Number(typed.threads) > global.threads) {
    output.note(`note: ${global.threads} threads are used: more would cost memory and no longer save time here.`);
  }
  let reached: Progress | undefined;
  const context: Context = {
    global,
    output,
    signal,
    runOptions() {
      const progress = output.progress();
      const { seed, threads, device, shardSize, limit } = global;
      return {
        seed,
        threads,
        device,
        shardSize,
        limit,
        signal,
        onProgress(now) {
          reached = now;
          progress.update(now);
        },
        done: () => progress.done(),
      };
    },
  };
  return { context, reached: () => reached };
}
