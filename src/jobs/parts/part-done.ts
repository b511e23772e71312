/**
 * Ends a process of `--shard i/n` whose part is done and which has nothing to write down: other parts are under way still,
 * or another process is writing. Thrown, since what a command does after a stage needs what the stage wrote.
 */
import type { Counts } from '../stage.ts';

export interface PartSummary {
  readonly stage: string;
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** That this process did. */
  readonly shards: number;
  readonly items: number;
  /** Shards of all parts that are done, and that there are. */
  readonly doneShards: number;
  readonly allShards: number;
  /** Done, and none of these: of parts with another `--shard-size`, or of data that changed since. */
  readonly otherShards: number;
  /** All of it was written down before this process began, or while it did its part: there is nothing to do. */
  readonly isOver: boolean;
}

export class PartDone extends Error {
  override readonly name = 'PartDone';
  readonly part: PartSummary;

  constructor(part: PartSummary) {
    super(`part ${part.index} of ${part.count} of ${part.stage} is done`);
    this.part = part;
  }

  /** For the record of the run. */
  get counts(): Counts {
    const { shards, items, index, count, doneShards, allShards } = this.part;
    return { shards, items, part: index, parts: count, doneOfAllParts: doneShards, shardsOfAllParts: allShards };
  }
}
