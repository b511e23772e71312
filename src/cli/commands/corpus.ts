import { change, corpusTree, type Operation, taxonomy } from '../../corpus/corpus.ts';
import { LabelsmithError } from '../../errors.ts';
import {
  readTaxonomy,
  TAXONOMY_FORMATS,
  type TaxonomyFormat,
  taxonomyFormatOf,
  writeTaxonomy,
} from '../../formats/taxonomies.ts';
import { openWorkspace, type Workspace } from '../../pipeline/workspace.ts';
import type { CommandSpec, Invocation } from '../command.ts';
import type { Output } from '../output.ts';
import { formatCount, formatPercent, plural, table } from '../words.ts';

const corpusList: CommandSpec = {
  usage: 'corpus list',
  summary: 'the classes with their counts',
  options: [{ flags: '--tree', description: 'as a tree: parents from WordNet, or as nested', default: false }],
  examples: [
    ['labelsmith corpus list', 'every class, the most frequent first'],
    ['labelsmith corpus list --tree', 'animal › dog, vehicle › car'],
  ],
  async run({ global, output, options }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      if (options.tree) return await listTree(workspace, output);
      const classes = await workspace.store.classes();
      output.document({ classes });
      const rows = classes
        .flatMap(({ name, counts }) => counts.map((count) => ({ name, ...count })))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
      if (rows.length === 0) {
        output.line(`${plural(classes.length, 'class', 'classes')}, no labels yet. Next: labelsmith detect`);
        return;
      }
      const lines = rows.map(({ name, task, items, count, meanConfidence, origins }) => [
        name,
        task,
        items,
        count,
        formatPercent(meanConfidence),
        Object.keys(origins).join(', '),
      ]);
      for (const line of table([['class', 'task', 'items', 'count', 'mean confidence', 'origin'], ...lines]))
        output.line(line);
    } finally {
      await workspace.close();
    }
  },
};

const EXEMPLARS_SHOWN = 5;

async function listTree({ store }: Workspace, output: Output): Promise<number> {
  const nodes = await corpusTree(store, 0);
  output.document({ classes: nodes });
  const rows = nodes.map(({ name, depth, heading, images, regions, meanConfidence, origins }) => [
    `${'  '.repeat(depth)}${name}`,
    images,
    regions,
    heading || meanConfidence === null ? '–' : formatPercent(meanConfidence),
    Object.keys(origins).join(', '),
  ]);
  for (const line of table([['class', 'images', 'regions', 'mean confidence', 'origin'], ...rows])) output.line(line);
  return 0;
}

const corpusShow: CommandSpec = {
  usage: 'corpus show <name>',
  summary: 'one class: definition, parent, synonyms, counts, exemplars',
  examples: [['labelsmith corpus show dog', 'what is known of it']],
  async run({ args, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const [name] = args as [string];
      const nodes = await corpusTree(workspace.store, EXEMPLARS_SHOWN);
      const node = nodes.find((known) => known.name === name || known.synonyms.includes(name));
      if (!node)
        throw new LabelsmithError('NOT_FOUND', `There is no class "${name}".`, { hint: 'See labelsmith corpus list.' });
      output.document(node);
      const rows: [string, string][] = [
        ['class', node.name],
        ['also called', node.synonyms.join(', ') || '–'],
        ['parent', node.parent ?? '–'],
        ['synset', node.synset ?? '–'],
        ['description', node.description ?? '–'],
        ['images', formatCount(node.images)],
        ['regions', formatCount(node.regions)],
        ['confidence', node.meanConfidence === null ? '–' : formatPercent(node.meanConfidence)],
        ['exemplars', node.exemplars.map(({ file }) => file).join(', ') || '–'],
      ];
      for (const [key, value] of rows) output.line(`${key.padEnd(12)} ${value}`);
      return 0;
    } finally {
      await workspace.close();
    }
  },
};

/** A command that is one operation on the corpus. */
function operation(
  spec: Pick<CommandSpec, 'usage' | 'summary' | 'examples' | 'options' | 'details'>,
  of: (invocation: Invocation) => Operation,
): CommandSpec {
  return {
    ...spec,
    async run(invocation) {
      const { global, output } = invocation;
      const workspace = await openWorkspace(global.workspace, { create: false });
      try {
        const event = await change(workspace.store, of(invocation));
        output.document({ changed: event !== null, event });
        output.line(
          event
            ? `Done (${plural(event.labels, 'label')} touched); labelsmith corpus undo takes it back.`
            : 'Nothing to change.',
        );
        return 0;
      } finally {
        await workspace.close();
      }
    },
  };
}

