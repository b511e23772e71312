/** What an engine and a process that does shards for it say to each other. */
export interface WorkerJob {
  readonly stage: string;
  /** The workspace's folder. */
  readonly dir: string;
  readonly cacheDir: string;
  readonly runId: string;
  readonly seed: number;
  readonly threads: number;
  /** As JSON text. */
  readonly settings: string;
}

export type ToWorker =
  | { readonly kind: 'open'; readonly job: WorkerJob }
  /** A shard as JSON text. */
  | { readonly kind: 'shard'; readonly id: number; readonly shard: string }
  /** What is open; answered when it is. */
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'closed' }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
