/** What `push` did, and what of a folder is where, in words. */
import { formatBytes } from '../../core/byte-size.ts';
import { formatCount, plural } from '../../core/count-text.ts';
import type { PushResult } from '../../stages/push/push.ts';
import type { pushedTargets } from '../../stages/push/where.ts';
import type { Output } from '../output.ts';
import { oneLine } from '../words.ts';

const SHOWN = 5;

export function printPushed(output: Output, { target, counts, problems, interrupted, ledgerKept }: PushResult): void {
  const parts = [`${plural(counts.pushed, 'file')} (${formatBytes(counts.bytesSent)} sent)`];
  if (counts.there > 0) parts.push(`${formatCount(counts.there)} found there`);
  if (counts.unchanged > 0) parts.push(`${formatCount(counts.unchanged)} there before`);
  output.summary(`Pushed to ${oneLine(target)}: ${parts.join(', ')}.`);
  if (counts.deleted > 0) output.summary(`Deleted here: ${plural(counts.deleted, 'file')} that the target has.`);
  if (counts.retries > 0)
    output.summary(`The target did not take everything at once: ${plural(counts.retries, 'retry', 'retries')}.`);
  const wrong = counts.failed + counts.conflicts + counts.changed + counts.leftOut;
  if (wrong > 0) output.warn(`Not pushed: ${plural(wrong, 'file')}.`);
  for (const { path, message } of problems.slice(0, SHOWN)) output.warn(`  ${oneLine(path)}: ${oneLine(message)}`);
  if (wrong > SHOWN) output.warn(`  and ${formatCount(wrong - SHOWN)} more (--json lists them)`);
  if (counts.conflicts > 0)
    output.warn('Files of the target that were not pushed from here stay; --replace writes over them.');
  if (!ledgerKept)
    output.warn('The disk is full: the ledger was not written, and the next push compares with the target.');
  if (interrupted) output.warn('Interrupted; the same command goes on.');
}

export function printTargets(output: Output, targets: Awaited<ReturnType<typeof pushedTargets>>): void {
  if (targets.length === 0) output.line('Nothing of this folder was pushed yet.');
  for (const { target, files, byteSize, deleted, lastPushedAtMs } of targets) {
    const gone = deleted === 0 ? '' : `, ${formatCount(deleted)} of them deleted here`;
    const when = new Date(lastPushedAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
    output.line(`${oneLine(target)}: ${plural(files, 'file')}, ${formatBytes(byteSize)}${gone}; last at ${when}`);
  }
}
