/** What `add` did, in words. */

import { formatCount, plural } from '../../core/count-text.ts';
import type { AddResult } from '../../stages/add/add.ts';
import { NO_ENDING, type PassedOver } from '../../stages/add/passed-over.ts';
import type { Output } from '../output.ts';
import { oneLine } from '../words.ts';

export function printAdded(output: Output, { counts, passedOver }: AddResult): void {
  const parts = [plural(counts.images, 'new image')];
  if (counts.duplicates > 0) parts.push(`${formatCount(counts.duplicates)} exact copies`);
  if (counts.edited > 0) parts.push(`${formatCount(counts.edited)} edited`);
  if (counts.unchanged > 0) parts.push(`${formatCount(counts.unchanged)} known and unchanged`);
  if (counts.moved > 0) parts.push(`${formatCount(counts.moved)} moved`);
  if (counts.missing > 0) parts.push(`${formatCount(counts.missing)} missing`);
  output.summary(
    `Added ${parts.join(', ')}; ${plural(counts.groups, 'group')}, ${plural(counts.similarPairs, 'similar pair')}.`,
  );
  if (counts.edited > 0) {
    output.summary(
      `Changed, with the same picture in it: ${plural(counts.edited, 'file')}. What was said of it is kept.`,
    );
  }
  if (counts.replaced > 0) {
    output.summary(
      `Another picture than before: ${plural(counts.replaced, 'file')}. What was said of the old one stays with the old one.`,
    );
  }
  if (counts.overfullBuckets > 0) {
    output.summary(
      'So many pictures are alike that not all of them were compared: some near-duplicates may be in other groups.',
    );
  }
  if (counts.withoutPrint > 0) {
    output.summary(
      `${plural(counts.withoutPrint, 'image')} added by an earlier version: mirrored, turned or cropped copies of them are not found (they are in a new workspace).`,
    );
  }
  if (counts.rescaled > 0) {
    output.summary(
      `${plural(counts.rescaled, 'image')} of more than 8 bits: black and white are what each file says or holds (flag rescaled).`,
    );
  }
  if (counts.bands > 0) {
    output.summary(
      `${plural(counts.bands, 'image')} with more bands than colours: the first is shown as grey, or the first three as red, green, blue (flag bands).`,
    );
  }
  if (counts.gaps > 0) {
    output.summary(
      `${plural(counts.gaps, 'image')} with pixels that stand for no measurement (NaN, GDAL's no data, or a value such as -9999 far from all others): they are black, and count for nothing in the scaling (flag gaps).`,
    );
  }
  if (counts.quarantined > 0) {
    output.summary(`Put aside ${plural(counts.quarantined, 'file')}: labelsmith status --quarantine says why.`);
  }
  if (counts.stillQuarantined > 0) {
    output.summary(`Put aside earlier and unchanged: ${plural(counts.stillQuarantined, 'file')}.`);
  }
  for (const line of passedOverText(passedOver)) output.summary(line);
}

const MAX_ENDINGS_SHOWN = 5;
/** Common ones; what `capture` reads is what ffmpeg reads. */
const VIDEOS = new Set('.mp4 .mov .avi .mkv .m4v .webm .mpg .mpeg .wmv .3gp .mts'.split(' '));

/** Files that were left out by their names; nothing where there are none. */
export function passedOverText(passedOver: PassedOver): string[] {
  const all = Object.entries(passedOver);
  if (all.length === 0) return [];
  const total = all.reduce((sum, [, count]) => sum + count, 0);
  const shown = all.slice(0, MAX_ENDINGS_SHOWN).map(([ending, count]) => {
    return `${formatCount(count)} ${ending === NO_ENDING ? 'of other names' : oneLine(ending)}`;
  });
  if (all.length > MAX_ENDINGS_SHOWN) shown.push('…');
  const lines = [`Not looked at, since their names are no images': ${plural(total, 'file')} (${shown.join(', ')}).`];
  if (all.some(([ending]) => VIDEOS.has(ending)))
    lines.push('  Pictures of a video: labelsmith capture VIDEO --to FOLDER, then add the folder.');
  return lines;
}

const MAX_GONE_SHOWN = 3;

/** Folders that a source was and that are not there: renamed, deleted, or on a disk that is away. */
export function printGone(output: Output, goneSources: readonly string[]): void {
  for (const source of goneSources.slice(0, MAX_GONE_SHOWN)) {
    output.summary(`${oneLine(source)} is not there any more; its images and their labels are kept.`);
    output.summary('  Has it another name now?  labelsmith add NEWNAME --sync');
    output.summary(`  Is it gone for good?      labelsmith add ${oneLine(source)} --sync`);
  }
  const more = goneSources.length - MAX_GONE_SHOWN;
  if (more > 0) output.summary(`${plural(more, 'more source')} not there: labelsmith status.`);
}
