import { z } from 'zod';
import { openSources } from '../../stages/add/open-sources.ts';
import { matchIn } from '../../stages/match/match.ts';
import { command } from '../command.ts';
import { fraction, taskName } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { formatPercent, plural, table } from '../words.ts';
import { withWorkspace } from '../workspace.ts';
import { HERE } from './add.ts';

export const match = command({
  name: 'match',
  summary: 'label images by similarity to reference images',
  details:
    'REFS is a folder with a folder for each class and one reference image or more in each. What looks like none of them\n' +
    'stays unlabelled. References of earlier runs count too, unless --replace. Needs embeddings: labelsmith embed.\n' +
    'With --limit N only the first N images are labelled; the others stay as they are.',
  args: { refs: argument('<refs>', 'a folder with a folder of pictures for each class', z.string()) },
  options: {
    threshold: option(
      '--threshold <t>',
      "cosine an image needs, 0 to 1 (default: each class's own, from its references)",
      fraction().optional(),
    ),
    task: option('--task <name>', 'the task that gets the labels', taskName().default('class')),
    replace: flag('--replace', 'forget the references of earlier runs'),
  },
  limit: true,
  examples: [
    ['labelsmith match references/', 'five pictures of each class go far'],
    ['labelsmith match more/', 'more references join those before'],
    ['labelsmith match references/ --limit 50', 'a run on 50 images first'],
  ],
  run({ args, options, ...context }) {
    const { global, output } = context;
    return withWorkspace(context, async (workspace) => {
      const [source] = await openSources(workspace, [args.refs], HERE);
      const run = context.runOptions();
      const { classes, problems, warnings, counts, pilot, interrupted } = await matchIn(workspace, source, {
        ...run,
        ...options,
      });
      run.done();
      output.document({ interrupted, pilot, ...counts, perClass: classes, problems, warnings });
      output.summary(
        `Labelled ${plural(counts.labelled, 'image')} of ${counts.images} from ${plural(counts.references, 'reference')}.`,
      );
      if (pilot) output.summary('This was a run on a subset (--limit): all other images stay as they were.');
      const rows = classes.map(({ name, references, images, referenceAccuracy, confusedWith }) => [
        name,
        references,
        images,
        referenceAccuracy === null ? '–' : formatPercent(referenceAccuracy, 0),
        confusedWith ?? '',
      ]);
      for (const line of table([['class', 'references', 'images', 'recognised', 'most like'], ...rows])) {
        output.summary(`  ${line}`);
      }
      for (const { path, message } of problems) output.warn(`Left out ${path}: ${message}`);
      for (const warning of warnings) output.warn(`Warning: ${warning}.`);
      if (counts.labelled === 0) return 1;
      return global.strict && problems.length + warnings.length > 0 ? 1 : 0;
    });
  },
});
