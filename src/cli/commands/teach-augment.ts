import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { flag, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { TASK } from './teach-learn.ts';

const SHEET_FILE = 'a file that ends in .jpg or .jpeg, such as views.jpg';
const SHEET = z.string({ error: SHEET_FILE }).regex(/\.jpe?g$/i, { error: SHEET_FILE });

export const augment = command({
  name: 'teach augment',
  summary: 'a sheet of augmented views of your images, to look at',
  details:
    'A row an image: as it is, three weak views, which are what teach rounds --fine-tune learns from; then what it does not\n' +
    'use: three strong views, a mixture with the next image all over, and with a part of it cut in. Labelled images come\n' +
    'first. Where names of classes speak of sides or directions, nothing is mirrored or turned.',
  options: {
    task: TASK,
    preview: option('--preview <file>', 'the JPEG to write', SHEET),
    count: option('-n, --count <n>', 'images on it', wholeNumber(1).default(8)),
    replace: flag('--replace', 'take the place of a sheet that is there'),
  },
  examples: [['labelsmith teach augment --preview views.jpg', 'eight images and views of them']],
  run({ options: { preview, ...options }, ...context }) {
    const { global, output } = context;
    return withWorkspace(context, async (workspace) => {
      const { previewAugmentations } = await import('../../stages/teach/fine-tune/preview.ts');
      const result = await previewAugmentations(workspace, preview, { ...options, seed: global.seed });
      output.document({ ...result });
      output.line(`Wrote views of ${plural(result.images, 'image')} to ${result.path}`);
      if (!result.mirror) output.summary('Not mirrored: names of classes speak of sides.');
      if (!result.rotate) output.summary('Not turned: names of classes speak of sides or directions.');
      return 0;
    });
  },
});
