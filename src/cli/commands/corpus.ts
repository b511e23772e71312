import { z } from 'zod';
import type { CorpusEvent } from '../../core/corpus.ts';
import { change, type Operation, taxonomy } from '../../corpus/corpus.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import {
  readMapping,
  readTaxonomy,
  TAXONOMY_FORMATS,
  taxonomyFormatOf,
  writeTaxonomy,
} from '../../corpus/taxonomies.ts';
import { unknownClasses } from '../../corpus/unknown.ts';
import { LabelsmithError } from '../../errors.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { readItemList } from '../../review/item-list.ts';
import type { Store } from '../../store/store.ts';
import { type Command, type CommandSpec, command, type Invocation } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { type ArgumentTable, argument, flag, type OptionTable, option, type Values } from '../values.ts';
import { plural } from '../words.ts';
import { CLASS, corpusList, corpusShow } from './corpus-view.ts';

const TAXONOMY = argument('<file>', 'such as classes.json, classes.csv or classes.jsonld', z.string());

/** A command that is one operation on the corpus. */
function operation<A extends ArgumentTable, O extends OptionTable>(
  spec: Omit<CommandSpec<A, O>, 'run'>,
  of: (invocation: Invocation<Values<A>, Values<O>>, store: Store) => Operation | Promise<Operation>,
): Command {
  return command<A, O>({
    ...spec,
    async run(invocation) {
      const { global, output } = invocation;
      const workspace = await openWorkspace(global.workspace, { create: false });
      try {
        const event = await change(workspace.store, await of(invocation, workspace.store));
        output.document({ changed: event !== null, event });
        output.line(
          event
            ? `Done${event.labels > 0 ? ` (${plural(event.labels, 'label')} changed)` : ''}; labelsmith corpus undo takes it back.`
            : 'Nothing to change.',
        );
        return 0;
      } finally {
        await workspace.close();
      }
    },
  });
}

