import { z } from 'zod';
import { ITEM_KINDS } from '../../core/labels.ts';
import { QUALITIES } from '../../models/choose-embedder.ts';
import { embedWith, estimateEmbedWith } from '../../stages/embed/embed-with.ts';
import { command } from '../command.ts';
import { printEmbedded, printEmbedEstimate } from '../print/embedded.ts';
import { flag, type OptionTable, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { PART, partOf } from './part-option.ts';

export const EMBED_OPTIONS = {
  model: option(
    '-m, --model <name>',
    'the embedder: see labelsmith models list (default: the one used here before, else the best that can be had)',
    z.string().optional(),
  ),
  quality: option(
    '--quality <quality>',
    'in place of a name: the best embedder that can be had of this quality, whatever was used here before',
    z.enum(QUALITIES).optional(),
  ),
  items: option('--items <kind>', 'whole images, or the regions in them', z.enum(ITEM_KINDS).default('images')),
} satisfies OptionTable;

export const embed = command({
  name: 'embed',
  summary: 'a vector for every image or region, for discover, match and similar',
  details:
    'The embedders that are known look at an image at two sizes; any ONNX image model that was imported can take their place.\n' +
    'A second run does only what is missing. Vectors are Arrow files in the workspace and may be deleted at any time.',
  options: {
    ...EMBED_OPTIONS,
    force: flag('--force', 'make the vectors of this model again; those of images that cannot be read now stay'),
    ...PART,
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith embed', 'every image that has no vector yet'],
    ['labelsmith embed --items regions', 'what detect found, each cut out with a margin'],
    ['labelsmith embed --quality best', 'the best embedder that can be had, however long it takes'],
    ['labelsmith embed --model mobilenetv2', 'a model taken in by labelsmith models import'],
    ['labelsmith embed --dry-run', 'how many, how long, how much disk'],
  ],
  run({ options, ...context }) {
    keepYoungGenerationSmall();
    const { global, output } = context;
    const { shard: _, ...asked } = options;
    return withWorkspace(
      context,
      async (workspace) => {
        if (global.dryRun) {
          const estimate = await estimateEmbedWith(workspace, asked, global);
          output.document({ dryRun: true, ...estimate });
          printEmbedEstimate(output, estimate, options.items);
          return 0;
        }
        const run = context.runOptions();
        const result = await embedWith(workspace, asked, run);
        run.done();
        const { interrupted, space, counts } = result;
        output.document({ interrupted, space, ...counts });
        printEmbedded(output, result, options.items);
        if (counts.total === 0) return 1;
        return global.strict && counts.quarantined > 0 ? 1 : 0;
      },
      { part: partOf(options) },
    );
  },
});
