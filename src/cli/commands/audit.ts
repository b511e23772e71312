import type { Origin } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { safeComponent } from '../../formats/names.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import type { Proportion } from '../../math/metrics/interval.ts';
import { drawAuditSheet, takeAnswers } from '../../review/audit.ts';
import type { SheetKind } from '../../review/audit-sheet.ts';
import { AUDITED_ORIGINS, type AuditResult, estimateAudit } from '../../stages/audit/audit.ts';
import type { CommandSpec, Invocation } from '../command.ts';
import type { Output } from '../output.ts';
import { wholeNumber } from '../parse.ts';
import { formatCount, formatPercent, plural, table } from '../words.ts';

const UNKNOWN_SHOWN = 10;

export const audit: CommandSpec = {
  usage: 'audit <task>',
  summary: 'how often labels are right: a random sample for people to check, and the accuracy with its interval',
  details:
    'Without --read: draws labels at random, as many of each confidence as there are, and writes them with pictures. In\n' +
    'audit.csv, fill in the answer column: yes, no, the right class, or none. As folders, move what is right from\n' +
    '_to-check/CLASS to CLASS, what is wrong to the right class, to _wrong or to _none.\n' +
    'With --read: takes the answers in as human labels and says how accurate the labels are. What was drawn is never\n' +
    'trained on. Labels of people are not asked about.',
  options: [
    { flags: '-n, --number <n>', description: 'labels to check', default: 200, parse: wholeNumber('--number', 1) },
    { flags: '--origin <name>', description: `whose labels (default: every machine's): ${AUDITED_ORIGINS.join(', ')}` },
    { flags: '--as <kind>', description: 'what to answer in', choices: ['csv', 'folders'], default: 'csv' },
    { flags: '--out <dir>', description: 'the folder to write (default: audit-TASK)' },
    { flags: '--replace', description: 'take the place of a folder that is there', default: false },
    { flags: '--read <path>', description: 'the folder, or its audit.csv, with answers' },
    { flags: '--result', description: 'what the last audit of the task says, once more', default: false },
  ],
  examples: [
    ['labelsmith audit objects -n 200', 'writes audit-objects/ with audit.csv and pictures'],
    ['labelsmith audit objects --read audit-objects', 'accuracy of all of them, and of each class'],
    ['labelsmith audit class --origin cluster --as folders', 'sort pictures in the file manager'],
  ],
  async run(invocation) {
    const { options, global } = invocation;
    if (options.read !== undefined && options.result) {
      throw new LabelsmithError('USAGE', 'audit takes --read or --result, not both.');
    }
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      if (options.read !== undefined) return await readAnswers(invocation, workspace, options.read as string);
      return await (options.result ? showLast : draw)(invocation, workspace);
    } finally {
      await workspace.close();
    }
  },
};

async function draw({ args, options, global, output }: Invocation, workspace: Workspace): Promise<number> {
  const [task] = args as [string];
  const kind = options.as as SheetKind;
  const out = (options.out as string | undefined) ?? `audit-${safeComponent(task)}`;
  const drawn = await drawAuditSheet(workspace, out, {
    task,
    origin: originOf(options.origin as string | undefined),
    size: options.number as number,
    seed: global.seed,
    nowMs: Date.now(),
    kind,
    replace: options.replace as boolean,
  });
  const { audit, withoutPicture } = drawn;
  output.document({ audit: audit.id, task, out: drawn.out, kind, items: audit.items, withoutPicture });
  output.line(`Audit ${audit.id}: ${plural(audit.items, 'label')} of the task ${task} to check, in ${drawn.out}`);
  output.line(
    kind === 'csv'
      ? 'Fill in the column answer of audit.csv: yes, no, the right class, or none.'
      : 'Move each picture from _to-check into its class, _wrong or _none.',
  );
  output.line(`Then: labelsmith audit ${task} --read ${drawn.out}`);
  if (withoutPicture > 0) output.warn(`Of ${plural(withoutPicture, 'label')} the image could not be read.`);
  return global.strict && withoutPicture > 0 ? 1 : 0;
}

function originOf(name: string | undefined): Origin | null {
  if (name === undefined) return null;
  const origin = AUDITED_ORIGINS.find((known) => known === name);
  if (origin) return origin;
  throw new LabelsmithError('USAGE', `--origin takes ${AUDITED_ORIGINS.join(', ')}, not ${JSON.stringify(name)}.`, {
    hint: 'Labels of people are what others are measured by: labelsmith evaluate.',
  });
}

async function readAnswers({ args, global, output }: Invocation, { store }: Workspace, path: string): Promise<number> {
  const [task] = args as [string];
  const { result, unknown, unanswered, newClasses } = await takeAnswers(store, task, path);
  output.document({ ...result, unanswered, unknown, newClasses });
  for (const where of unknown.slice(0, UNKNOWN_SHOWN)) output.warn(`${where} is no picture of this audit.`);
  if (unknown.length > UNKNOWN_SHOWN) output.warn(`… and ${plural(unknown.length - UNKNOWN_SHOWN, 'more')}`);
  if (newClasses.length > 0) output.warn(`New classes, by answers: ${newClasses.join(', ')}.`);
  printResult(output, result);
  return result.checked === 0 || (global.strict && unknown.length > 0) ? 1 : 0;
}

async function showLast({ args, output }: Invocation, { store }: Workspace): Promise<number> {
  const [task] = args as [string];
  const [last] = await store.audits(task);
  if (!last) {
    throw new LabelsmithError('NOT_FOUND', `Nothing was audited in the task "${task}" yet.`, {
      hint: `labelsmith audit ${task} draws a sample to check.`,
    });
  }
  const result = estimateAudit(last, await store.auditItems(last.id));
  output.document(result);
  printResult(output, result);
  return result.checked === 0 ? 1 : 0;
}

function printResult(output: Output, result: AuditResult): void {
  const { audit, task, origin, population, drawn, checked, right, accuracy } = result;
  const whose = origin === null ? '' : `, labels of origin ${origin}`;
  output.line(`Audit ${audit} of the task ${task}${whose}: ${formatCount(checked)} of ${formatCount(drawn)} answered.`);
  if (!accuracy) return;
  output.line(
    `Accuracy ${formatPercent(accuracy.estimate)}, 95 % interval ${range(accuracy)}: of ${plural(population, 'label')}, ` +
      `from ${formatCount(right)} right of ${formatCount(checked)} checked.`,
  );
  output.line();
  const classes = result.classes.map((row) => [
    row.className,
    row.population,
    row.checked,
    row.right,
    ...cells(row.accuracy),
  ]);
  print(output, [['class', 'labels', 'checked', 'right', 'accuracy', '95 % interval'], ...classes]);
  output.line();
  const strata = result.strata.map(({ low, high, population, checked, right }) => [
    `${low.toFixed(2)}–${high.toFixed(2)}`,
    population,
    checked,
    right,
    checked === 0 ? '–' : formatPercent(right / checked),
  ]);
  print(output, [['confidence', 'labels', 'checked', 'right', 'accuracy'], ...strata]);
}

function print(output: Output, rows: readonly (readonly (string | number)[])[]): void {
  for (const line of table(rows)) output.line(line);
}

function cells(accuracy: Proportion | null): string[] {
  return accuracy ? [formatPercent(accuracy.estimate), range(accuracy)] : ['–', '–'];
}

function range({ low, high }: Proportion): string {
  return `${(low * 100).toFixed(1)}–${formatPercent(high)}`;
}
