import { z } from 'zod';
import { classifierPath } from '../../stages/classify/classify-with.ts';
import { DEFAULT_DETECTOR } from '../../stages/detect/detect-with.ts';
import { driftLines } from '../../stages/watch/drift.ts';
import { watchIn } from '../../stages/watch/watch.ts';
import { command } from '../command.ts';
import { batchLine, printWatched } from '../print/watched.ts';
import { duration, taskName } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

export const watch = command({
  name: 'watch',
  summary: 'label the images of a folder as they arrive',
  details:
    'New files are added, detected, embedded and given a class: by the classifier that was taught here (or --classifier),\n' +
    'by the references of match, or by the clusters of discover, whichever the workspace has. Half-written files are waited\n' +
    'for; files that go or are renamed are noticed, and their labels stay. What fits no class stays without one.',
  args: { folder: argument('<dir>', 'the folder that images arrive in', z.string()) },
  options: {
    task: option('--task <name>', 'the task that classes are given in', taskName().default('class')),
    classifier: option('--classifier <file|task>', 'a classifier of teach', z.string().optional()),
    model: option(
      '-m, --model <name>',
      'the detector: see labelsmith models list',
      z.string().default(DEFAULT_DETECTOR),
    ),
    skipDetect: flag('--skip-detect', 'classes only, no objects: faster'),
    settle: {
      ...option('--settle <time>', 'a file is whole when it stayed as it is for so long', duration().default(400)),
      defaultText: '0.4s',
    },
    drift: {
      ...option(
        '--drift <time>',
        'compares the last so long with before, once a day and at the end',
        duration().default(7 * 86_400_000),
      ),
      defaultText: '7d',
    },
    untilIdle: option('--until-idle <time>', 'end when nothing has come for so long', duration().optional()),
  },
  examples: [
    ['labelsmith watch frames', 'until Ctrl-C'],
    ['labelsmith watch frames --skip-detect --until-idle 1m', 'classes only, and an end'],
  ],
  async run({ args, options, ...context }) {
    const { output } = context;
    return withWorkspace(
      context,
      async (workspace) => {
        const { task, classifier, model, skipDetect, settle, untilIdle, drift } = options;
        const request = {
          folder: args.folder,
          cwd: process.cwd(),
          task,
          settleMs: settle,
          untilIdleMs: untilIdle,
          driftMs: drift,
          detector: skipDetect ? null : model,
          classifier: classifier === undefined ? undefined : await classifierPath(workspace, classifier),
        };
        const { onProgress: _, done: __, ...run } = context.runOptions();
        const result = await watchIn(workspace, request, {
          ...run,
          onBatch: (batch) => output.note(batchLine(batch)),
          onNotice: (text) => output.warn(text),
          onDrift: (drift) => output.note(driftLines(drift).map(oneLine).join('\n')),
        });
        output.document(result);
        printWatched(output, result);
        return 0;
      },
      { create: true },
    );
  },
});
