/**
 * The queue of shards: a hint of what there is to do, at least once each. What was done is said by the record
 * (`store/shard-store.ts`), so a queue that forgets, repeats or delays costs time and nothing else.
 */
import { z } from 'zod';

/** A shard with all that a worker needs to do it; JSON. */
export const SHARD_JOB = z.object({
  runId: z.string(),
  /** Its number in the run: `12`, and `12.0` and `12.1` for its halves. */
  shard: z.string(),
  stage: z.string(),
  /** As JSON text, checked by the stage. */
  settings: z.string(),
  input: z.string(),
  seed: z.number(),
  /** Names the model as the run has it; empty for a stage without one. */
  fingerprint: z.string(),
  /** Of the run's span, for the span of the shard to stand below it. */
  trace: z.record(z.string(), z.string()).optional(),
});
export type ShardJob = z.infer<typeof SHARD_JOB>;

/** The model that does a shard, as people name it: `centernet` of `centernet@1a2b…`; empty for a stage without one. */
export function modelOf({ fingerprint }: Pick<ShardJob, 'fingerprint'>): string {
  return /^[\w.-]+/.exec(fingerprint)?.[0] ?? '';
}

export interface TakeOptions {
  /** Models whose shards are left to others. */
  readonly notOf?: readonly string[];
  /** Shards of a model that may be under way at once, over all workers. */
  readonly limits?: Readonly<Record<string, number>>;
}

/** A job that a worker has taken; others are given it again when it is not heard of for a while. */
export interface TakenJob {
  readonly job: ShardJob;
  /** This worker is at it still. */
  touch(): Promise<void>;
  done(): Promise<void>;
  /** It is tried again, by whoever takes it, as often as the queue allows. */
  fail(reason: string): Promise<void>;
}

/** `gone`: the queue knows nothing of it, or thinks it done. */
export type JobState =
  | { readonly kind: 'waiting' | 'active' | 'gone' }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** Its last worker was not heard of any more, so that the shard itself may be well. */
      readonly isLost: boolean;
    };

export interface ShardQueue {
  /** Higher comes first. @returns ids, in the order of the jobs */
  send(jobs: readonly ShardJob[], options?: { readonly priority?: number }): Promise<string[]>;
  /** Those of a higher priority first, then those that were sent first. */
  take(count: number, options?: TakeOptions): Promise<TakenJob[]>;
  stateOf(id: string): Promise<JobState>;
  /** Takes back what nobody has begun. */
  cancel(ids: readonly string[]): Promise<void>;
  /** Shards that wait for workers of other versions, by version. */
  waitingForOthers(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}
