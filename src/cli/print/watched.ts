/** What `watch` does and did, in words. */

import { formatCount, plural } from '../../core/count-text.ts';
import { driftLines } from '../../stages/watch/drift.ts';
import type { WatchProgress, WatchResult } from '../../stages/watch/watch.ts';
import type { Output } from '../output.ts';
import { formatDuration, oneLine } from '../words.ts';

const SHOWN = 5;

/** `+3 images (1,204): cat 2, 1 fits no class; labelled after 0.8 s`. */
export function batchLine({ images, batch, latencyMs, classes, unfit }: WatchProgress): string {
  const parts = classes.slice(0, SHOWN).map(([name, count]) => `${oneLine(name)} ${formatCount(count)}`);
  if (unfit > 0) parts.push(`${formatCount(unfit)} without a class`);
  const after = latencyMs > 0 ? `; labelled after ${formatDuration(latencyMs)}` : '';
  return `+${plural(batch, 'image')} (${formatCount(images)}): ${parts.join(', ') || 'nothing new'}${after}`;
}

export function printWatched(output: Output, { by, task, counts, latency, drift, interrupted }: WatchResult): void {
  const parts = [plural(counts.images, 'image')];
  if (by !== null) parts.push(`${formatCount(counts.labelled)} with a class of "${oneLine(task)}" by ${by}`);
  if (counts.unfit > 0 && by !== null) parts.push(`${formatCount(counts.unfit)} that fit no class`);
  if (counts.quarantined > 0) parts.push(`${formatCount(counts.quarantined)} put aside`);
  if (counts.moved > 0) parts.push(`${formatCount(counts.moved)} renamed`);
  if (counts.missing > 0) parts.push(`${formatCount(counts.missing)} gone`);
  output.summary(`Watched: ${parts.join(', ')}.`);
  if (latency.images > 0) {
    const [half, nearly] = [formatDuration(latency.p50Ms), formatDuration(latency.p95Ms)];
    output.summary(`From file to label: half within ${half}, 95 % within ${nearly}.`);
  }
  if (drift !== null) for (const line of driftLines(drift)) output.summary(oneLine(line));
  if (by === null && counts.images > 0)
    output.summary('Next: labelsmith discover finds classes; watch gives them to what comes.');
  if (interrupted) output.warn('Interrupted; the same command goes on.');
}
