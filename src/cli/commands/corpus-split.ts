import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { change } from '../../corpus/corpus.ts';
import { splitOperation } from '../../review/split-operation.ts';
import { splitClassIn } from '../../stages/discover/split-class.ts';
import { command } from '../command.ts';
import { printChange } from '../print/corpus-change.ts';
import { taskName, wholeNumber } from '../text-values.ts';
import { option } from '../values.ts';
import { table } from '../words.ts';
import { withWorkspace } from '../workspace.ts';
import { CLASS } from './corpus-view.ts';

export const corpusSplit = command({
  name: 'corpus split',
  summary: 'items of a class go to other classes',
  args: { name: CLASS },
  details:
    '--into N takes the class apart by what its items look like: N classes, which later cuts of discover keep apart; what\n' +
    'people or imports said stays. --by FILE.csv is a list as export csv writes it, with the class column changed: a person\n' +
    'says of each item that it is that class and not this one. --by TASK goes by what another task says of the same items:\n' +
    'cars with the colour red become "car red"; whose word it is stays. --merged takes a class out again that was merged.',
  options: {
    into: option('--into <n>', 'parts to make by looks; needs embeddings', wholeNumber(2).optional()),
    task: option('--task <name>', 'with --into: the task (default: that with most such items)', taskName().optional()),
    by: option(
      '--by <file|task>',
      'a CSV with file,class (and x1,y1,x2,y2 for regions), or a task',
      z.string().optional(),
    ),
    merged: option('--merged <class>', 'a class that was merged into this one', z.string().optional()),
  },
  examples: [
    ['labelsmith corpus split unnamed-4 --into 3', '"unnamed-4 1", "unnamed-4 2", "unnamed-4 3"'],
    ['labelsmith corpus split cup --by mugs.csv', 'rows of mugs.csv that say mug become mug'],
    ['labelsmith corpus split car --by colour', '"car red", "car blue", …'],
    ['labelsmith corpus split vehicle --merged truck', 'truck is a class of its own again'],
  ],
  run({ args: { name }, options, ...context }) {
    const { global, output } = context;
    const { into, task, by, merged } = options;
    return withWorkspace(context, async (workspace) => {
      if (into === undefined || by !== undefined || merged !== undefined) {
        const request = { name, into, by, merged, strict: global.strict };
        const asked = await splitOperation(workspace.store, { ...request, onUnmatched: (row) => output.warn(row) });
        const event = await change(workspace.store, asked);
        output.document({ changed: event !== null, event });
        printChange(output, event);
        return 0;
      }
      const run = context.runOptions();
      const { event, parts, kept, withoutVector } = await splitClassIn(workspace, { className: name, into, task }, run);
      run.done();
      output.document({ changed: event !== null, event, parts, kept, withoutVector });
      for (const line of table([['class', 'items'], ...parts.map((part) => [part.name, part.items])])) {
        output.summary(`  ${line}`);
      }
      if (kept > 0) output.summary(`${plural(kept, 'item')} that people or imports call so stay as they are.`);
      if (withoutVector > 0) output.summary(`${plural(withoutVector, 'item')} with no embedding stay as they are.`);
      printChange(output, event);
      return 0;
    });
  },
});
