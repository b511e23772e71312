/** What `embed` did, in words; also for commands that embed first. */

import { formatBytes } from '../../core/byte-size.ts';
import { formatCount, plural } from '../../core/count-text.ts';
import type { ItemKind } from '../../core/labels.ts';
import type { EmbedEstimate, EmbedResult } from '../../stages/embed/embed.ts';
import type { Output } from '../output.ts';
import { formatDuration } from '../words.ts';
import { printReadErrors } from './read-errors.ts';

export function printEmbedded(output: Output, { counts, interrupted }: EmbedResult, items: ItemKind): void {
  const what = nounOf(items);
  if (counts.embedded + counts.quarantined === 0 && !interrupted) {
    output.summary(`Nothing to do: no ${what} is left to embed, of ${formatCount(counts.total)}.`);
    return;
  }
  const before = counts.total - counts.embedded;
  output.summary(
    `Embedded ${plural(counts.embedded, what)}${before > 0 ? `, ${plural(counts.total, what)} in all` : ''}.`,
  );
  printReadErrors(output, counts);
}

/** What `--limit` means where embedding comes first: there is no subset run of what comes after it. */
export function noteLimit(output: Output, limit: number | undefined, { counts }: EmbedResult, items: ItemKind): void {
  if (limit === undefined) return;
  output.note(
    `note: --limit ${limit} is of what is embedded now, ${plural(counts.embedded, nounOf(items))}; all ${formatCount(counts.total)} that are embedded take part.`,
  );
}

export function printEmbedEstimate(output: Output, estimate: EmbedEstimate, items: ItemKind): void {
  output.line(`${plural(estimate.items, nounOf(items))} to embed with ${estimate.model}`);
  const { estimatedMs, vectorBytes } = estimate;
  output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(vectorBytes)} of disk`);
}

export function nounOf(items: ItemKind): 'image' | 'region' {
  return items === 'images' ? 'image' : 'region';
}
