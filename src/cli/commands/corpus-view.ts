/** `corpus list` and `corpus show`: the classes as they stand. */
import { z } from 'zod';
import { corpusTree } from '../../corpus/corpus.ts';
import type { ClassExemplar } from '../../corpus/counts.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import { TaskOwners } from '../../corpus/task-owner.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { argument, flag } from '../values.ts';
import { formatCount, formatPercent, plural, table } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

export const corpusList = command({
  name: 'corpus list',
  summary: 'the classes with their counts',
  details: 'Labels of clusters count where neither a model nor references nor people label the task.',
  options: { tree: flag('--tree', 'as a tree: parents from WordNet, or as nested') },
  examples: [
    ['labelsmith corpus list', 'every class, the most frequent first'],
    ['labelsmith corpus list --tree', 'animal › dog, vehicle › car'],
  ],
  run({ options, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      if (options.tree) return await listTree(workspace, output);
      const known = await workspace.store.classes();
      const classes = new TaskOwners(known).countedClasses(known);
      output.document({ classes });
      const rows = classes
        .flatMap(({ name, counts }) => counts.map((count) => ({ name, ...count })))
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
    });
  },
});

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
    });
  },
});

function originsText(origins: Readonly<Record<string, number>>): string {
  return Object.entries(origins)
    .map(([origin, count]) => `${origin} ${formatCount(count)}`)
    .join(', ');
}

function exemplarText({ file, confidence }: ClassExemplar): string {
  return confidence === null ? file : `${file} (${formatPercent(confidence, 0)})`;
}
