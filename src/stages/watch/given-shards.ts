/** A stage that does what it is given and looks for nothing: whoever knows what is new need not search the whole record. */
import type { StageDefinition } from '../../jobs/stage.ts';

export function withShards<Settings, Context, Shard, Result>(
  stage: StageDefinition<Settings, Context, Shard, Result>,
  shards: readonly Shard[],
): StageDefinition<Settings, Context, Shard, Result> {
  const { total: _, ...rest } = stage;
  return {
    ...rest,
    async *plan() {
      yield* shards;
    },
  };
}
