import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { csvRow, fileCell, textCell } from '../../formats/csv-table.ts';
import { openClassifier } from '../../stages/classify/classifier-file.ts';
import { taughtClassifier } from '../../stages/classify/classify-with.ts';
import { type FilePrediction, predictBelow } from '../../stages/classify/predict.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { fraction } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { oneLine } from '../words.ts';
import { TASK } from './teach-learn.ts';

export const predict = command({
  name: 'teach predict',
  summary: 'a trained classifier on images anywhere, with no workspace',
  details:
    'Prints file,class,confidence as CSV, or a JSON document with --json. Files that cannot be read are listed on stderr.\n' +
    'With --limit N only the first N files are looked at.',
  args: { folder: argument('<folder>', 'images: anything that add takes', z.string()) },
  options: {
    model: option(
      '-m, --model <file>',
      'the classifier that teach rounds wrote (default: that of the workspace)',
      z.string().optional(),
    ),
    task: TASK,
    threshold: option(
      '--threshold <confidence>',
      'leave the class empty below this (default: every image gets the class that is likeliest)',
      fraction().optional(),
    ),
  },
  limit: true,
  examples: [['labelsmith teach predict new/ --model class.onnx > labels.csv', 'a CSV of labels']],
  async run({ args: { folder }, options, global, output, signal }) {
    const { threads, device, limit, strict } = global;
    const model = options.model ?? taughtClassifier(global.workspace, options.task);
    const classifier = await openClassifier(model, { threads, device });
    try {
      const { threshold } = options;
      const print = predictionPrinter(output);
      // For the document alone: as CSV the files are not held.
      const predictions: unknown[] = [];
      const failed: unknown[] = [];
      const counts = { done: 0, failed: 0 };
      for await (const prediction of predictBelow(classifier, folder, { signal, limit, threshold })) {
        const { kind, ...rest } = prediction;
        counts[kind]++;
        if (output.json) (kind === 'done' ? predictions : failed).push(rest);
        print.row(prediction);
      }
      print.head();
      const { key, info } = classifier;
      output.document({ model: key, task: info.task, images: counts.done, predictions, failed });
      if (signal.aborted) return 130;
      const all = counts.done + counts.failed;
      if (all === limit) output.note(`A subset: the first ${plural(limit, 'file')} of ${folder} (--limit).`);
      if (all === 0) output.warn(`There are no images in ${folder}.`);
      return counts.done === 0 || (strict && counts.failed > 0) ? 1 : 0;
    } finally {
      await classifier.close();
    }
  },
});

/** CSV on stdout, whose head comes when there is something to say: a folder that is not there leaves stdout empty. */
function predictionPrinter(output: Output) {
  let headed = false;
  const head = () => {
    if (!headed) output.line('file,class,confidence');
    headed = true;
  };
  return {
    head,
    row(prediction: FilePrediction) {
      const { file } = prediction;
      if (prediction.kind === 'failed') {
        output.warn(`${oneLine(file)}: ${oneLine(prediction.message)}`);
        return;
      }
      head();
      output.line(csvRow([fileCell(file), textCell(prediction.class), String(prediction.confidence)]).trimEnd());
    },
  };
}
