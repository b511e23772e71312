import { z } from 'zod';
import { ORIGINS } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { IMAGES_MODES } from '../../formats/format.ts';
import { parseSplit } from '../../formats/splits.ts';
import { FORMATS, formatNamed } from '../../formats/table.ts';
import { progressMeter } from '../../jobs/progress.ts';
import { isTargetAddress } from '../../sources/targets.ts';
import { BACKGROUNDS } from '../../stages/export/background.ts';
import { exportIn, whyHere } from '../../stages/export/export-in.ts';
import { shardFormat } from '../../stages/export/shards.ts';
import { writeTo } from '../../stages/push/to-target.ts';
import { command } from '../command.ts';
import { printExported } from '../print/exported.ts';
import { fraction, listOf, outPlace, taskName, wholeNumber } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { PART, partOf } from './part-option.ts';

const formatLines = FORMATS.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n');

export const exportCommand = command({
  name: 'export',
  dryRun: true,
  summary: 'write labels, crops or class folders in a format that others read',
  details:
    'OUT is written beside itself and swapped in when it is whole.\n\n' +
    'Of which task: formats of boxes (coco, yolo, voc, crops) take objects. Formats with one class an image (folders)\n' +
    'take class where people, imports, references or a model labelled it, where people named its clusters, or where\n' +
    'there are no objects; else objects.\n' +
    'The others take all tasks at once.\n' +
    'Whose labels: the current ones. Where a model, references or people label a task, labels of its clusters stay out\n' +
    'unless --origin asks for them. People do where most of their labels are of classes that no cluster gave; clusters\n' +
    'that they named stay in.\n\n' +
    'With --shard-size N, csv, jsonl and parquet are written as a folder, or below an address, of files of N images each\n' +
    'and an index.json with their digests; killed and run again, it goes on. Below an address workers (--fleet) or parts\n' +
    '(--shard) write them together, the same bytes; all other exports are written by one machine.\n\n' +
    `Formats:\n${formatLines}`,
  args: {
    format: argument('<format>', 'one of those above', z.string()),
    out: argument('<out>', 'a folder, or a file for csv, jsonl and parquet without --shard-size', outPlace()),
  },
  options: {
    task: option('--task <name>', 'the task to export (default: by the rule above)', taskName().optional()),
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
      ...option('--unlabelled', 'also write images that have no label: --background all', z.boolean().optional()),
      denial: { flags: '--no-unlabelled', description: 'leave images that have no label out: --background none' },
    },
    background: option(
      '--background <which>',
      'images with no label: labelled for those that a detector went over, or that people or an import found nothing on; all; or\nnone (default for coco, yolo and voc: labelled; else none)',
      z.enum(BACKGROUNDS).optional(),
    ),
    margin: option('--margin <m>', "crops: added on each side, as a share of the box's size", fraction().default(0)),
    shardImages: option('--shard-images <n>', 'webdataset: images in a shard', wholeNumber(1).optional()),
    replace: flag('--replace', 'take the place of an earlier export'),
    empty: flag('--empty', 'write an export that has no label in it; else that is refused'),
    ...PART,
  },
  examples: [
    ['labelsmith export coco out --images copy', 'annotations.json and the images'],
    ['labelsmith export yolo out --split train=.8,val=.2', 'ready to train on'],
    ['labelsmith export folders out --images hardlink', 'a folder for each class'],
    ['labelsmith export crops out --margin 0.1', 'every region cut out, a folder for each class'],
    ['labelsmith export csv labels.csv', 'one row a label'],
    ['labelsmith export jsonl labels --shard-size 10000', 'files of 10,000 images each, and index.json'],
    ['labelsmith export csv s3://bucket/labels --shard-size 10000 --shard 0/4', 'a quarter of it, beside three others'],
    ['labelsmith export coco s3://bucket/out --images copy', 'to the cloud, see labelsmith push'],
  ],
  run({ args, options, ...context }) {
    const { global, output, signal } = context;
    const { origin: origins, unlabelled, background, shard, ...settings } = options;
    if (unlabelled !== undefined && background !== undefined) {
      throw new LabelsmithError('USAGE', 'Give --background or --unlabelled, not both: they say the same.');
    }
    const { dryRun } = global;
    if (dryRun && isTargetAddress(args.out)) {
      throw new LabelsmithError('USAGE', `What an export to ${args.out} would do cannot be said beforehand.`, {
        hint: 'Try it with a folder here: labelsmith export FORMAT FOLDER --dry-run.',
      });
    }
    const format = formatNamed(args.format);
    const { shardSize } = global;
    if (shardSize !== undefined && format.name !== 'webdataset') shardFormat(format.name);
    return withWorkspace(
      context,
      async (workspace) => {
        const run = context.runOptions();
        const meter = progressMeter('export', await workspace.store.countImages(), () => performance.now());
        const here = whyHere(format.name, args.out, { shardSize, dryRun });
        if (here !== undefined && global.fleet) output.note(`No work for others: ${here}.`);
        const place = { workspaceDir: workspace.dir, replace: options.replace, signal };
        const write = (out: string) => {
          const asked = {
            ...settings,
            shardSize,
            origins,
            background: background ?? (unlabelled === undefined ? undefined : unlabelled ? 'all' : 'none'),
            // Who asks for images with no label has been told that there may be none with one.
            empty: options.empty || unlabelled,
            seed: global.seed,
            dryRun,
            signal,
            onProgress() {
              meter.add(1);
              run.onProgress?.(meter.snapshot(0));
            },
          } as const;
          return exportIn(workspace, format.name, out, asked, here === undefined ? run : undefined);
        };
        // Shards go to a target one after the other, as they are made.
        const streams = shardSize !== undefined && format.name !== 'webdataset';
        const written = await (streams ? write(args.out) : writeTo(args.out, place, write));
        run.done();
        const summary = isTargetAddress(args.out) ? { ...written, out: args.out } : written;
        output.document(dryRun ? { dryRun, ...summary } : summary);
        printExported(output, summary, { dryRun, origins });
        if (summary.images === 0 && !options.empty) return 1;
        return summary.failedImages > 0 && global.strict ? 1 : 0;
      },
      { part: partOf({ shard }) },
    );
  },
});
