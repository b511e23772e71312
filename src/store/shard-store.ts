/**
 * What came of shards that other machines did, until the run's own process has committed it. A part of the store's contract
 * (`store.ts`).
 *
 * A result is written once: of two workers that did the same shard the first one's stands. Of runs that have ended nothing
 * is taken any more.
 */
import type { RunId } from '../core/ids.ts';

export interface ShardStore {
  /** Keeps what came of a shard; false where the run has ended, or the shard has a result already. */
  putShardResult(result: ShardResult): Promise<boolean>;
  /** Those of these shards that are done. */
  shardResults(runId: RunId, shards: readonly string[]): Promise<ShardResult[]>;
  /** Which of these shards are done, each with its number of items, without what came of them. */
  shardsDone(runId: RunId, shards: readonly string[]): Promise<Map<string, number>>;
  dropShardResults(runId: RunId, shards: readonly string[]): Promise<void>;
  /** Notes a shard that was given up, with its reason. */
  putDeadShard(dead: Omit<DeadShard, 'stage'>): Promise<void>;
  /** Newest run first; those that no later run of the stage, which came to its end, did or gave up again. */
  deadShards(): Promise<DeadShard[]>;
}

export interface ShardResult {
  readonly runId: RunId;
  /** Its number in the run: `12`, and `12.0` and `12.1` for its halves. */
  readonly shard: string;
  /** Items that were done. */
  readonly items: number;
  readonly data: Uint8Array;
  /** Who did it. */
  readonly worker: string;
}

export interface DeadShard {
  readonly runId: RunId;
  readonly shard: string;
  readonly stage: string;
  readonly items: number;
  readonly reason: string;
}
