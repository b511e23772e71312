import { z } from 'zod';
import { ORIGINS } from '../../core/labels.ts';
import { evaluateAgainst } from '../../stages/evaluate/evaluate-against.ts';
import { formatLabelErrors } from '../../stages/evaluate/label-error-metrics.ts';
import { command } from '../command.ts';
import { formatEvaluation } from '../print/evaluated.ts';
import { printReckoning } from '../reckoning-text.ts';
import { taskName } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

export const evaluate = command({
  name: 'evaluate',
  summary: 'compare with the truth: accuracy, clustering, mAP',
  details:
    'TRUTH is a folder with a folder for each class, a CSV with file,class, or a COCO file. mAP follows pycocotools and is\n' +
    'computed on every candidate of the detector, not only on accepted regions; where no detector has run, and with --origin\n' +
    'human or imported, on the boxes that have a label.',
  args: { truth: argument('<truth>', 'a folder, a CSV or a COCO file', z.string()) },
  options: {
    task: option(
      '--task <name>',
      'the task to compare (default: objects where TRUTH has boxes, else class)',
      taskName().optional(),
    ),
    origin: option('--origin <origin>', 'only what this origin says', z.enum(ORIGINS).optional()),
    format: option('--format <name>', "TRUTH's format (default: told from its name)", z.string().optional()),
    model: option(
      '--model <key>',
      "whose candidates mAP is computed on (default: the last run's)",
      z.string().optional(),
    ),
  },
  examples: [
    ['labelsmith evaluate instances.json', 'mAP, AP50 and AP75 of the detector'],
    ['labelsmith evaluate sorted/', 'accuracy against a folder for each class'],
    ['labelsmith evaluate instances.json --origin imported', 'how good boxes are that somebody else drew'],
  ],
  run({ args, options, ...context }) {
    const { global, output } = context;
    return withWorkspace(context, async (workspace) => {
      const found = await evaluateAgainst(workspace, args.truth, options);
      const { evaluation, details, labelErrors, reckoning, unmatchedWhere } = found;
      output.document({
        ...evaluation,
        ...(labelErrors && { labelErrors }),
        ...(reckoning.problems.length > 0 && { reckoning }),
      });
      output.line(formatEvaluation(evaluation, details));
      if (labelErrors) output.line(formatLabelErrors(labelErrors));
      printReckoning(reckoning, output);
      for (const where of unmatchedWhere) output.note(`no image for ${oneLine(where)}`);
      const { images, unmatched, classification, clustering, detection } = evaluation;
      if (images === 0 || !(classification || clustering || detection)) return 1;
      return global.strict && unmatched > 0 ? 1 : 0;
    });
  },
});
