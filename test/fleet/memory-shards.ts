/** Results of the shards of one run, in memory. */
import type { DeadShard, ShardResult, ShardStore } from '../../src/store/store.ts';

export class MemoryShards implements ShardStore {
  async noteRun(): Promise<void> {}

  readonly results = new Map<string, ShardResult>();
  readonly dead: DeadShard[] = [];
  /** Results that came for a shard that had one. */
  late = 0;

  async putShardResult(result: ShardResult): Promise<boolean> {
    if (this.results.has(result.shard)) this.late++;
    else this.results.set(result.shard, result);
    return this.late === 0;
  }
  async shardResults(_: string, shards: readonly string[]): Promise<ShardResult[]> {
    return shards.flatMap((shard) => this.results.get(shard) ?? []);
  }
  async shardsDone(_: string, shards: readonly string[]): Promise<Map<string, number>> {
    const found = await this.shardResults('', shards);
    return new Map(found.map(({ shard, items }) => [shard, items]));
  }
  async dropShardResults(_: string, shards: readonly string[]): Promise<void> {
    for (const shard of shards) this.results.delete(shard);
  }
  async putDeadShard(dead: Omit<DeadShard, 'stage'>): Promise<void> {
    this.dead.push({ ...dead, stage: 'doubling' });
  }
  async deadShards(): Promise<DeadShard[]> {
    return this.dead;
  }
}