const corpusRename = operation(
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

const corpusMerge = operation(
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

const corpusAlias = operation(
  {
    name: 'corpus alias',
    summary: 'another word for a class',
    args: { name: CLASS, synonym: argument('<synonym>', 'the other word', z.string()) },
    examples: [['labelsmith corpus alias car automobile', 'imports that say automobile mean car']],
  },
  ({ args }) => ({ kind: 'alias', ...args }),
);

const corpusNest = operation(
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

const corpusSplit = operation(
  {
    name: 'corpus split',
    summary: 'items of a class go to other classes',
    args: { name: CLASS },
    details:
      '--by FILE.csv is a list as export csv writes it, with the class column changed: a person says of each item that\n' +
      'it is that class and not this one. --by TASK goes by what another task says of the same items: cars with the\n' +
      'colour red become "car red"; whose word it is stays. --merged takes a class out again that was merged.',
    options: {
      by: option(
        '--by <file|task>',
        'a CSV with file,class (and x1,y1,x2,y2 for regions), or a task',
        z.string().optional(),
      ),
      merged: option('--merged <class>', 'a class that was merged into this one', z.string().optional()),
    },
    examples: [
      ['labelsmith corpus split cup --by mugs.csv', 'rows of mugs.csv that say mug become mug'],
      ['labelsmith corpus split car --by colour', '"car red", "car blue", …'],
      ['labelsmith corpus split vehicle --merged truck', 'truck is a class of its own again'],
    ],
  },
  async ({ args, options, global, output }, store): Promise<Operation> => {
    const { name } = args;
    const { by, merged } = options;
    if (by !== undefined && merged !== undefined) {
      throw new LabelsmithError('USAGE', 'corpus split takes either --by or --merged.');
    }
    if (merged !== undefined) return { kind: 'unmerge', name, merged };
    if (by === undefined) throw new LabelsmithError('USAGE', 'corpus split takes either --by or --merged.');
    if (!by.toLowerCase().endsWith('.csv')) return { kind: 'split-by-task', name, by };
    const from = new CorpusIndex(await store.corpus()).require(name).name;
    const { items, unmatched } = await readItemList(store, by, from);
    for (const row of unmatched) output.warn(row);
    if (unmatched.length > 0 && (global.strict || items.length === 0)) {
      throw new LabelsmithError('NOT_FOUND', `${plural(unmatched.length, 'row')} of ${by} matched no item.`, {
        hint: 'Files are named as in exports, regions by their box: labelsmith export csv shows both.',
      });
    }
    return { kind: 'split', name, items: items.map(({ itemId, className }) => ({ itemId, to: className })) };
  },
);

const corpusMap = operation(
  {
    name: 'corpus map',
    summary: 'your names for classes, all at once: renames, and merges where several get one name',
    args: { file: argument('<file>', 'old names and new ones', z.string()) },
    details: 'FILE is a JSON object {"old": "new"}, or CSV with the columns from,to. One operation, undone as one.',
    examples: [['labelsmith corpus map mine.csv', 'detect says these names from now on too']],
  },
  async ({ args, output }, store) => {
    const mapping = await readMapping(args.file);
    for (const { name, near } of unknownClasses(await store.corpus(), mapping.keys())) {
      const meant = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '.';
      output.warn(`"${name}" is no class here${meant} It is noted as another word for what may come.`);
    }
    return { kind: 'map', mapping };
  },
);

const corpusDescribe = operation(
  {
    name: 'corpus describe',
    summary: 'what a class means: a description, a WordNet synset',
    args: { name: CLASS },
    options: {
      description: option('--description <text>', 'in your words; empty takes it away', z.string().optional()),
      synset: option(
        '--synset <key>',
        'such as dog.n.01; empty goes back to what the name says',
        z.string().optional(),
      ),
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

const corpusUndo = command({
  name: 'corpus undo',
  summary: 'takes back the last change of the corpus, or the last n',
  args: { count: argument('[n]', 'changes to undo (default: 1)', wholeNumber(1).default(1)) },
  examples: [
    ['labelsmith corpus undo', 'once more takes back the one before'],
    ['labelsmith corpus undo 3', 'the last three'],
  ],
  async run({ args: { count }, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const undone: CorpusEvent[] = [];
      while (undone.length < count) {
        const event = await workspace.store.undoCorpusChange();
        if (!event) break;
        undone.push(event);
        output.line(`Took back: ${event.operation} ${JSON.stringify(event.arguments)}`);
      }
      output.document({ undone });
      if (undone.length === 0) output.line('There is nothing to take back.');
      return undone.length > 0 ? 0 : 1;
    } finally {
      await workspace.close();
    }
  },
});

const corpusHistory = command({
  name: 'corpus history',
  summary: 'every change of the corpus, the newest first',
  examples: [['labelsmith corpus history', 'what was done, and what was taken back']],
  async run({ global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const events = await workspace.store.corpusHistory();
      output.document({ events });
      for (const { atMs, operation: name, arguments: given, undone } of events) {
        output.line(
          `${new Date(atMs).toISOString().slice(0, 19)}  ${name} ${JSON.stringify(given)}${undone ? '  (undone)' : ''}`,
        );
      }
      return 0;
    } finally {
      await workspace.close();
    }
  },
});

const FORMAT = option(
  '--format <name>',
  "json, csv or skos (default: by the file's name)",
  z.enum(TAXONOMY_FORMATS).optional(),
);

const corpusExport = command({
  name: 'corpus export',
  summary: 'the classes as JSON, CSV or SKOS (JSON-LD)',
  args: { file: TAXONOMY },
  options: { format: FORMAT, replace: flag('--replace', 'take the place of a file that is there') },
  examples: [['labelsmith corpus export classes.json', 'names, synonyms, parents, descriptions, synsets']],
  async run({ args: { file }, options, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const nodes = await taxonomy(workspace.store);
      const to = { replace: options.replace, workspaceDir: workspace.dir };
      const path = await writeTaxonomy(file, options.format ?? taxonomyFormatOf(file), nodes, to);
      output.document({ path, classes: nodes.length });
      output.line(`Wrote ${plural(nodes.length, 'class', 'classes')} to ${path}`);
      return 0;
    } finally {
      await workspace.close();
    }
  },
});

const corpusImport = operation(
  {
    name: 'corpus import',
    summary: 'a taxonomy of your own',
    args: { file: TAXONOMY },
    options: { format: FORMAT },
    examples: [['labelsmith corpus import taxonomy.csv', 'one operation: labelsmith corpus undo takes all of it back']],
  },
  async ({ args: { file }, options }) => ({
    kind: 'import',
    entries: await readTaxonomy(file, options.format ?? taxonomyFormatOf(file)),
  }),
);

export const corpusCommands: readonly Command[] = [
  corpusList,
  corpusShow,
  corpusRename,
  corpusMerge,
  corpusSplit,
  corpusAlias,
  corpusNest,
  corpusMap,
  corpusDescribe,
  corpusUndo,
  corpusHistory,
  corpusExport,
  corpusImport,
];
