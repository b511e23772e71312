import { openWorkspace } from '../../pipeline/workspace.ts';
import type { CommandSpec } from '../command.ts';
import { formatPercent, plural, table } from '../words.ts';

export const corpusList: CommandSpec = {
  usage: 'corpus list',
  summary: 'the classes with their counts',
  examples: [['labelsmith corpus list', 'every class, the most frequent first']],
  async run({ global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
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
