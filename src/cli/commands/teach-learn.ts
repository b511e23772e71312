import { z } from 'zod';
import type { GateReport } from '../../stages/teach/fine-tune/exit-gate.ts';
import {
  FINE_TUNE_CHOICES,
  type FineTuneChoice,
  type TakenOverProgress,
} from '../../stages/teach/fine-tune/fine-tuned-task.ts';
import { type DepthRound, roundText } from '../../stages/teach/fine-tune/steps.ts';
import { DEFAULT_THRESHOLD } from '../../stages/teach/teach.ts';
import { teachWith } from '../../stages/teach/teach-with.ts';
import { type Context, command } from '../command.ts';
import { noteAgain } from '../print/again.ts';
import { noteLimit } from '../print/embedded.ts';
import { printReadErrors } from '../print/read-errors.ts';
import { printTaught } from '../print/taught.ts';
import { tellTeach } from '../print/teach-estimate.ts';
import { duration, fraction, nameList, taskName, wholeNumber } from '../text-values.ts';
import { flag, type OptionTable, option, type Values } from '../values.ts';
import { formatPercent } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

/** Steps of a training between two lines. */
const SHOWN_STEPS = 50;

/** The option of all of them. */
export const TASK = option('--task <name>', 'the task whose labels are learned', taskName().default('class'));

const LEARNING = {
  task: TASK,
  budget: option(
    '--budget <time>',
    'cut the search short and begin nothing new after this long, such as 20m; without it, no end',
    duration().optional(),
  ),
  search: option(
    '--search <width>',
    'what is tried: strengths and class weights, or other embedders, heads and views too',
    z.enum(['quick', 'wide']).default('quick'),
  ),
  backbones: option(
    '--backbones <a,b>',
    'tries these embedders, alone and two side by side, without --search wide too (default with it: all in the cache)',
    nameList().optional(),
  ),
  views: option(
    '--views <n>',
    'crops, mirrors and other light of each labelled image that are taught as well',
    wholeNumber(0).default(0),
  ),
} satisfies OptionTable;

export const train = command({
  name: 'teach train',
  summary: 'a base model from the labels alone, and how good it is',
  details:
    'Learns from what people said and what was imported, never from audit items. Writes a classifier and labels nothing:\n' +
    'teach rounds does both, and is better. Embeds first, with --limit N at most N; all that are embedded take part.',
  options: LEARNING,
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith teach train', 'the labels of the task class'],
    ['labelsmith teach train --search wide --views 4 --budget 10m', 'what else may help, for ten minutes'],
    ['labelsmith teach train --backbones mobilenetv3-small,mine', 'which of two embedders, or both'],
  ],
  run: ({ options, ...context }) => learn(context, options, { labelRest: false, threshold: DEFAULT_THRESHOLD }),
});

export const rounds = command({
  name: 'teach rounds',
  summary: 'learn from the labels and from everything else, then label the rest',
  details:
    'Items that are surer than the threshold get a label of origin model; the others stay for people, and evaluate knows\n' +
    'the best guess for them. Items without an embedding are embedded first, with --limit N at most N of them; all that\n' +
    'are embedded take part. --fine-tune head is off by another name: it trains a classifier on the vectors, and no embedder.',
  options: {
    ...LEARNING,
    threshold: option(
      '--threshold <confidence>',
      'calibrated confidence a label needs, 0 to 1; the rest stay for people',
      fraction().default(DEFAULT_THRESHOLD),
    ),
    fineTune: option(
      '--fine-tune <depth>',
      'train the embedder on the labels as well: biases, the last part, all of it, or what helps; kept only if it does',
      z.enum(FINE_TUNE_CHOICES).default('off'),
    ),
    keepEmbedder: option(
      '--keep-embedder <name>',
      'keep the fine-tuned embedder under this name: embed --model takes it, and then discover, match and similar',
      z.string().optional(),
    ),
    final: flag(
      '--final',
      "at the end, learn from the audit's answers too; the accuracy that is stated is measured before",
    ),
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith teach rounds', 'label the rest of the task class'],
    ['labelsmith teach rounds --threshold 0.95', 'fewer labels, more of them right'],
    ['labelsmith teach rounds --fine-tune auto --budget 15m', 'train the embedder too, where that helps'],
    [
      'labelsmith teach rounds --fine-tune all --keep-embedder mine',
      'and keep what came of it, for discover and similar',
    ],
    ['labelsmith teach rounds --final', 'when nothing more is to be measured: learn from every answer'],
    ['labelsmith teach rounds --budget 20m', 'begin nothing new after 20 minutes'],
  ],
  run: ({ options: { threshold, final, fineTune, keepEmbedder, ...learning }, ...context }) =>
    learn(context, learning, { labelRest: true, threshold, final, fineTune, keepEmbedder }),
});

