import type { Account } from '../../labelling/teach/account.ts';
import { singleTask } from '../../labelling/teach/items.ts';
import { DEFAULT_THRESHOLD, type TeachResult, teachIn } from '../../labelling/teach/teach.ts';
import { openWorkspace } from '../../pipeline/workspace.ts';
import type { CommandSpec, Invocation, OptionSpec } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import { fraction } from '../parse.ts';
import { durationMs } from '../parse-duration.ts';
import { formatCount, formatPercent, oneLine, plural, table } from '../words.ts';
import { runEmbed } from './embed.ts';

const TASK: OptionSpec = { flags: '--task <name>', description: 'the task whose labels are learned', default: 'class' };
const THRESHOLD: OptionSpec = {
  flags: '--threshold <confidence>',
  description: 'calibrated confidence a label needs, 0 to 1; the rest stay for people',
  default: DEFAULT_THRESHOLD,
  parse: fraction('--threshold'),
};

const train: CommandSpec = {
  usage: 'teach train',
  summary: 'a base model from the labels alone, and how good it is',
  details:
    'Learns from what people said and what was imported, never from audit items. Writes a classifier and labels nothing:\n' +
    'teach rounds does both, and is better.',
  options: [TASK],
  examples: [['labelsmith teach train', 'the labels of the task class']],
  run: (invocation) => teachCommand(invocation, false),
};

const rounds: CommandSpec = {
  usage: 'teach rounds',
  summary: 'learn from the labels and from everything else, then label the rest',
  details:
    'Items that are surer than the threshold get a label of origin model; the others stay for people, and evaluate knows\n' +
    'the best guess for them. Items without an embedding are embedded first.',
  options: [
    TASK,
    THRESHOLD,
    {
      flags: '--budget <time>',
      description: 'begin nothing new after this long, such as 20m; without it, no end',
      parse: durationMs('--budget'),
    },
  ],
  examples: [
    ['labelsmith teach rounds', 'label the rest of the task class'],
    ['labelsmith teach rounds --threshold 0.95', 'fewer labels, more of them right'],
    ['labelsmith teach rounds --budget 20m', 'begin nothing new after 20 minutes'],
  ],
  run: (invocation) => teachCommand(invocation, true),
};

async function teachCommand(invocation: Invocation, labelRest: boolean): Promise<number> {
  const { options, global, output, signal } = invocation;
  const workspace = await openWorkspace(global.workspace, { create: false });
  try {
    const task = options.task as string;
    const { items } = await singleTask(workspace.store, task);
    const embedded = await runEmbed(invocation, workspace, { items, force: false });
    if (embedded.interrupted) return 130;
    const { seed, threads } = global;
    const result = await teachIn(workspace, {
      seed,
      threads,
      signal,
      task,
      threshold: (options.threshold as number | undefined) ?? DEFAULT_THRESHOLD,
      budgetMs: options.budget as number | undefined,
      techniques: labelRest ? undefined : [],
      labelRest,
      preparing: fetchOptionsFor(output, signal),
      onStep: ({ technique, accuracy }) =>
        output.note(`  ${technique.padEnd(8)} ${formatPercent(accuracy)} cross-validated`),
    });
    output.document(documentOf(result));
    print(invocation, result, labelRest);
    return global.strict && result.warnings.length > 0 ? 1 : 0;
  } finally {
    await workspace.close();
  }
}

function documentOf({ metrics: _, counts, ...rest }: TeachResult): unknown {
  return { ...rest, ...counts };
}

function print({ output }: Invocation, result: TeachResult, labelRest: boolean): void {
  const { counts, crossValidated, account, technique } = result;
  output.line(
    `Learned ${plural(counts.classes, 'class', 'classes')} from ${plural(counts.labelled, 'label')} (${technique}).`,
  );
  const [low, high] = crossValidated.interval;
  output.line(
    `Accuracy ${formatPercent(crossValidated.accuracy)} cross-validated on the labels (95 %: ${formatPercent(low)} to ${formatPercent(high)}).`,
  );
  if (account.measuredOn === 'audit') printAudit(output, account);
  const curve = account.learningCurve;
  if (curve && curve.more !== null && curve.more > 0) {
    output.line(`For ${formatPercent(curve.goal, 0)}, about ${formatCount(curve.more)} more labels like these.`);
  }
  if (account.confusions.length > 0) {
    output.line();
    const rows = account.confusions.map(({ truth, predicted, count }) => [oneLine(truth), oneLine(predicted), count]);
    for (const line of table([['class', 'taken for', 'items'], ...rows])) output.line(`  ${line}`);
    output.line();
  }
  if (labelRest) {
    output.line(`Labelled ${plural(counts.labels, 'item')}; ${plural(counts.unsure, 'item')} left for people.`);
  }
  output.line(`Classifier: ${result.model}`);
  for (const warning of result.warnings) output.note(`note: ${warning}`);
}

function printAudit(output: Invocation['output'], { accuracy, interval: [low, high], count, ece }: Account): void {
  output.line(
    `Accuracy ${formatPercent(accuracy)} on ${plural(count, 'audit item')} (95 %: ${formatPercent(low)} to ${formatPercent(high)}), calibration error ${ece.toFixed(3)}.`,
  );
}

export const teachCommands: readonly CommandSpec[] = [train, rounds];
