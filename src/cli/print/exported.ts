/** What `export` wrote, of what, and what is not in it. */

import { formatCount, plural } from '../../core/count-text.ts';
import { accuracySentences } from '../../core/label-accuracy.ts';
import type { Origin } from '../../core/labels.ts';
import { lossText } from '../../formats/losses.ts';
import { outdatedText } from '../../stages/audit/accuracy-text.ts';
import type { WorkspaceExport } from '../../stages/export/export.ts';
import type { Output } from '../output.ts';
import { oneLine } from '../words.ts';
import { OWNERS } from './disowned.ts';

interface Asked {
  readonly dryRun?: boolean;
  /** Whose labels were asked for. Default: everybody's. */
  readonly origins?: readonly Origin[];
}

export function printExported(output: Output, summary: WorkspaceExport, { dryRun = false, origins }: Asked): void {
  const { format, task, images, regions, labels, out, background, backgroundImages, notLookedAt } = summary;
  const ofWhat = task === null ? 'all tasks' : `the task ${task}`;
  output.summary(
    `${dryRun ? 'Would write' : 'Wrote'} ${plural(images, 'image')}, ${plural(regions, 'region')} and ${plural(labels, 'label')} of ${ofWhat} as ${format} to ${out}`,
  );
  if (summary.shards !== undefined && !dryRun) {
    const { size, written, kept } = summary.shards;
    const there = kept > 0 ? `, ${formatCount(kept)} of which were there already` : '';
    output.summary(`  ${plural(written + kept, 'shard')} of up to ${formatCount(size)} images${there}, and index.json`);
  }
  for (const line of splitText(summary)) output.summary(line);
  if (backgroundImages > 0) {
    const them = backgroundImages === 1 ? 'it' : 'them';
    const looked =
      background === 'labelled' ? `: a detector went over ${them}, or people or an import found nothing` : '';
    output.summary(`${plural(backgroundImages, 'image')} of these without a label, as background${looked}.`);
    if (background === 'all') {
      output.summary(
        '  Whether anybody looked at them is not known. A detector learns that nothing is in them: --background none leaves them out.',
      );
    }
  }
  if (notLookedAt > 0) output.warn(notLookedAtText(notLookedAt, task, origins));
  if (summary.unlabelledSkipped > 0) {
    output.summary(
      `Left out ${plural(summary.unlabelledSkipped, 'image')} with no label (--unlabelled takes them along).`,
    );
  }
  for (const of of summary.accuracy) for (const sentence of accuracySentences(of)) output.summary(sentence);
  for (const of of summary.outdated) output.summary(`Task ${of.task}: ${outdatedText(of)}`);
  for (const { task, owner, labels: left } of summary.disowned) {
    output.summary(
      `Left out ${plural(left, 'label')} of clusters: ${OWNERS[owner]} the task ${task} (--origin names whose labels to write).`,
    );
  }
  if (summary.renamed > 0) {
    output.summary(
      `Changed ${plural(summary.renamed, 'name')} that some file system or reader of the format would take for something else.`,
    );
  }
  if (summary.loses.length > 0)
    for (const line of wrapped('This format does not keep: ', summary.loses)) output.summary(line);
  for (const [what, count] of Object.entries(summary.lost)) output.warn(`Not kept: ${lossText(what, count)}`);
  for (const problem of summary.problems) output.warn(oneLine(problem));
}

/** How many images are in each split; where there is none and the format names some all the same, that they are one. */
export function splitText({ format, splits }: Pick<WorkspaceExport, 'format' | 'splits'>): string[] {
  const counts = Object.entries(splits);
  if (counts.length === 0 && format.startsWith('yolo')) {
    return [
      '  data.yaml names the same images to train and to validate with: --split train=.8,val=.2 parts them, what is alike together.',
    ];
  }
  return counts.map(([split, count]) => `  ${split}: ${formatCount(count)}`);
}

function notLookedAtText(count: number, task: string | null, origins: readonly Origin[] | undefined): string {
  const images = `Left out ${plural(count, 'image')}`;
  // Others may have looked, and detectors for what is in other tasks.
  if (origins !== undefined)
    return `${images} of which --origin ${origins.join(',')} says nothing: --background all takes them along.`;
  if (task !== 'objects' && task !== null)
    return `${images} where nothing and nobody looked for the task ${oneLine(task)}: --background all takes them along.`;
  return `${images} that no detector went over and nobody looked at: labelsmith detect, or --background all.`;
}

const LINE_LENGTH = 100;

/** Parts after a heading, on as many lines as they need. */
function wrapped(heading: string, parts: readonly string[]): string[] {
  const lines = [heading];
  for (const [i, part] of parts.entries()) {
    const text = i < parts.length - 1 ? `${part}; ` : part;
    const line = lines.length - 1;
    if ((lines[line] + text).trimEnd().length <= LINE_LENGTH || lines[line] === heading) lines[line] += text;
    else lines.push(`  ${text}`);
  }
  return lines.map((line) => line.trimEnd());
}