function learn(
  context: Context,
  { budget, ...learning }: Values<typeof LEARNING>,
  labelling: {
    readonly labelRest: boolean;
    readonly threshold: number;
    readonly final?: boolean;
    readonly fineTune?: FineTuneChoice;
    readonly keepEmbedder?: string;
  },
): Promise<number> {
  const { global, output } = context;
  if (global.dryRun)
    return tellTeach(context, {
      task: learning.task,
      learns: true,
      labelsRest: labelling.labelRest,
      keeping: labelling,
    });
  return withWorkspace(context, async (workspace) => {
    const run = context.runOptions();
    const request = { ...learning, budgetMs: budget, ...labelling };
    let passes = 0;
    const result = await teachWith(workspace, request, {
      ...run,
      onEmbedded(embedded, items) {
        run.done();
        noteLimit(output, global.limit, embedded, items);
        printReadErrors(output, embedded.counts);
      },
      onAgain() {
        passes = 0;
        noteAgain(output);
      },
      onTrial({ model, accuracy, weights }) {
        const parts = weights.map((weight) => weight.toFixed(2)).join(' ');
        output.note(`  ${formatPercent(accuracy)} cross-validated: ${model}, parts ${parts}`);
      },
      onAttempt: (tried) => output.note(`  embedder (${roundText(tried)}): the images are prepared`),
      onTraining(tried, { trained, of, steps, ofSteps, loss, accuracy }) {
        const isDone = steps === ofSteps;
        if (!isDone && steps % SHOWN_STEPS !== 0) return;
        const which = `training ${isDone ? trained : trained + 1} of ${of}`;
        const how = `loss ${loss.toFixed(3)}, ${formatPercent(accuracy)} of its own items`;
        output.note(`  embedder (${roundText(tried)}): ${which}, step ${steps} of ${ofSteps}, ${how}`);
      },
      onTakenOver: (tried, training) => output.note(`  ${takenOverText(tried, training)}`),
      onDepth(gate) {
        output.note(`  ${gateText(gate)}`);
      },
      onStep({ method, accuracy, fineTuned, round = 1, folds }) {
        if (fineTuned) {
          const depth = roundText({ step: fineTuned, round });
          output.note(
            `  ${method.padEnd(8)} ${formatPercent(accuracy)} cross-validated on ${folds} folds, embedder fine-tuned (${depth})`,
          );
          return;
        }
        if (method === 'base') {
          output.note(
            ++passes === 1
              ? 'Steps, compared on the labels alone (how right it is on new images stands below):'
              : "Once more, with the audit's answers too:",
          );
        }
        const on = labelling.fineTune === undefined || labelling.fineTune === 'off' ? '' : ` on ${folds} folds`;
        output.note(`  ${method.padEnd(8)} ${formatPercent(accuracy)} cross-validated${on}`);
      },
    });
    run.done();
    if (result === null) return 130;
    const { metrics: _, counts, ...rest } = result;
    output.document({ ...rest, ...counts });
    printTaught(output, result, labelling.labelRest);
    return global.strict && result.leftOut.length > 0 ? 1 : 0;
  });
}

/** The last depth of those that were tried, against the embedder as it is: on the same folds, which decide. */
function gateText({ folds, labels, frozen, depths }: GateReport): string {
  const figures = ({ right, loss }: GateReport['frozen']) =>
    `${right} of ${labels} held-out labels right, loss ${loss.toFixed(3)}`;
  const last = depths.at(-1);
  if (!last) return `embedder as it is, on the ${folds} folds that decide: ${figures(frozen)}`;
  const how = last.figures ? `, on the same folds: ${figures(last.figures)}` : '';
  return `embedder (${roundText({ step: last.depth, round: last.round })})${how}; ${last.kept ? 'kept so far' : 'not kept'}: ${last.why}`;
}

function takenOverText(tried: DepthRound, { training, of, steps, ofSteps, isDone }: TakenOverProgress): string {
  const how = isDone
    ? 'was done by an earlier run'
    : `goes on after step ${steps} of ${ofSteps}, where an earlier run was stopped`;
  return `embedder (${roundText(tried)}): training ${training} of ${of} ${how}`;
}
