import type { CorpusEvent } from '../../core/corpus.ts';
import { change, corpusTree, type Operation, taxonomy } from '../../corpus/corpus.ts';
import type { ClassExemplar } from '../../corpus/counts.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import {
  readMapping,
  readTaxonomy,
  TAXONOMY_FORMATS,
  type TaxonomyFormat,
  taxonomyFormatOf,
  writeTaxonomy,
} from '../../corpus/taxonomies.ts';
import { LabelsmithError } from '../../errors.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { readItemList } from '../../review/item-list.ts';
import type { Store } from '../../store/store.ts';
import type { CommandSpec, Invocation } from '../command.ts';
import type { Output } from '../output.ts';
import { wholeNumber } from '../parse.ts';
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
  const nodes = await corpusTree(store, EXEMPLARS_SHOWN);
  output.document({ classes: nodes });
  if (nodes.length === 0) {
    output.line('No classes yet. Next: labelsmith detect');
    return 0;
  }
  const rows = nodes.map(({ name, depth, meanConfidence, images, regions, origins, exemplars }) => [
    `${'  '.repeat(depth)}${name}`,
    images,
    regions,
    meanConfidence === null ? '–' : formatPercent(meanConfidence),
    Object.keys(origins).join(', '),
    exemplars[0]?.file ?? '',
  ]);
  const head = ['class', 'images', 'regions', 'mean confidence', 'origin', 'exemplar'];
  for (const line of table([head, ...rows])) output.line(line);
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
      const state = await workspace.store.corpus();
      const nodes = await corpusTree(workspace.store, EXEMPLARS_SHOWN);
      const node =
        nodes.find((known) => known.name === name || known.synonyms.includes(name)) ??
        // Says which names are near.
        nodes.find((known) => known.name === new CorpusIndex(state).require(name).name);
      if (!node) throw new Error(`The class "${name}" is not in the tree`);
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
        ['said by', originsText(node.origins) || '–'],
        ['exemplars', node.exemplars.map(exemplarText).join(', ') || '–'],
      ];
      for (const [key, value] of rows) output.line(`${key.padEnd(12)} ${value}`);
      return 0;
    } finally {
      await workspace.close();
    }
  },
};

function originsText(origins: Readonly<Record<string, number>>): string {
  return Object.entries(origins)
    .map(([origin, count]) => `${origin} ${formatCount(count)}`)
    .join(', ');
}

function exemplarText({ file, confidence }: ClassExemplar): string {
  return confidence === null ? file : `${file} (${formatPercent(confidence, 0)})`;
}

/** A command that is one operation on the corpus. */
function operation(
  spec: Pick<CommandSpec, 'usage' | 'summary' | 'examples' | 'options' | 'details'>,
  of: (invocation: Invocation, store: Store) => Operation | Promise<Operation>,
): CommandSpec {
  return {
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
  };
}

const corpusRename = operation(
  {
    usage: 'corpus rename <from> <to>',
    summary: 'another name for a class; the old one becomes a synonym',
    examples: [['labelsmith corpus rename automobile car', 'labels follow']],
  },
  ({ args: [from, to] }) => ({ kind: 'rename', from: from, to: to }),
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
    into: (options.into as string | undefined) ?? args[0],
  }),
);

const corpusAlias = operation(
  {
    usage: 'corpus alias <name> <synonym>',
    summary: 'another word for a class',
    examples: [['labelsmith corpus alias car automobile', 'imports that say automobile mean car']],
  },
  ({ args: [name, synonym] }) => ({ kind: 'alias', name: name, synonym: synonym }),
);

const corpusNest = operation(
  {
    usage: 'corpus nest <child> [parent]',
    summary: 'puts a class under another one, or at the top',
    examples: [['labelsmith corpus nest poodle dog', 'dog › poodle']],
  },
  ({ args: [child, parent] }) => ({ kind: 'nest', child: child, parent: parent ?? null }),
);

const corpusSplit = operation(
  {
    usage: 'corpus split <name>',
    summary: 'items of a class go to other classes',
    details:
      '--by FILE.csv is a list as export csv writes it, with the class column changed: a person says of each item that\n' +
      'it is that class and not this one. --by TASK goes by what another task says of the same items: cars with the\n' +
      'colour red become "car red"; whose word it is stays. --merged takes a class out again that was merged.',
    options: [
      { flags: '--by <file|task>', description: 'a CSV with file,class (and x1,y1,x2,y2 for regions), or a task' },
      { flags: '--merged <class>', description: 'a class that was merged into this one' },
    ],
    examples: [
      ['labelsmith corpus split cup --by mugs.csv', 'rows of mugs.csv that say mug become mug'],
      ['labelsmith corpus split car --by colour', '"car red", "car blue", …'],
      ['labelsmith corpus split vehicle --merged truck', 'truck is a class of its own again'],
    ],
  },
  async ({ args, options, global, output }, store): Promise<Operation> => {
    const name = args[0];
    const by = options.by as string | undefined;
    const merged = options.merged as string | undefined;
    if ((by === undefined) === (merged === undefined)) {
      throw new LabelsmithError('USAGE', 'corpus split takes either --by or --merged.');
    }
    if (merged !== undefined) return { kind: 'unmerge', name, merged };
    if (!(by as string).toLowerCase().endsWith('.csv')) return { kind: 'split-by-task', name, by: by as string };
    const from = new CorpusIndex(await store.corpus()).require(name).name;
    const { items, unmatched } = await readItemList(store, by as string, from);
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
    usage: 'corpus map <file>',
    summary: 'your names for classes, all at once: renames, and merges where several get one name',
    details: 'FILE is a JSON object {"old": "new"}, or CSV with the columns from,to. One operation, undone as one.',
    examples: [['labelsmith corpus map mine.csv', 'detect says these names from now on too']],
  },
  async ({ args }) => ({ kind: 'map', mapping: await readMapping(args[0]) }),
);

const corpusDescribe = operation(
  {
    usage: 'corpus describe <name>',
    summary: 'what a class means: a description, a WordNet synset',
    options: [
      { flags: '--description <text>', description: 'in your words; empty takes it away' },
      { flags: '--synset <key>', description: 'such as dog.n.01; empty goes back to what the name says' },
    ],
    examples: [['labelsmith corpus describe mouse --synset mouse.n.01', 'the animal']],
  },
  ({ args, options }) => {
    const { description, synset } = options as { description?: string; synset?: string };
    if (description === undefined && synset === undefined) {
      throw new LabelsmithError('USAGE', 'corpus describe takes --description, --synset or both.');
    }
    return {
      kind: 'describe',
      name: args[0],
      ...(description === undefined ? {} : { description: description || null }),
      ...(synset === undefined ? {} : { synset: synset || null }),
    };
  },
);

const corpusUndo: CommandSpec = {
  usage: 'corpus undo [n]',
  summary: 'takes back the last change of the corpus, or the last n',
  examples: [
    ['labelsmith corpus undo', 'once more takes back the one before'],
    ['labelsmith corpus undo 3', 'the last three'],
  ],
  async run({ args, global, output }) {
    const count = wholeNumber('The number of changes to undo', 1)(args[0] ?? '1');
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
  (options.format as TaxonomyFormat | undefined) ?? taxonomyFormatOf(args[0]);

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
      const path = await writeTaxonomy(args[0], taxonomyFormat(invocation), nodes, to);
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
    const entries = await readTaxonomy(invocation.args[0], taxonomyFormat(invocation));
    return operation(corpusImport, () => ({ kind: 'import', entries })).run(invocation);
  },
};

export const corpusCommands: readonly CommandSpec[] = [
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
