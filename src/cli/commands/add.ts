import { resolve } from 'node:path';
import { z } from 'zod';
import { openWorkspace } from '../../jobs/workspace.ts';
import { type AddResult, addTo } from '../../stages/add/add.ts';
import { estimateAdd } from '../../stages/add/estimate.ts';
import { openSources } from '../../stages/add/open-sources.ts';
import { type Context, command } from '../command.ts';
import type { Output } from '../output.ts';
import { argument, flag } from '../values.ts';
import { formatBytes, formatCount, formatDuration, oneLine, plural } from '../words.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';

/** Where relative sources start, and what `-` reads. */
export const HERE = { cwd: process.cwd(), stdin: process.stdin };

export const SOURCES = argument('<source...>', 'folders, files, globs, archives, @LIST or -', z.array(z.string()));

export const add = command({
  name: 'add',
  summary: 'take in images from folders, globs, lists and archives',
  details:
    'A source is a folder (with its subfolders), a file, a quoted glob, a zip or tar archive, @LIST for a file with one\n' +
    'path a line, or - for such a list on stdin. Files are read in place and never changed. The same bytes under several\n' +
    'names are one image; damaged files are put aside with their reason (labelsmith status --quarantine).',
  args: { sources: SOURCES },
  options: { sync: flag('--sync', 'also notice files that are gone, moved or changed; labels stay') },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith add ~/photos', 'everything under a folder'],
    ["labelsmith add '~/photos/**/*.jpg' shoot.zip", 'a glob and an archive'],
    ['find . -name "*.jpg" | labelsmith add -', 'a list on stdin'],
    ['labelsmith add ~/photos --sync', 'after files were moved or deleted'],
    ['labelsmith add ~/photos --dry-run', 'how many, how long, how much disk'],
  ],
  async run(invocation) {
    keepYoungGenerationSmall();
    const { args, options, global, output } = invocation;
    if (global.dryRun) {
      const sources = await openSources({ dir: resolve(global.workspace) }, args.sources, HERE);
      const estimate = await estimateAdd(sources, global.threads);
      output.document({ dryRun: true, ...estimate });
      output.line(`${plural(estimate.files, 'file')}, ${formatBytes(estimate.bytes)}`);
      output.line(
        `would take about ${formatDuration(estimate.estimatedMs)} and ${formatBytes(estimate.recordBytes)} of disk`,
      );
      return estimate.files === 0 ? 1 : 0;
    }
    const workspace = await openWorkspace(global.workspace, { create: true });
    try {
      const sources = await openSources(workspace, args.sources, HERE);
      const run = invocation.runOptions();
      const result = await addTo(workspace, sources, { ...run, sync: options.sync });
      run.done();
      output.document({ workspace: workspace.dir, interrupted: result.interrupted, ...result.counts });
      printAdded(output, result);
      if (result.counts.files + result.counts.unchanged === 0 && !result.interrupted) {
        output.warn(`Nothing in ${args.sources.map(oneLine).join(', ')} is named like an image or an archive.`);
      }
      return addExitCode(invocation, result, await workspace.store.countImages());
    } finally {
      await workspace.close();
    }
  },
});

export function printAdded(output: Output, { counts }: AddResult): void {
  const parts = [plural(counts.images, 'new image')];
  if (counts.duplicates > 0) parts.push(`${formatCount(counts.duplicates)} exact copies`);
  if (counts.unchanged > 0) parts.push(`${formatCount(counts.unchanged)} known and unchanged`);
  if (counts.moved > 0) parts.push(`${formatCount(counts.moved)} moved`);
  if (counts.missing > 0) parts.push(`${formatCount(counts.missing)} missing`);
  output.line(
    `Added ${parts.join(', ')}; ${plural(counts.groups, 'group')}, ${plural(counts.similarPairs, 'similar pair')}.`,
  );
  if (counts.overfullBuckets > 0) {
    output.line(
      'So many pictures are alike that not all of them were compared: some near-duplicates may be in other groups.',
    );
  }
  if (counts.rescaled > 0) {
    output.line(
      `${plural(counts.rescaled, 'image')} of more than 8 bits: black and white are what each file says or holds (flag rescaled).`,
    );
  }
  if (counts.bands > 0) {
    output.line(
      `${plural(counts.bands, 'image')} with more bands than colours: the first is shown as grey, or the first three as red, green, blue (flag bands).`,
    );
  }
  if (counts.quarantined > 0) {
    output.line(`Put aside ${plural(counts.quarantined, 'file')}: labelsmith status --quarantine says why.`);
  }
  if (counts.stillQuarantined > 0) {
    output.line(`Put aside earlier and unchanged: ${plural(counts.stillQuarantined, 'file')}.`);
  }
}

/** 1 when there is nothing to work on, or with `--strict` when something had to be put aside, now or earlier. */
export function addExitCode({ global }: Context, { counts }: AddResult, imagesInAll: number): number {
  if (imagesInAll === 0) return 1;
  return global.strict && counts.quarantined + counts.stillQuarantined > 0 ? 1 : 0;
}
