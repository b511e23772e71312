/** What commands that read images say of those that they could not read. */

import { plural } from '../../core/count-text.ts';
import type { ReadErrorCounts } from '../../jobs/read-errors.ts';
import type { Output } from '../output.ts';

export function printReadErrors(output: Output, { quarantined, away }: ReadErrorCounts): void {
  const broken = quarantined - away;
  if (broken > 0) output.summary(`Could not read ${plural(broken, 'image')}: labelsmith status --quarantine says why.`);
  if (away > 0) {
    output.summary(
      `Could not read ${plural(away, 'image')} whose file is not there now; what is known of ${away === 1 ? 'it' : 'them'} stays.`,
    );
    output.summary(
      '  Bring the folder back and run this again; where files were moved or deleted, run labelsmith add --sync on it.',
    );
  }
}
