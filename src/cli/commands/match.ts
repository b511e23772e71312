import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { LabelsmithError } from '../../errors.ts';
import { openSources } from '../../stages/add/open-sources.ts';
import { matchIn } from '../../stages/match/match.ts';
import { type Context, command } from '../command.ts';
import { noteAgain } from '../print/again.ts';
import { fraction, taskName } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { formatDuration, formatPercent, table } from '../words.ts';
import { type WithWorkspaceOptions, withWorkspace } from '../workspace.ts';
import { HERE } from './add.ts';
import { PART, partOf } from './part-option.ts';

export const match = command({
  name: 'match',
  summary: 'label images by similarity to reference images, or by the names of classes alone',
  details:
    'REFS is a folder with a folder for each class and one reference image or more in each. What looks like none of them\n' +
    'stays unlabelled. References of earlier runs count too, unless --replace. Needs embeddings: labelsmith embed.\n' +
    'With --limit N only the first N images are labelled; the others stay as they are.\n' +
    'With --classes there are no pictures of the classes: their names are compared with the images, where the embedder\n' +
    'knows words (labelsmith embed --model siglip2-base). What everyday words describe as well stays unlabelled.',
  args: { refs: argument('[refs]', 'a folder with a folder of pictures for each class', z.string().optional()) },
  options: {
    threshold: option(
      '--threshold <t>',
      "cosine an image needs, 0 to 1 (default: each class's own, from its references); with --classes the class's share, .5",
      fraction().optional(),
    ),
    classes: option(
      '--classes <names>',
      'in place of pictures: names with commas between, or a file with one a line',
      z.string().optional(),
    ),
    template: option(
      '--template <text>',
      'with --classes: a sentence with {} for the name (default: six about photos)',
      z.string().optional(),
    ),
    task: option('--task <name>', 'the task that gets the labels', taskName().default('class')),
    replace: flag('--replace', 'forget the references of earlier runs'),
    ...PART,
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith match references/', 'five pictures of each class go far'],
    ['labelsmith match more/', 'more references join those before'],
    ['labelsmith match references/ --limit 50', 'a run on 50 images first'],
    ['labelsmith match --classes "resistor,capacitor,coil"', 'by their names alone'],
    ['labelsmith match references/ --shard 0/4', 'a quarter of it, beside three other processes'],
  ],
  run({ args, options, ...context }) {
    const { global, output } = context;
    const { classes: names, template, shard: _, ...given } = options;
    const part = partOf({ shard: options.shard });
    const { refs } = args;
    if ((refs === undefined) === (names === undefined)) {
      throw new LabelsmithError('USAGE', 'Give a folder of references, or --classes.', {
        hint: 'labelsmith match references/, or labelsmith match --classes "resistor,capacitor".',
      });
    }
    if (global.dryRun) return tellMatch(context, refs ?? null, names, options);
    if (names !== undefined) return matchByWords(context, names, { ...given, template, part });
    return withWorkspace(
      context,
      async (workspace) => {
        const [source] = await openSources(workspace, refs === undefined ? [] : [refs], HERE);
        const run = context.runOptions();
        const { classes, problems, warnings, counts, pilot, interrupted } = await matchIn(workspace, source, {
          ...run,
          ...given,
          onAgain: () => noteAgain(output),
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
      },
      { part },
    );
  },
});

async function tellMatch(
  context: Context,
  refs: string | null,
  words: string | undefined,
  { task, replace }: { readonly task: string; readonly replace: boolean },
): Promise<number> {
  const { output } = context;
  const { classNamesFrom } = await import('../../stages/class-list.ts');
  const { estimateMatch } = await import('../../stages/match/estimate.ts');
  const named = words === undefined ? [] : await classNamesFrom(words);
  return withWorkspace(context, async (workspace) => {
    const [source = null] = await openSources(workspace, refs === null ? [] : [refs], HERE);
    const { done: _, ...run } = context.runOptions();
    const estimate = await estimateMatch(workspace, source, { ...run, task, replace });
    const classes = words === undefined ? Object.keys(estimate.references).sort() : named;
    output.document({ dryRun: true, task, classes, ...estimate });
    const { images, kept, outside, replaced, estimatedMs } = estimate;
    const files = Object.values(estimate.references).reduce((sum, count) => sum + count, 0);
    const what = words === undefined ? plural(files, 'reference') : 'their names';
    output.line(
      `Would compare ${plural(images, 'image')} with ${what} of ${plural(classes.length, 'class', 'classes')}${kept > 0 ? ` and ${plural(kept, 'reference')} of earlier runs` : ''}, for the task ${task}.`,
    );
    if (outside > 0) output.warn(`${plural(outside, 'file')} of it would be left out: in no class’s folder.`);
    if (replaced > 0) output.line(`${plural(replaced, 'label')} of earlier matching would give way to the new ones.`);
    output.line(`Embedding the references would take about ${formatDuration(estimatedMs)}; comparing comes after it.`);
    return images === 0 ? 1 : 0;
  });
}

interface ByWords {
  readonly task: string;
  readonly threshold?: number;
  readonly template?: string;
  readonly part: WithWorkspaceOptions['part'];
}

async function matchByWords(context: Context, names: string, { template, part, ...options }: ByWords): Promise<number> {
  const { global, output } = context;
  const { matchWordsIn } = await import('../../stages/match/match-words.ts');
  const { classNamesFrom } = await import('../../stages/class-list.ts');
  const classNames = await classNamesFrom(names);
  return withWorkspace(
    context,
    async (workspace) => {
      const run = context.runOptions();
      const templates = template === undefined ? undefined : [template];
      const result = await matchWordsIn(workspace, {
        ...run,
        ...options,
        classNames,
        templates,
        onAgain: () => noteAgain(output),
      });
      run.done();
      const { classes, warnings, counts, pilot, interrupted } = result;
      output.document({ interrupted, pilot, ...counts, perClass: classes, warnings });
      output.summary(
        `Labelled ${plural(counts.labelled, 'image')} of ${counts.images}; ${counts.unlabelled} fit none of these.`,
      );
      if (pilot) output.summary('This was a run on a subset (--limit): all other images stay as they were.');
      const rows = classes.map(({ name, images }) => [name, images]);
      for (const line of table([['class', 'images'], ...rows])) output.summary(`  ${line}`);
      for (const warning of warnings) output.warn(`Warning: ${warning}.`);
      if (counts.labelled === 0) return 1;
      return global.strict && warnings.length > 1 ? 1 : 0;
    },
    { part },
  );
}
