/** `corpus list` and `corpus show`: the classes as they stand. */
import { z } from 'zod';
import { formatCount, plural } from '../../core/count-text.ts';
import { corpusTree } from '../../corpus/corpus.ts';
import type { ClassExemplar } from '../../corpus/counts.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import { TaskOwners } from '../../corpus/task-owner.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { disownedText } from '../print/disowned.ts';
import { argument, flag } from '../values.ts';
import { formatPercent, oneLine, table } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

export const corpusList = command({
  name: 'corpus list',
  summary: 'the classes with their counts',
  details: 'Labels of clusters count where neither a model nor references nor people label the task.',
  options: {
    tree: flag('--tree', 'as a tree: parents from WordNet, or as nested'),
    all: flag('--all', 'those with no label too, in the list and the tree'),
  },
  examples: [
    ['labelsmith corpus list', 'every class, the most frequent first'],
    ['labelsmith corpus list --tree', 'animal › dog, vehicle › car'],
  ],
  run({ options, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      if (options.tree) return await listTree(workspace, output, options.all);
      const known = await workspace.store.classes();
      const owners = new TaskOwners(known);
      const classes = owners.countedClasses(known);
      const disowned = owners.disowned(known);
      output.document({ classes, disowned });
      const rows = classes
        .flatMap(({ name, counts }) => counts.map((count) => ({ name, ...count })))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
      if (rows.length === 0) {
        output.line(`${plural(classes.length, 'class', 'classes')}, no labels yet. Next: labelsmith detect`);
        return 0;
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
      for (const of of disowned) output.line(disownedText(of));
      tellEmpty(output, emptyOf(known), options.all);
      return 0;
    });
  },
});

interface Counted {
  readonly name: string;
  readonly counts: readonly { readonly count: number }[];
}

function emptyOf(classes: readonly Counted[]): string[] {
  return classes.filter(({ counts }) => counts.every(({ count }) => count === 0)).map(({ name }) => name);
}

/** Classes that nothing is of: a list that was imported, or what a detector could have found. */
function tellEmpty(output: Output, names: readonly string[], all: boolean): void {
  if (names.length === 0) return;
  const count = plural(names.length, 'class has', 'classes have');
  output.line(
    all ? `${count} no label: ${names.map(oneLine).join(', ')}` : `${count} no label yet (--all lists them).`,
  );
}

const EXEMPLARS_SHOWN = 5;

async function listTree({ store }: Workspace, output: Output, all: boolean): Promise<number> {
  const nodes = await corpusTree(store, EXEMPLARS_SHOWN);
  const known = await store.classes();
  const disowned = new TaskOwners(known).disowned(known);
  output.document({ classes: nodes, disowned });
  if (nodes.length === 0) {
    output.line('No classes yet. Next: labelsmith detect');
    return 0;
  }
  const shown = all ? nodes : withLabels(nodes);
  const rows = shown.map(({ name, depth, meanConfidence, images, regions, origins, exemplars }) => [
    `${'  '.repeat(depth)}${name}`,
    images,
    regions,
    meanConfidence === null ? '–' : formatPercent(meanConfidence),
    Object.keys(origins).join(', '),
    exemplars[0]?.file ?? '',
  ]);
  const head = ['class', 'images', 'regions', 'mean confidence', 'origin', 'exemplar'];
  for (const line of table([head, ...rows])) output.line(line);
  for (const of of disowned) output.line(disownedText(of));
  const empty = new Set(emptyOf(known));
  const names = new Set(shown.map(({ name }) => name));
  const hidden = nodes.filter(({ name }) => !names.has(name) && empty.has(name)).length;
  if (hidden > 0) output.line(`${plural(hidden, 'class has', 'classes have')} no label yet (--all lists them).`);
  return 0;
}

/** Classes that something is of, and those above them. */
function withLabels<T extends { readonly depth: number; readonly images: number; readonly regions: number }>(
  nodes: readonly T[],
): T[] {
  const kept: T[] = [];
  // From the end: what is below a class comes after it.
  let below = 0;
  for (const node of nodes.toReversed()) {
    if (node.images + node.regions === 0 && node.depth >= below) continue;
    kept.push(node);
    below = node.depth;
  }
  return kept.reverse();
}

export const CLASS = argument('<name>', 'the class, or a synonym of it', z.string());

export const corpusShow = command({
  name: 'corpus show',
  summary: 'one class: definition, parent, synonyms, counts, exemplars',
  args: { name: CLASS },
  examples: [['labelsmith corpus show dog', 'what is known of it']],
  run({ args, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const { name } = args;
      const state = await workspace.store.corpus();
      const nodes = await corpusTree(workspace.store, EXEMPLARS_SHOWN);
      const node =
        nodes.find((known) => known.name === name || known.synonyms.includes(name)) ??
        // Says which names are near.
        nodes.find((known) => known.name === new CorpusIndex(state).require(name).name);
      if (!node) throw noneAnyMore(name);
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
    });
  },
});

/** The record keeps the names of clusters that a later cut took apart, for what was done to them. */
function noneAnyMore(name: string): LabelsmithError {
  return new LabelsmithError('NOT_FOUND', `"${name}" is no class any more: nothing is left in it since the last cut`, {
    hint: 'labelsmith corpus list shows the classes that there are.',
  });
}

function originsText(origins: Readonly<Record<string, number>>): string {
  return Object.entries(origins)
    .map(([origin, count]) => `${origin} ${formatCount(count)}`)
    .join(', ');
}

function exemplarText({ file, confidence }: ClassExemplar): string {
  return confidence === null ? file : `${file} (${formatPercent(confidence, 0)})`;
}
