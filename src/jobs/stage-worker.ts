/**
 * A stage as whoever does single shards of it needs it: settings and shards come in as JSON values of unknown shape, and are
 * checked; what stage it is does not matter to the caller.
 */
import { validate } from '../core/validate.ts';
import type { EachItem, StageDefinition, StageJob } from './stage.ts';

export interface StageEntry {
  readonly name: string;
  /** Opens what the stage works with. */
  openWorker(job: StageJob<unknown>): Promise<StageWorker>;
}

export interface StageWorker {
  /** Names the model as this process has it; empty for a stage without one. */
  readonly fingerprint: string;
  /** Does one shard, and gives what the stage's `commit` takes. */
  process(shard: unknown, eachItem: EachItem): Promise<unknown>;
  close(): Promise<void>;
}

export function stageEntry<Settings, Context, Shard, Result>(
  stage: StageDefinition<Settings, Context, Shard, Result>,
): StageEntry {
  const { name } = stage;
  return {
    name,
    async openWorker(job) {
      const settings = validate(stage.settings, job.settings, { what: `settings of ${name}` });
      const context = await stage.open({ ...job, settings });
      return {
        fingerprint: stage.fingerprint?.(context) ?? '',
        process: async (shard, eachItem) =>
          stage.process(context, validate(stage.shard, shard, { what: `a shard of ${name}` }), eachItem),
        close: async () => stage.close?.(context),
      };
    },
  };
}
