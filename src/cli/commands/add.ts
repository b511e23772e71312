import { resolve } from 'node:path';
import { z } from 'zod';
import { formatBytes } from '../../core/byte-size.ts';
import { plural } from '../../core/count-text.ts';
import { addTo } from '../../stages/add/add.ts';
import { estimateAdd } from '../../stages/add/estimate.ts';
import { openSources } from '../../stages/add/open-sources.ts';
import { command } from '../command.ts';
import { printAdded, printGone } from '../print/added.ts';
import { argument, flag } from '../values.ts';
import { formatDuration, oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { PART, partOf } from './part-option.ts';

/** Where relative sources start, and what `-` reads. */
export const HERE = { cwd: process.cwd(), stdin: process.stdin };

export const SOURCES = argument(
  '<source...>',
  'folders, files, globs, archives, addresses of object storage, @LIST or -',
  z.array(z.string()),
);

export const add = command({
  name: 'add',
  summary: 'take in images from folders, globs, lists and archives',
  details:
    'A source is a folder (with its subfolders), a file, a quoted glob, a zip or tar archive, @LIST for a file with one\n' +
    'path a line, s3://, gs:// or az://BUCKET/PREFIX, or - for such a list on stdin. Files are read in place and never changed. The same bytes under several\n' +
    'names are one image; damaged files are put aside with their reason (labelsmith status --quarantine).',
  args: { sources: SOURCES },
  options: { sync: flag('--sync', 'also notice files that are gone, moved or changed; labels stay'), ...PART },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith add ~/photos', 'everything under a folder'],
    ["labelsmith add '~/photos/**/*.jpg' shoot.zip", 'a glob and an archive'],
    ['find . -name "*.jpg" | labelsmith add -', 'a list on stdin'],
    ['labelsmith add s3://bucket/line-1', 'object storage, with no copy of everything'],
    ['labelsmith add ~/photos --sync', 'after files were moved or deleted'],
    ['labelsmith add s3://bucket/line-1 --shard 0/8', 'an eighth of it, beside seven other processes'],
    ['labelsmith add ~/photos --dry-run', 'how many, how long, how much disk'],
  ],
  async run({ args, options, ...context }) {
    keepYoungGenerationSmall();
    const { global, output } = context;
    if (global.dryRun) {
      const sources = await openSources({ dir: resolve(global.workspace) }, args.sources, HERE);
      const estimate = await estimateAdd(sources, global.threads);
      const { files, bytes, estimatedMs, recordBytes } = estimate;
      output.document({ dryRun: true, ...estimate });
      output.line(`${plural(files, 'file')}, ${formatBytes(bytes)}`);
      output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(recordBytes)} of disk`);
      return files === 0 ? 1 : 0;
    }
    return withWorkspace(
      context,
      async (workspace) => {
        const known = options.sync ? await workspace.store.sourceRoots() : [];
        const sources = await openSources(workspace, args.sources, HERE, known);
        const run = context.runOptions();
        const { sync } = options;
        const result = await addTo(workspace, sources, { ...run, sync });
        run.done();
        const { counts, interrupted, goneSources, passedOver } = result;
        output.document({ workspace: workspace.name, interrupted, goneSources, passedOver, ...counts });
        printAdded(output, result);
        printGone(output, goneSources);
        if (counts.files + counts.unchanged + counts.missing + counts.moved === 0 && !interrupted) {
          output.warn(`Nothing in ${args.sources.map(oneLine).join(', ')} is named like an image or an archive.`);
        }
        // Nothing to work on; or with --strict something put aside, now or earlier.
        if ((await workspace.store.countImages()) === 0 && counts.missing === 0) return 1;
        return global.strict && counts.quarantined + counts.stillQuarantined > 0 ? 1 : 0;
      },
      { create: true, part: partOf(options) },
    );
  },
});
