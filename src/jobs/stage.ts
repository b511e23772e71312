/**
 * Stages and shards as data, and the contract of the engine that runs them.
 *
 * A stage says what is missing, how one item is done and how a shard is committed. The engine keeps several items in
 * flight, gives results back in the order of the items, and commits shards one after the other in order, so that a
 * stage that is killed and run again goes on at a shard's edge with the same membership.
 */
import type { InferencePool } from '../onnx/pool.ts';

export interface Shard<Item> {
  /** Position among the missing shards of this run, from 0. */
  readonly index: number;
  readonly items: readonly Item[];
}

export interface Stage<Item, Result> {
  /** The stage's name as in `runs` and progress lines: `add`, `detect`, … */
  readonly name: string;
  /** What is missing, already cut to `--limit`; shard membership depends on the data alone. */
  shards(): AsyncIterable<Shard<Item>>;
  /** Number of items in all shards where it is cheap to know, for the time left. */
  readonly total?: number;
  /** One item. An item that cannot be done is part of `Result` (quarantine), not an exception. */
  process(item: Item, signal: AbortSignal): Promise<Result>;
  /** Writes one shard: files first, the record last, in one transaction. Results stand in the order of the items. */
  commit(shard: Shard<Item>, results: readonly Result[]): Promise<void>;
}

export interface EngineOptions {
  /** Items in flight at once (default: twice the threads, at least 4). More hides latency and costs memory. */
  readonly itemsInFlight: number;
  /** When aborted, the shard under way is finished and committed, then the run stops. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number | undefined;
  /** Items a second over the last seconds. */
  readonly rate: number;
  readonly elapsedMs: number;
  /** Undefined until it can be told. */
  readonly remainingMs: number | undefined;
  readonly shardsCommitted: number;
}

export interface StageSummary {
  readonly items: number;
  readonly shards: number;
  readonly interrupted: boolean;
  readonly elapsedMs: number;
}

export interface Engine {
  /** Inference threads for as long as `work` takes; that many, or what the engine has. */
  withInference<T>(options: { readonly threads: number }, work: (pool: InferencePool) => Promise<T>): Promise<T>;
  run<Item, Result>(stage: Stage<Item, Result>, options: EngineOptions): Promise<StageSummary>;
}
