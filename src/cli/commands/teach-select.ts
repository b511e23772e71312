import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { ITEM_KINDS, NONE_OF_THESE } from '../../core/labels.ts';
import { typedWord } from '../../core/shell-word.ts';
import { ask, dropAuditItems } from '../../review/ask.ts';
import { command } from '../command.ts';
import { noteLimit, nounOf } from '../print/embedded.ts';
import { printReadErrors } from '../print/read-errors.ts';
import { tellTeach } from '../print/teach-estimate.ts';
import { wholeNumber } from '../text-values.ts';
import { flag, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { workspaceOption } from '../workspace-option.ts';
import { TASK } from './teach-learn.ts';

export const select = command({
  name: 'teach select',
  summary: 'what to label next, so that few labels go far; and a random audit set',
  details:
    'The answers come back with labelsmith import csv OUT.csv --as human (or import folders OUT --as human).\n' +
    'OUT.csv gets a row an image with an empty class column; a folder gets the pictures to sort into classes, and a page\n' +
    'to look at. Nearly equal pictures are asked once. Audit items are drawn at random and never trained on, whoever\n' +
    'labels them; a quarter of all items stays outside of the audit set. An image that is of no class of the task is\n' +
    `"${NONE_OF_THESE}". Embeds first, with --limit N at most N; what is asked is of all that are embedded.`,
  options: {
    task: TASK,
    items: option(
      '--items <kind>',
      'what a new task is about: whole images, or the regions in them',
      z.enum(ITEM_KINDS).optional(),
    ),
    count: option('-n, --count <n>', 'items to ask about', wholeNumber(0).default(50)),
    audit: option('--audit <n>', 'images to draw at random for the audit set', wholeNumber(0).default(0)),
    dropAudit: flag('--drop-audit', 'first take back audit items that nobody has labelled'),
    out: option('--out <path>', 'FILE.csv, or a folder', z.string().default('to-label.csv')),
    replace: flag('--replace', 'replace OUT as a whole'),
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith teach select -n 50 --out label.csv', 'fifty rows to fill in'],
    ['labelsmith teach select -n 50 --audit 100 --out sort/', 'a folder to sort, a hundred for the audit among them'],
    ['labelsmith teach select -n 0 --drop-audit', 'no more than to take back what was drawn and not labelled'],
  ],
  run({ options, ...context }) {
    const { global, output } = context;
    const { task, count, audit, dropAudit } = options;
    if (global.dryRun) return tellTeach(context, { task, kind: options.items, learns: false, select: options });
    return withWorkspace(context, async (workspace) => {
      if (count + audit === 0 && dropAudit) {
        const dropped = await dropAuditItems(workspace, task);
        output.document({ dropped });
        output.summary(tookBack(dropped));
        return 0;
      }
      const run = context.runOptions();
      const asked = await ask(workspace, options, {
        ...run,
        onEmbedded(embedded, items) {
          run.done();
          noteLimit(output, global.limit, embedded, items);
          printReadErrors(output, embedded.counts);
        },
      });
      run.done();
      if (asked === null) return 130;
      const { items, counts, dropped, out, unreadable, questions } = asked;
      output.document({ ...counts, dropped, out, unreadable, questions });
      if (dropAudit) output.summary(tookBack(dropped));
      const drew = counts.audit > 0 ? ` and drew ${counts.audit} for the audit set` : '';
      output.summary(`Chose ${plural(counts.selected, nounOf(items))} to label${drew}: ${out}`);
      if (questions.length > 0) output.summary(nextText(options, global.workspace));
      if (unreadable > 0) output.warn(`${plural(unreadable, 'image')} could not be read and were left out.`);
      return questions.length === 0 ? 1 : 0;
    });
  },
});

/** How the answers come back, as the command to be typed. */
function nextText({ out, task }: { readonly out: string; readonly task: string }, workspace: string): string {
  const [todo, format] = out.endsWith('.csv')
    ? ['Fill in its column class', 'csv']
    : ['Move the pictures from _unlabelled into a folder for each class beside it', 'folders'];
  const named = task === 'class' ? '' : ` --task ${typedWord(task)}`;
  return `${todo}, then: labelsmith import ${format} ${typedWord(out)} --as human${named}${workspaceOption(workspace)}`;
}

function tookBack(dropped: number): string {
  return `Took back ${plural(dropped, 'audit item')} that nobody has labelled.`;
}
