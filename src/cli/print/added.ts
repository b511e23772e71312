/** What `add` did, in words. */
import type { AddResult } from '../../stages/add/add.ts';
import type { Output } from '../output.ts';
import { formatCount, plural } from '../words.ts';

export function printAdded(output: Output, { counts }: AddResult): void {
  const parts = [plural(counts.images, 'new image')];
  if (counts.duplicates > 0) parts.push(`${formatCount(counts.duplicates)} exact copies`);
  if (counts.unchanged > 0) parts.push(`${formatCount(counts.unchanged)} known and unchanged`);
  if (counts.moved > 0) parts.push(`${formatCount(counts.moved)} moved`);
  if (counts.missing > 0) parts.push(`${formatCount(counts.missing)} missing`);
  output.summary(
    `Added ${parts.join(', ')}; ${plural(counts.groups, 'group')}, ${plural(counts.similarPairs, 'similar pair')}.`,
  );
  if (counts.overfullBuckets > 0) {
    output.summary(
      'So many pictures are alike that not all of them were compared: some near-duplicates may be in other groups.',
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
  if (counts.quarantined > 0) {
    output.summary(`Put aside ${plural(counts.quarantined, 'file')}: labelsmith status --quarantine says why.`);
  }
  if (counts.stillQuarantined > 0) {
    output.summary(`Put aside earlier and unchanged: ${plural(counts.stillQuarantined, 'file')}.`);
  }
}