const corpusRename = operation(
  {
    usage: 'corpus rename <from> <to>',
    summary: 'another name for a class; the old one becomes a synonym',
    examples: [['labelsmith corpus rename automobile car', 'labels follow']],
  },
  ({ args: [from, to] }) => ({ kind: 'rename', from: from as string, to: to as string }),
);

const corpusMerge = operation(
  {
    usage: 'corpus merge <names...>',
    summary: 'several classes become one',
    options: [{ flags: '--into <name>', description: 'the class that stays (default: the first named)' }],
    examples: [['labelsmith corpus merge cup mug --into cup', 'everything said of mug counts as cup']],
  },
  ({ args, options }) => ({
    kind: 'merge',
    names: args,
    into: (options.into as string | undefined) ?? (args[0] as string),
  }),
);

const corpusAlias = operation(
  {
    usage: 'corpus alias <name> <synonym>',
    summary: 'another word for a class',
    examples: [['labelsmith corpus alias car automobile', 'imports that say automobile mean car']],
  },
  ({ args: [name, synonym] }) => ({ kind: 'alias', name: name as string, synonym: synonym as string }),
);

const corpusNest = operation(
  {
    usage: 'corpus nest <child> [parent]',
    summary: 'puts a class under another one, or at the top',
    examples: [['labelsmith corpus nest poodle dog', 'dog › poodle']],
  },
  ({ args: [child, parent] }) => ({ kind: 'nest', child: child as string, parent: parent ?? null }),
);

const corpusUndo: CommandSpec = {
  usage: 'corpus undo',
  summary: 'takes back the last change of the corpus',
  examples: [['labelsmith corpus undo', 'once more takes back the one before']],
  async run({ global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const event = await workspace.store.undoCorpusChange();
      output.document({ undone: event });
      output.line(
        event ? `Took back: ${event.operation} ${JSON.stringify(event.arguments)}` : 'There is nothing to take back.',
      );
      return event ? 0 : 1;
    } finally {
      await workspace.close();
    }
  },
};

const corpusHistory: CommandSpec = {
  usage: 'corpus history',
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
};

const FORMAT_OPTION = {
  flags: '--format <name>',
  description: "json, csv or skos (default: by the file's name)",
  choices: TAXONOMY_FORMATS,
} as const;

const taxonomyFormat = ({ args, options }: Invocation): TaxonomyFormat =>
  (options.format as TaxonomyFormat | undefined) ?? taxonomyFormatOf(args[0] as string);

const corpusExport: CommandSpec = {
  usage: 'corpus export <file>',
  summary: 'the classes as JSON, CSV or SKOS (JSON-LD)',
  options: [
    FORMAT_OPTION,
    { flags: '--replace', description: 'take the place of a file that is there', default: false },
  ],
  examples: [['labelsmith corpus export classes.json', 'names, synonyms, parents, descriptions, synsets']],
  async run(invocation) {
    const { args, options, global, output } = invocation;
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const nodes = await taxonomy(workspace.store);
      const to = { replace: options.replace as boolean, workspaceDir: workspace.dir };
      const path = await writeTaxonomy(args[0] as string, taxonomyFormat(invocation), nodes, to);
      output.document({ path, classes: nodes.length });
      output.line(`Wrote ${plural(nodes.length, 'class', 'classes')} to ${path}`);
      return 0;
    } finally {
      await workspace.close();
    }
  },
};

const corpusImport: CommandSpec = {
  usage: 'corpus import <file>',
  summary: 'a taxonomy of your own',
  options: [FORMAT_OPTION],
  examples: [['labelsmith corpus import taxonomy.csv', 'one operation: labelsmith corpus undo takes all of it back']],
  async run(invocation) {
    const entries = await readTaxonomy(invocation.args[0] as string, taxonomyFormat(invocation));
    return operation(corpusImport, () => ({ kind: 'import', entries })).run(invocation);
  },
};

export const corpusCommands: readonly CommandSpec[] = [
  corpusList,
  corpusShow,
  corpusRename,
  corpusMerge,
  corpusAlias,
  corpusNest,
  corpusUndo,
  corpusHistory,
  corpusExport,
  corpusImport,
];
