import { z } from 'zod';
import { classifierPath, classifyWith } from '../../stages/classify/classify-with.ts';
import { command } from '../command.ts';
import { noteAgain } from '../print/again.ts';
import { printClassified } from '../print/auto.ts';
import { printReadErrors } from '../print/read-errors.ts';
import { fraction } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { PART, partOf } from './part-option.ts';

export const classify = command({
  name: 'classify',
  summary: 'label the images of a workspace with a trained classifier',
  details:
    'The classifier is a file that teach rounds wrote, here or elsewhere. Its labels are of origin model in its task; what people\n' +
    'said stays, and what it is not sure enough of is left for them. A second run does only what is missing. Needs no embeddings.',
  args: {
    classifier: argument(
      '[classifier]',
      'its file, or the name of a task taught in this workspace (default: class)',
      z.string().default('class'),
    ),
  },
  options: {
    threshold: option(
      '--threshold <confidence>',
      'confidence a label needs, 0 to 1 (default: the one that the classifier was made with)',
      fraction().optional(),
    ),
    ...PART,
  },
  limit: true,
  examples: [
    ['labelsmith classify parts.onnx', 'labels of your own classes'],
    ['labelsmith classify parts.onnx --threshold 0.95', 'fewer labels, more of them right'],
    ['labelsmith classify parts.onnx --limit 200', 'a run on 200 images first'],
    ['labelsmith classify parts.onnx --shard 0/4', 'a quarter of it, beside three other processes'],
  ],
  run({ args, options, ...context }) {
    const { global, output } = context;
    const { shard, threshold } = options;
    return withWorkspace(
      context,
      async (workspace) => {
        const path = await classifierPath(workspace, args.classifier);
        const run = context.runOptions();
        const result = await classifyWith(workspace, path, { ...run, threshold, onAgain: () => noteAgain(output) });
        run.done();
        const { interrupted, task, counts } = result;
        output.document({ interrupted, task, ...counts });
        printClassified(output, result);
        printReadErrors(output, counts);
        if ((await workspace.store.countImages()) === 0) return 1;
        return global.strict && counts.quarantined > 0 ? 1 : 0;
      },
      { part: partOf({ shard }) },
    );
  },
});
