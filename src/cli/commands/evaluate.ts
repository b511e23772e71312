import { z } from 'zod';
import { ORIGINS } from '../../core/labels.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { formatNamed, guessFormat } from '../../formats/table.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { vectorsOf } from '../../report/vectors.ts';
import { evaluate as compare } from '../../stages/evaluate/evaluate.ts';
import { readTruth } from '../../stages/evaluate/ground-truth.ts';
import { formatLabelErrors, labelErrorMetrics } from '../../stages/evaluate/label-error-metrics.ts';
import { canonicalNames, defaultTask, predictionsOf } from '../../stages/evaluate/predictions.ts';
import { resolveLabels } from '../../stages/import/resolve.ts';
import { openPredictions } from '../../stages/predictions.ts';
import { command } from '../command.ts';
import { formatEvaluation } from '../evaluation-text.ts';
import { printReckoning } from '../reckoning-text.ts';
import { argument, option } from '../values.ts';
import { oneLine } from '../words.ts';

export const evaluate = command({
  name: 'evaluate',
  summary: 'compare with the truth: accuracy, clustering, mAP',
  details:
    'TRUTH is a folder with a folder for each class, a CSV with file,class, or a COCO file. mAP follows pycocotools and is\n' +
    'computed on every candidate of the detector, not only on accepted regions.',
  args: { truth: argument('<truth>', 'a folder, a CSV or a COCO file', z.string()) },
  options: {
    task: option(
      '--task <name>',
      'the task to compare (default: objects where TRUTH has boxes, else class)',
      z.string().optional(),
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
  ],
  async run({ args, options, global, output }) {
    const path = args.truth;
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const { store } = workspace;
      const format = options.format === undefined ? await guessFormat(path) : formatNamed(options.format).name;
      const reckoning = new Reckoning();
      const resolved = await resolveLabels(store, format, path, { reckoning });
      const canonical = await canonicalNames(store);
      const truthOf = (task: string, reckoning: Reckoning) =>
        readTruth(resolved.read(), {
          reckoning,
          resolve: (page) => Promise.all(page.map(async (entry) => (await resolved.find(entry)).image)),
          task,
          canonical,
        });
      const asked = options.task;
      const guessed = asked ?? (await defaultTask(store, null));
      const first = await truthOf(guessed, reckoning);
      const task = asked ?? (await defaultTask(store, first));
      // What TRUTH says of the task it turned out to be about; labels that name no task belong to any.
      const truth = task === guessed ? first : await truthOf(task, new Reckoning());
      const guesses = await openPredictions(workspace, task);
      const predictions = await predictionsOf(store, truth, {
        task,
        guesses: guesses && ((ids) => guesses.best(ids)),
        origin: options.origin,
        modelKey: options.model,
      });
      const { evaluation, details } = await compare(truth, {
        ...predictions,
        vectorsOf: (ids) => vectorsOf(workspace, 'images', ids),
      });
      const labelErrors = guesses ? await labelErrorMetrics(workspace, task, truth) : null;
      const read = reckoning.report();
      output.document({
        ...evaluation,
        ...(labelErrors && { labelErrors }),
        ...(read.problems.length > 0 && { reckoning: read }),
      });
      output.line(formatEvaluation(evaluation, details));
      if (labelErrors) output.line(formatLabelErrors(labelErrors));
      printReckoning(read, output);
      for (const where of truth.unmatchedWhere) output.note(`no image for ${oneLine(where)}`);
      const { images, classification, clustering, detection } = evaluation;
      if (images === 0 || !(classification || clustering || detection)) return 1;
      return global.strict && evaluation.unmatched > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});
