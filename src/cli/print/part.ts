/** How a process of `--shard i/n` ends that has nothing to write down. */

import { formatCount, plural } from '../../core/count-text.ts';
import type { PartDone } from '../../jobs/parts/part-done.ts';
import type { Output } from '../output.ts';

export function tellPart({ part }: PartDone, output: Output): void {
  const { stage, index, count, shards, items, doneShards, allShards, otherShards, isOver } = part;
  output.document({ part });
  if (isOver) {
    output.summary(`Nothing to do: all parts of ${stage} are done and written down.`);
    return;
  }
  output.summary(`Part ${index}/${count} of ${stage} did ${plural(shards, 'shard')} with ${plural(items, 'item')}.`);
  if (doneShards < allShards) {
    const left = `${formatCount(doneShards)} of ${plural(allShards, 'shard')} ${allShards === 1 ? 'is' : 'are'} done`;
    output.summary(`${left}: the part that ends last writes them down, or the same command without --shard.`);
    if (otherShards > 0) {
      output.warn(`${unusedShards(otherShards)}: give all parts the same --shard-size, and change nothing meanwhile.`);
    }
  } else output.summary('All parts are done, and another process writes them down, or has.');
}

/** Without its end: what to do is said where something can be done. */
export function unusedShards(shards: number): string {
  return `${plural(shards, 'shard')} that parts have done with another --shard-size, or before images changed, ${shards === 1 ? 'is' : 'are'} not used`;
}
