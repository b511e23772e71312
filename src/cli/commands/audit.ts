import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { typedWord } from '../../core/shell-word.ts';
import { LabelsmithError } from '../../errors.ts';
import { safeComponent } from '../../formats/names.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { drawAuditSheet, planAuditSheet, takeAnswers } from '../../review/audit.ts';
import { AUDITED_ORIGINS } from '../../stages/audit/audit.ts';
import { lastAudit } from '../../stages/audit/last.ts';
import { type Context, command } from '../command.ts';
import { printAudited } from '../print/audited.ts';
import { taskName, wholeNumber } from '../text-values.ts';
import { argument, flag, option, type Values } from '../values.ts';
import { workspaceOption } from '../workspace-option.ts';

const UNKNOWN_SHOWN = 10;

const TASK = argument('<task>', 'the task whose labels are checked', taskName());
const OPTIONS = {
  number: option('-n, --number <n>', 'labels to check', wholeNumber(1).default(200)),
  origin: {
    ...option('--origin <name>', "whose labels (default: every machine's)", z.enum(AUDITED_ORIGINS).optional()),
    hint: 'Labels of people are what others are measured by: labelsmith evaluate.',
  },
  as: option('--as <kind>', 'what to answer in', z.enum(['csv', 'folders']).default('csv')),
  out: option('--out <dir>', 'the folder to write (default: audit-TASK)', z.string().optional()),
  replace: flag('--replace', 'take the place of a folder that is there'),
  read: option('--read <path>', 'the folder, or its audit.csv, with answers', z.string().optional()),
  result: flag('--result', 'what the last audit of the task says, once more'),
};

export const audit = command({
  name: 'audit',
  summary: 'how often labels are right: a random sample for people to check, and the accuracy with its interval',
  details:
    'Without --read: draws labels at random, as many of each confidence as there are, and writes them with pictures. In\n' +
    'audit.csv, fill in the answer column: yes, no, the right class, or none. As folders, move what is right from\n' +
    '_to-check/CLASS to CLASS, what is wrong to the right class, to _wrong or to _none.\n' +
    'With --read: takes the answers in as human labels and says how accurate the labels are. What was drawn is never\n' +
    'trained on. Labels of people are not asked about.',
  args: { task: TASK },
  options: OPTIONS,
  dryRun: true,
  examples: [
    ['labelsmith audit objects -n 200', 'writes audit-objects/ with audit.csv and pictures'],
    ['labelsmith audit objects --read audit-objects', 'accuracy of all of them, and of each class'],
    ['labelsmith audit class --origin cluster --as folders', 'sort pictures in the file manager'],
  ],
  async run({ args: { task }, options, ...context }) {
    if (options.read !== undefined && options.result) {
      throw new LabelsmithError('USAGE', 'audit takes --read or --result, not both.');
    }
    const workspace = await openWorkspace(context.global.workspace, { create: false, device: context.global.device });
    try {
      if (options.read !== undefined) return await readAnswers(context, workspace, { task, path: options.read });
      return await (options.result ? showLast(context, workspace, task) : draw(context, workspace, task, options));
    } finally {
      await workspace.close();
    }
  },
});

async function draw(
  { global, output }: Context,
  workspace: Workspace,
  task: string,
  options: Values<typeof OPTIONS>,
): Promise<number> {
  const kind = options.as;
  const out = options.out ?? `audit-${safeComponent(task)}`;
  const asked = {
    task,
    origin: options.origin ?? null,
    size: options.number,
    seed: global.seed,
    nowMs: Date.now(),
    kind,
    replace: options.replace,
  };
  if (global.dryRun) {
    const plan = await planAuditSheet(workspace, out, asked);
    output.document({ dryRun: true, task, out, kind, ...plan });
    const { items, images, population, classes } = plan;
    output.line(
      `Would ask about ${plural(items, 'label')} of ${population} in the task ${task} (${plural(classes.length, 'class', 'classes')}), with pictures of ${plural(images, 'image')}, in ${out}`,
    );
    return 0;
  }
  const drawn = await drawAuditSheet(workspace, out, asked);
  const { audit, withoutPicture } = drawn;
  output.document({ audit: audit.id, task, out: drawn.out, kind, items: audit.items, withoutPicture });
  output.summary(`Audit ${audit.id}: ${plural(audit.items, 'label')} of the task ${task} to check, in ${drawn.out}`);
  output.summary(
    kind === 'csv'
      ? 'Fill in the column answer of audit.csv: yes, no, the right class, or none.'
      : 'Move each picture from _to-check into its class, _wrong or _none.',
  );
  output.summary(
    `Then: labelsmith audit ${typedWord(task)} --read ${typedWord(drawn.out)}${workspaceOption(global.workspace)}`,
  );
  if (withoutPicture > 0) output.warn(`Of ${plural(withoutPicture, 'label')} the image could not be read.`);
  return global.strict && withoutPicture > 0 ? 1 : 0;
}

async function readAnswers(
  { global, output }: Context,
  { store }: Workspace,
  { task, path }: { readonly task: string; readonly path: string },
): Promise<number> {
  const { dryRun } = global;
  const taken = await takeAnswers(store, { task, path, dryRun });
  const { result, unknown, unanswered, newClasses } = taken;
  output.document({ ...(dryRun && { dryRun }), ...result, unanswered, unknown, newClasses });
  if (dryRun) output.line('Nothing was taken in (--dry-run); with these answers it would say:');
  for (const where of unknown.slice(0, UNKNOWN_SHOWN)) output.warn(`${where} is no picture of this audit.`);
  if (unknown.length > UNKNOWN_SHOWN) output.warn(`… and ${plural(unknown.length - UNKNOWN_SHOWN, 'more')}`);
  if (newClasses.length > 0) output.warn(`New classes, by answers: ${newClasses.join(', ')}.`);
  printAudited(output, result);
  return result.checked === 0 || (global.strict && unknown.length > 0) ? 1 : 0;
}

async function showLast({ output }: Context, { store }: Workspace, task: string): Promise<number> {
  const result = await lastAudit(store, task);
  output.document(result);
  printAudited(output, result);
  return result.checked === 0 ? 1 : 0;
}
