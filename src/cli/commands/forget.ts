import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { LabelsmithError } from '../../errors.ts';
import { findToForget, forget as forgetImages } from '../../stages/forget/forget.ts';
import { command } from '../command.ts';
import { argument, flag } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

export const forget = command({
  name: 'forget',
  summary: 'take images out of the record for good',
  details:
    'Removes images with everything that was said of them, labels of people too. No file is touched; one that is still in\n' +
    'a source comes in again at the next add, as new; a name that people gave to the cluster it was in holds for it again\n' +
    'then. Without --yes it only says what would be lost.',
  args: {
    images: argument(
      '[image...]',
      'files, folders or archives that were added, or ids',
      z.array(z.string()).default([]),
    ),
  },
  options: {
    gone: flag('--gone', 'all images of which no file is there any more (after add --sync)'),
    yes: flag('--yes', 'do it'),
  },
  dryRun: true,
  examples: [
    ['labelsmith forget --gone --yes', 'what was deleted on disk, after add --sync'],
    ['labelsmith forget photos/blurred/ --dry-run', 'what would be lost'],
  ],
  async run(invocation) {
    const { args, options, global, output } = invocation;
    if (args.images.length === 0 && !options.gone) {
      throw new LabelsmithError('USAGE', 'nothing to forget', { hint: 'Name images, or use --gone.' });
    }
    return withWorkspace(invocation, async (workspace) => {
      const query = { names: args.images, cwd: process.cwd(), gone: options.gone };
      const { ids, withFiles, precious } = await findToForget(workspace.store, query);
      const said = precious === 0 ? '' : `, with ${plural(precious, 'label')} of people or imports`;
      if (global.dryRun || !options.yes) {
        output.document({ dryRun: true, images: ids.length, withFiles, precious });
        output.line(`Would forget ${plural(ids.length, 'image')}${said}.`);
        if (withFiles > 0)
          output.line(`Still in a source, and new again at the next add: ${plural(withFiles, 'image')}.`);
        if (!global.dryRun) output.line('Nothing was removed: labelsmith forget … --yes does it.');
        return ids.length === 0 || !global.dryRun ? 1 : 0;
      }
      const run = invocation.runOptions();
      const { counts, interrupted } = await forgetImages(workspace, ids, run);
      run.done();
      output.document({ interrupted, ...counts });
      const what = [plural(counts.images, 'image'), plural(counts.regions, 'region'), plural(counts.labels, 'label')];
      output.summary(`Forgot ${what.join(', ')}.`);
      return counts.images === 0 ? 1 : 0;
    });
  },
});
