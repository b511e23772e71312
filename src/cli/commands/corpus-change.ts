import { z } from 'zod';
import { change, type Operation } from '../../corpus/corpus.ts';
import { mapNames } from '../../corpus/operations.ts';
import { readMapping } from '../../corpus/taxonomies.ts';
import { unknownClasses } from '../../corpus/unknown.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { mappingNow } from '../../stages/discover/sheet-digests.ts';
import { type Command, type CommandSpec, command, type Invocation } from '../command.ts';
import { printChange } from '../print/corpus-change.ts';
import { type ArgumentTable, argument, type OptionTable, option, type Values } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { CLASS } from './corpus-view.ts';

/** A command that is one operation on the corpus. */
export function operation<A extends ArgumentTable, O extends OptionTable>(
  spec: Omit<CommandSpec<A, O>, 'run'>,
  of: (invocation: Invocation<Values<A>, Values<O>>, store: Workspace['store']) => Operation | Promise<Operation>,
): Command {
  return command<A, O>({
    ...spec,
    run(invocation) {
      const { output } = invocation;
      return withWorkspace(invocation, async (workspace) => {
        const event = await change(workspace.store, await of(invocation, workspace.store));
        output.document({ changed: event !== null, event });
        printChange(output, event);
        return 0;
      });
    },
  });
}

export const corpusRename = operation(
  {
    name: 'corpus rename',
    summary: 'another name for a class; the old one becomes a synonym',
    args: {
      from: argument('<from>', 'the class', z.string()),
      to: argument('<to>', 'its new name', z.string()),
    },
    examples: [['labelsmith corpus rename automobile car', 'labels follow']],
  },
  ({ args }) => ({ kind: 'rename', ...args }),
);

export const corpusMerge = operation(
  {
    name: 'corpus merge',
    summary: 'several classes become one',
    args: { names: argument('<names...>', 'the classes', z.array(z.string())) },
    options: {
      into: option('--into <name>', 'the class that stays (default: the first named)', z.string().optional()),
    },
    examples: [['labelsmith corpus merge cup mug --into cup', 'everything said of mug counts as cup']],
  },
  ({ args: { names }, options }) => ({ kind: 'merge', names, into: options.into ?? names[0] }),
);

export const corpusAlias = operation(
  {
    name: 'corpus alias',
    summary: 'another word for a class',
    args: { name: CLASS, synonym: argument('<synonym>', 'the other word', z.string()) },
    examples: [['labelsmith corpus alias car automobile', 'imports that say automobile mean car']],
  },
  ({ args }) => ({ kind: 'alias', ...args }),
);

export const corpusNest = operation(
  {
    name: 'corpus nest',
    summary: 'puts a class under another one, or at the top',
    args: {
      child: argument('<child>', 'the class', z.string()),
      parent: argument('[parent]', 'the one above it (default: none)', z.string().optional()),
    },
    examples: [['labelsmith corpus nest poodle dog', 'dog › poodle']],
  },
  ({ args: { child, parent = null } }) => ({ kind: 'nest', child, parent }),
);

export const corpusMap = operation(
  {
    name: 'corpus map',
    summary: 'your names for classes, all at once: renames, and merges where several get one name',
    args: { file: argument('<file>', 'old names and new ones', z.string()) },
    details:
      'FILE is a JSON object {"old": "new"}, or CSV with the columns from,to. A row with nothing in `to` is left alone, so a\n' +
      'sheet of corpus names can be read when only some of it is filled in; rows of such a sheet whose cluster is no more, since\n' +
      'discover made others, are refused. One operation, undone as one.',
    examples: [
      ['labelsmith corpus map mine.csv', 'detect says these names from now on too'],
      ['labelsmith corpus map names.csv', 'all clusters named at once, in a sheet of labelsmith corpus names'],
    ],
  },
  async ({ args, output }, store) => {
    const clusterOf = new Map<string, string>();
    const sheet = await readMapping(args.file, clusterOf);
    const mapping = await mappingNow(store, { mapping: sheet, clusterOf }, (from, now) =>
      output.warn(`"${from}" of the sheet is called "${now}" by now, and is meant.`),
    );
    const corpus = await store.corpus();
    // What is refused is refused before anything is said to be noted.
    mapNames(corpus, mapping);
    for (const { name, near } of unknownClasses(corpus, mapping.keys())) {
      const meant = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '.';
      output.warn(`"${name}" is no class here${meant} It is noted as another word for what may come.`);
    }
    return { kind: 'map', mapping };
  },
);

export const corpusDescribe = operation(
  {
    name: 'corpus describe',
    summary: 'what a class means: a description, a WordNet synset',
    args: { name: CLASS },
    options: {
      description: {
        ...option('--description <text>', 'in your words; empty takes it away', z.string().optional()),
        mayBeEmpty: true,
      },
      synset: {
        ...option('--synset <key>', 'such as dog.n.01; empty goes back to what the name says', z.string().optional()),
        mayBeEmpty: true,
      },
    },
    examples: [['labelsmith corpus describe mouse --synset mouse.n.01', 'the animal']],
  },
  ({ args, options }) => {
    const { description, synset } = options;
    if (description === undefined && synset === undefined) {
      throw new LabelsmithError('USAGE', 'corpus describe takes --description, --synset or both.');
    }
    return {
      kind: 'describe',
      name: args.name,
      ...(description === undefined ? {} : { description: description || null }),
      ...(synset === undefined ? {} : { synset: synset || null }),
    };
  },
);
