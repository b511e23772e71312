import { openWorkspace } from '../../jobs/workspace.ts';
import type { Source } from '../../sources/source.ts';
import { openSources } from '../../stages/add/add.ts';
import { matchIn } from '../../stages/match/match.ts';
import type { CommandSpec } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import { fraction } from '../parse.ts';
import { formatPercent, plural, table } from '../words.ts';
import { HERE } from './add.ts';
import { openSavedEmbedder } from './embed.ts';

export const match: CommandSpec = {
  usage: 'match <refs>',
  summary: 'label images by similarity to reference images',
  details:
    'REFS is a folder with a folder for each class and one reference image or more in each. What looks like none of them\n' +
    'stays unlabelled. References of earlier runs count too, unless --replace. Needs embeddings: labelsmith embed.\n' +
    'With --limit N only the first N images are labelled; the others stay as they are.',
  options: [
    {
      flags: '--threshold <t>',
      description: "cosine an image needs, 0 to 1 (default: each class's own, from its references)",
      parse: fraction('--threshold'),
    },
    { flags: '--task <name>', description: 'the task that gets the labels', default: 'class' },
    { flags: '--replace', description: 'forget the references of earlier runs', default: false },
  ],
  limit: true,
  examples: [
    ['labelsmith match references/', 'five pictures of each class go far'],
    ['labelsmith match more/', 'more references join those before'],
    ['labelsmith match references/ --limit 50', 'a pilot on 50 images'],
  ],
  async run(invocation) {
    const { args, options, global, output, signal } = invocation;
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const [source] = (await openSources(workspace, args, HERE)) as [Source];
      const run = invocation.runOptions();
      const { classes, problems, warnings, counts, pilot, interrupted } = await matchIn(workspace, source, {
        ...run,
        task: options.task as string,
        threshold: options.threshold as number | undefined,
        replace: options.replace as boolean,
        openEmbedder: (model) =>
          openSavedEmbedder(model, { ...fetchOptionsFor(output, signal), threads: global.threads }),
      });
      run.done();
      output.document({ interrupted, pilot, ...counts, perClass: classes, problems, warnings });
      output.line(
        `Labelled ${plural(counts.labelled, 'image')} of ${counts.images} from ${plural(counts.references, 'reference')}.`,
      );
      if (pilot) output.line('This was a pilot (--limit): all other images stay as they were.');
      const rows = classes.map(({ name, references, images, referenceAccuracy, confusedWith }) => [
        name,
        references,
        images,
        referenceAccuracy === null ? '–' : formatPercent(referenceAccuracy, 0),
        confusedWith ?? '',
      ]);
      for (const line of table([['class', 'references', 'images', 'recognised', 'most like'], ...rows])) {
        output.line(`  ${line}`);
      }
      for (const { path, message } of problems) output.warn(`Left out ${path}: ${message}`);
      for (const warning of warnings) output.warn(`Warning: ${warning}.`);
      if (counts.labelled === 0) return 1;
      return global.strict && problems.length + warnings.length > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
};
