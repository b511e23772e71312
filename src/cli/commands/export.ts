import { z } from 'zod';
import { ORIGINS } from '../../core/labels.ts';
import { IMAGES_MODES } from '../../formats/format.ts';
import { parseSplit } from '../../formats/splits.ts';
import { FORMATS, formatNamed } from '../../formats/table.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { exportIn } from '../../stages/export/export-in.ts';
import { command } from '../command.ts';
import { fraction, listOf, wholeNumber } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { formatCount, oneLine, plural } from '../words.ts';

const formatLines = FORMATS.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n');

export const exportCommand = command({
  name: 'export',
  summary: 'write labels, crops or class folders in a format that others read',
  details: `OUT is written beside itself and swapped in when it is whole. Formats:\n${formatLines}`,
  args: {
    format: argument('<format>', 'one of those below', z.string()),
    out: argument('<out>', 'a folder, or a file for csv, jsonl and parquet', z.string()),
  },
  options: {
    task: option(
      '--task <name>',
      'the task to export (default: objects, or class where it has labels)',
      z.string().optional(),
    ),
    origin: option('--origin <a,b>', `only labels of these origins: ${ORIGINS.join(', ')}`, listOf(ORIGINS).optional()),
    minConfidence: option(
      '--min-confidence <c>',
      'only labels of this confidence or more, 0 to 1',
      fraction().optional(),
    ),
    split: option(
      '--split <shares>',
      'train=.8,val=.1,test=.1: by group, never across one',
      z.string().transform(parseSplit).optional(),
    ),
    images: option(
      '--images <how>',
      'image files: how they get there (default: as the format has it)',
      z.enum(IMAGES_MODES).optional(),
    ),
    unlabelled: {
      ...option(
        '--unlabelled',
        'also write images that have no label (default for coco, yolo and voc: background)',
        z.boolean().optional(),
      ),
      denial: { flags: '--no-unlabelled', description: 'leave images that have no label out' },
    },
    margin: option('--margin <m>', "crops: added on each side, as a share of the box's size", fraction().default(0)),
    shardImages: option('--shard-images <n>', 'webdataset: images in a shard', wholeNumber(1).optional()),
    replace: flag('--replace', 'take the place of an earlier export'),
  },
  examples: [
    ['labelsmith export coco out --images copy', 'annotations.json and the images'],
    ['labelsmith export yolo out --split train=.8,val=.2', 'ready to train on'],
    ['labelsmith export folders out --images hardlink', 'a folder for each class'],
    ['labelsmith export crops out --margin 0.1', 'every region cut out, a folder for each class'],
    ['labelsmith export csv labels.csv', 'one row a label'],
  ],
  async run({ args, options, global, output, signal }) {
    const { origin: origins, ...settings } = options;
    const format = formatNamed(args.format);
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const progress = output.progress();
      const startedAt = performance.now();
      const total = await workspace.store.countImages();
      const summary = await exportIn(workspace, format.name, args.out, {
        ...settings,
        origins,
        seed: global.seed,
        signal,
        onProgress(done) {
          const elapsedMs = performance.now() - startedAt;
          const rate = elapsedMs > 500 ? (done * 1000) / elapsedMs : 0;
          const remainingMs = rate > 0 ? ((total - done) * 1000) / rate : undefined;
          progress.update({ stage: 'export', done, total, rate, elapsedMs, remainingMs, shardsCommitted: 0 });
        },
      });
      progress.done();
      output.document(summary);
      output.line(
        `Wrote ${plural(summary.images, 'image')}, ${plural(summary.regions, 'region')} and ${plural(summary.labels, 'label')} as ${format.name} to ${summary.out}`,
      );
      for (const [split, count] of Object.entries(summary.splits)) output.line(`  ${split}: ${formatCount(count)}`);
      if (summary.unlabelledSkipped > 0) {
        output.line(
          `Left out ${plural(summary.unlabelledSkipped, 'image')} with no label (--unlabelled takes them along).`,
        );
      }
      if (summary.renamed > 0) output.line(`Changed ${plural(summary.renamed, 'name')} that no file may have.`);
      if (summary.loses.length > 0) output.line(`This format does not keep: ${summary.loses.join('; ')}`);
      for (const [what, count] of Object.entries(summary.lost)) output.warn(`Not kept: ${formatCount(count)} ${what}`);
      for (const problem of summary.problems) output.warn(oneLine(problem));
      if (summary.images === 0) return 1;
      return summary.failedImages > 0 && global.strict ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});
