/** `--detach` and `--follow`: the whole command is given to the workers of a workspace in PostgreSQL, and goes on without this process. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { requireShared } from '../jobs/place.ts';
import { openWorkspace } from '../jobs/workspace.ts';
import { addressIn } from '../sources/cloud/object-stores.ts';
import { giveCommand } from '../stages/worker/follow-fleet.ts';
import { type Command, type Context, GLOBAL_OPTIONS, type Typed } from './command.ts';
import { followAndTell, statusCommand } from './print/follow.ts';
import type { OptionTable } from './values.ts';

/**
 * Commands that workers run as a whole, each of which makes the workspace (`create`) or needs one. Their arguments are places,
 * but for the format of an export.
 */
const DETACHABLE: ReadonlyMap<string, 'create' | 'open'> = new Map([
  ['auto', 'create'],
  ['add', 'create'],
  ['detect', 'open'],
  ['embed', 'open'],
  ['discover', 'open'],
  ['match', 'open'],
  ['export', 'open'],
]);

/** Global options that say what is done; the others are of the machine that does it. */
const KEPT: ReadonlySet<string> = new Set(['quiet', 'seed', 'threads', 'strict', 'shardSize', 'limit', 'priority']);

export async function giveToWorkers(
  command: Command,
  typed: Typed,
  typedGlobal: Readonly<Record<string, unknown>>,
  context: Context,
): Promise<number> {
  const { global, output } = context;
  const detach = DETACHABLE.get(command.name);
  if (detach === undefined) refuse(command.name);
  if (global.dryRun) {
    throw new LabelsmithError('USAGE', '--dry-run is done here, not by workers.', { hint: 'Leave --detach away.' });
  }
  if (typed.options.shard !== undefined) {
    throw new LabelsmithError(
      'USAGE',
      'A part (--shard) is done by who is asked for it, and is not given to workers.',
      {
        hint: 'Leave --shard away: workers divide the work among themselves.',
      },
    );
  }
  requireShared(global.workspace);
  command.check(typed);
  if (command.name === 'export' && !isForAll(String(typed.args.out))) {
    throw new LabelsmithError(
      'USAGE',
      `Workers export to object storage, where everybody finds it, not to ${typed.args.out}.`,
      {
        hint: 'Name an address, s3://, gs:// or az://BUCKET/PREFIX, or leave --detach away.',
      },
    );
  }
  const words = wordsOf(command, typed, typedGlobal);
  const { workspace: location, blobs: blobsAt, priority } = global;
  const workspace = await openWorkspace(location, { create: detach === 'create', blobsAt });
  try {
    const { id } = await giveCommand(workspace, words, priority);
    output.note(`The workers have it: labelsmith ${words.join(' ')}`);
    if (global.follow) return await followAndTell(workspace, context);
    output.document({ command: { id, words } });
    output.summary(`See how far it is: ${statusCommand(workspace)}`);
    return 0;
  } finally {
    await workspace.close();
  }
}

/** The command line again, of what was typed; places as every machine finds them. */
export function wordsOf(command: Command, typed: Typed, typedGlobal: Readonly<Record<string, unknown>>): string[] {
  const global = Object.fromEntries(Object.entries(typedGlobal).filter(([key]) => KEPT.has(key)));
  const places = Object.entries(typed.args).flatMap(([name, value]) =>
    strings(value).map((text) => (command.name === 'export' && name === 'format' ? text : placeEverywhere(text))),
  );
  return [
    ...command.name.split(' '),
    ...optionWords(command.options, typed.options),
    ...optionWords(GLOBAL_OPTIONS, global),
    ...(places.length > 0 ? ['--', ...places] : []),
  ];
}

function optionWords(table: OptionTable, typed: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(typed).flatMap(([key, value]) => {
    const { flags, denial } = table[key];
    if (value === false) return denial === undefined ? [] : [longName(denial.flags)];
    const name = longName(flags);
    return value === true ? [name] : strings(value).map((text) => `${name}=${text}`);
  });
}

function longName(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function strings(value: unknown): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

function placeEverywhere(text: string): string {
  if (text === '-') {
    throw new LabelsmithError('USAGE', 'A list on stdin cannot be given to workers.', {
      hint: 'Put it into a file that all of them find, and name it as @FILE.',
    });
  }
  if (text.includes('://')) return text;
  return text.startsWith('@') ? `@${resolve(text.slice(1))}` : resolve(text);
}

/** Why a worker does not run these words; undefined where it does. What is in the queue may be anybody's. */
export function refusalOf(words: readonly string[]): string | undefined {
  const name = words.find((word) => !word.startsWith('-')) ?? '';
  if (!DETACHABLE.has(name)) return `${name} is not run by workers`;
  // After `--` nothing is an option: format, OUT.
  const isElsewhere = words.at(-3) === '--' && isForAll(words.at(-1) ?? '');
  return name === 'export' && !isElsewhere ? 'export is run by workers to object storage alone' : undefined;
}

function isForAll(out: string): boolean {
  return addressIn(out) !== undefined;
}

function refuse(name: string): never {
  throw new LabelsmithError('USAGE', `${name} is not given to workers.`, {
    hint: `These commands can be: ${[...DETACHABLE.keys()].join(', ')}.`,
  });
}
