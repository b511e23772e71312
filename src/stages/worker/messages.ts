/** What a worker and the process that does its shards say to each other. */
import type { ShardJob } from '../../jobs/fleet/queue.ts';
import type { ShardOutcome } from '../../jobs/fleet/worker.ts';

export interface ProcessSetup {
  /** What the workspace is opened by. */
  readonly location: string;
  /** Inference threads. */
  readonly threads: number;
  readonly device: string;
  /** Names this worker in results. */
  readonly worker: string;
}

export type ToProcess =
  | { readonly kind: 'setup'; readonly setup: ProcessSetup }
  | { readonly kind: 'shard'; readonly id: number; readonly job: ShardJob }
  | { readonly kind: 'close' };

export interface FromProcess {
  readonly id: number;
  readonly outcome: ShardOutcome;
}
