import { ORIGINS, type Origin } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { type CropImage, IMAGES_MODES, type ImagesMode } from '../../formats/format.ts';
import { parseSplit, type SplitPart } from '../../formats/splits.ts';
import { FORMATS, formatNamed } from '../../formats/table.ts';
import { cropRegions } from '../../images/crops.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { exportWorkspace } from '../../stages/export/export.ts';
import type { CommandSpec } from '../command.ts';
import { fraction, nameList, wholeNumber } from '../parse.ts';
import { formatCount, oneLine, plural } from '../words.ts';

const formatLines = FORMATS.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n');

export const exportCommand: CommandSpec = {
  usage: 'export <format> <out>',
  summary: 'write labels, crops or class folders in a format that others read',
  details: `OUT is written beside itself and swapped in when it is whole. Formats:\n${formatLines}`,
  options: [
    { flags: '--task <name>', description: 'the task to export (default: objects, or class where it has labels)' },
    {
      flags: '--origin <a,b>',
      description: `only labels of these origins: ${ORIGINS.join(', ')}`,
      parse: nameList('--origin'),
    },
    {
      flags: '--min-confidence <c>',
      description: 'only labels of this confidence or more, 0 to 1',
      parse: fraction('--min-confidence'),
    },
    {
      flags: '--split <shares>',
      description: 'train=.8,val=.1,test=.1: by group, never across one',
      parse: parseSplit,
    },
    {
      flags: '--images <how>',
      description: 'image files: how they get there (default: as the format has it)',
      choices: IMAGES_MODES,
    },
    {
      flags: '--unlabelled',
      description: 'also write images that have no label (default for coco, yolo and voc: background)',
    },
    { flags: '--no-unlabelled', description: 'leave images that have no label out' },
    {
      flags: '--margin <m>',
      description: "crops: added on each side, as a share of the box's size",
      default: 0,
      parse: fraction('--margin'),
    },
    {
      flags: '--shard-images <n>',
      description: 'webdataset: images in a shard',
      parse: wholeNumber('--shard-images', 1),
    },
    { flags: '--replace', description: 'take the place of an earlier export', default: false },
  ],
  examples: [
    ['labelsmith export coco out --images copy', 'annotations.json and the images'],
    ['labelsmith export yolo out --split train=.8,val=.2', 'ready to train on'],
    ['labelsmith export folders out --images hardlink', 'a folder for each class'],
    ['labelsmith export crops out --margin 0.1', 'every region cut out, a folder for each class'],
    ['labelsmith export csv labels.csv', 'one row a label'],
  ],
  async run({ args, options, global, output, signal }) {
    const [name, out] = args as [string, string];
    const format = formatNamed(name);
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const { store, dir: workspaceDir } = workspace;
      const progress = output.progress();
      const startedAt = performance.now();
      const total = await store.countImages();
      const effects = { store, workspaceDir, read: originalBytes(workspace), crop };
      const summary = await exportWorkspace(effects, format.name, out, {
        task: options.task as string | undefined,
        origins: originsOf(options.origin as string[] | undefined),
        minConfidence: options.minConfidence as number | undefined,
        split: options.split as SplitPart[] | undefined,
        seed: global.seed,
        images: options.images as ImagesMode | undefined,
        unlabelled: options.unlabelled as boolean | undefined,
        margin: options.margin as number,
        replace: options.replace as boolean,
        shardImages: options.shardImages as number | undefined,
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
        `Wrote ${plural(summary.images, 'image')}, ${plural(summary.regions, 'region')} and ${plural(summary.labels, 'label')} as ${name} to ${summary.out}`,
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
};

const crop: CropImage = (bytes, boxes, margin) => cropRegions(bytes, boxes, { margin });

function originsOf(names: string[] | undefined): Origin[] | undefined {
  return names?.map((name) => {
    const origin = ORIGINS.find((known) => known === name);
    if (origin) return origin;
    throw new LabelsmithError('USAGE', `--origin takes ${ORIGINS.join(', ')}, not ${JSON.stringify(name)}.`);
  });
}
