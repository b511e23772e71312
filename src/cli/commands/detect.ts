import { z } from 'zod';
import { QUALITIES } from '../../models/choose-embedder.ts';
import { detectWith, estimateDetectWith } from '../../stages/detect/detect-with.ts';
import { command } from '../command.ts';
import { detectedCounts, printDetectEstimate, printDetected } from '../print/detected.ts';
import { taskName } from '../text-values.ts';
import { flag, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { DETECT_OPTIONS, detectRequest } from './detect-options.ts';
import { PART, partOf } from './part-option.ts';

export const detect = command({
  name: 'detect',
  summary: 'find objects: regions with classes, and image labels from them',
  details:
    'Every detection scoring 0.05 or more is kept as a candidate; those over the threshold become regions and labels.\n' +
    'A second run does only what is missing, and another threshold does not run the model again. What a person said,\n' +
    'drew or deleted stays as it is, also with --force.',
  options: {
    ...DETECT_OPTIONS,
    quality: option(
      '--quality <quality>',
      'in place of --model: the best detector, and with --segment the best masks, of this quality that can be had',
      z.enum(QUALITIES).optional(),
    ),
    force: flag('--force', 'run the model again on images that were done'),
    ...PART,
    task: option('--task <name>', 'the task that gets the labels', taskName().default('objects')),
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith detect', 'all 80 COCO classes'],
    ['labelsmith detect --classes person,car,dog', 'only these'],
    ['labelsmith detect --threshold 0.4,person=0.5', 'another threshold, and one for people'],
    ['labelsmith detect --model nanodet', 'another model'],
    ['labelsmith detect --quality best --segment', 'the strongest detector and masks that a hub can be had of'],
    ['labelsmith detect --mapping mine.csv', "the model's classes under your names"],
    ['labelsmith detect --pose', 'keypoints on people too; only what is missing is done'],
    ['labelsmith detect --segment', 'a mask in each box too; only what is missing is done'],
    ['labelsmith detect --tiles', 'small things in large images: tiles besides the whole'],
    ['labelsmith detect --limit 100', 'a run on 100 images first'],
  ],
  run({ options, ...context }) {
    keepYoungGenerationSmall();
    const { global, output } = context;
    return withWorkspace(
      context,
      async (workspace) => {
        const { force, task, quality, shard: _, ...asked } = options;
        const request = { ...(await detectRequest(asked)), force, task, quality };
        if (global.dryRun) {
          const estimate = await estimateDetectWith(workspace, request, global);
          output.document({ dryRun: true, ...estimate });
          printDetectEstimate(output, estimate);
          if (options.pose)
            output.note('Keypoints are not in this estimate: how many people there are is not known yet.');
          if (options.segment)
            output.note('Masks are not in this estimate: how many regions there will be is not known yet.');
          return 0;
        }
        const run = context.runOptions();
        const result = await detectWith(workspace, request, run);
        run.done();
        const { interrupted, unknownInMapping, readErrors } = result;
        output.document({ interrupted, ...detectedCounts(result), unknownInMapping });
        printDetected(output, result);
        if ((await workspace.store.countImages()) === 0) return 1;
        return global.strict && readErrors.quarantined > 0 ? 1 : 0;
      },
      { part: partOf(options) },
    );
  },
});
