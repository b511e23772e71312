/**
 * Stages and shards as data, and the contract of the engines that run them.
 *
 * A stage says what is missing (`plan`), how one shard of it is done (`process`) and how what came of it is written
 * (`commit`). Settings, shards and results hold no functions and nothing that is changed later: settings and shards can be
 * written as JSON and results can be cloned, so that any process that can open the workspace may do a shard, and doing it
 * twice does no harm. What a stage works with (models, buffers, caches) is its context, which every process opens for
 * itself.
 */

import type { z } from 'zod';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { RunId } from '../core/ids.ts';
import type { Models } from '../models/models.ts';
import type { Device } from '../onnx/device.ts';
import type { InferencePool } from '../onnx/pool.ts';
import type { Store } from '../store/store.ts';
import type { VectorStore } from '../vectors/vector-store.ts';

/** The one object that every stage, report and command is given; `workspace.ts` opens it. */
export interface Workspace {
  /** Absolute path of the `.labelsmith` folder; of a workspace in PostgreSQL, a folder of this machine that may be deleted. */
  readonly dir: string;
  /** What other processes open it by: `dir`, or its address in PostgreSQL, which may hold a password. */
  readonly location: string;
  /** The same for people to read. */
  readonly name: string;
  readonly store: Store;
  readonly vectors: VectorStore;
  /** Larger derived files; what is not there is made again. */
  readonly blobs: BlobStore;
  /** Runs stages, and has the inference threads. */
  readonly engine: Engine;
  readonly models: Models;
  close(): Promise<void>;
}

/** What every stage is given, whatever it does. */
export interface RunOptions {
  /** Seed of everything random. Default 0. */
  readonly seed: number;
  /** Inference workers of one thread each; results do not depend on it. Default: the processor's cores. */
  readonly threads: number;
  /** What models and mathematics run on, for the record: the workspace's engine and models are made with it. */
  readonly device?: Device;
  /** Items committed as one. Smaller loses less when killed; larger commits less often. Default: the stage's own. */
  readonly shardSize?: number;
  /** Stop after this many items: a run over a subset. */
  readonly limit?: number;
  /** When aborted, the shards under way are finished and committed, then the run stops. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** One execution of a stage on a workspace. */
export interface StageJob<Settings> extends RunOptions {
  readonly workspace: Workspace;
  readonly settings: Settings;
  /** The run that what is written is recorded under. */
  readonly runId: RunId;
}

export interface StageDefinition<Settings, Context, Shard, Result> {
  /** The stage's name as in `runs` and progress lines: `add`, `detect`, … */
  readonly name: string;
  /** The stage whose run it is a step of: its shards are numbered apart. Default: it has runs of its own. */
  readonly within?: string;
  readonly settings: z.ZodType<Settings>;
  readonly shard: z.ZodType<Shard>;
  /** Opens what the stage works with. Only reads the record: other processes open it too, at any time of the run. */
  open(job: StageJob<Settings>): Promise<Context>;
  close?(context: Context): Promise<void>;
  /** Number of items in all shards where it is cheap to know, for the time left. */
  total?(context: Context): Promise<number | undefined>;
  /** What is missing, already cut to `limit`; shard membership depends on the data alone. */
  plan(context: Context): AsyncIterable<Shard>;
  /** Its plan is all there is, done or not: that work was done by parts (`--shard`) is then known by the record alone. */
  readonly plansAll?: true;
  /** Whether a shard has no work in it and only tells of what was done before; default none is so. */
  isIdle?(shard: Shard): boolean;
  /** Does one shard. An item that cannot be done is part of the result (quarantine), not an exception. */
  process(context: Context, shard: Shard, eachItem: EachItem): Promise<Result>;
  /** Names what decides the results beside settings and data, as the model does: processes that differ in it do not share work. */
  fingerprint?(context: Context): string;
  /** Whether it is so little work (no model runs) that spreading it takes longer; default no. */
  isQuick?(context: Context): boolean;
  /** What becomes of a shard that no process gets over. Without it the run fails. */
  readonly poison?: Poison<Context, Shard>;
  /**
   * Writes what came of one shard: files first, the record last, in one transaction. Gives the counts of what was written;
   * the engine sums them.
   */
  commit(context: Context, shard: Shard, result: Result): Promise<Counts>;
}

/** A context that has something to close where its stage opened it. */
export interface Closing {
  close?(): Promise<void>;
}

/** `close` of stages with such a context. */
export async function closeContext({ close }: Closing): Promise<void> {
  await close?.();
}

export interface Poison<Context, Shard> {
  /** Undefined for a shard of one item. */
  halves(shard: Shard): readonly [Shard, Shard] | undefined;
  /** Puts the one item of a shard into quarantine, and gives the counts of it. */
  putAside(context: Context, shard: Shard, reason: string): Promise<Counts>;
}

/** Whole numbers by name: images, regions, quarantined … */
export type Counts = Readonly<Record<string, number>>;

/**
 * Does the items of a shard, as many at once as the engine allows over all shards, and gives the results in their order. A
 * stage calls it once a shard; when the last item has begun, the engine begins the next shard.
 */
export type EachItem = <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  /** Whether an item was done before, so that it says nothing of how fast this goes. Default: none was. */
  wasDone?: (item: Item) => boolean,
) => Promise<Result[]>;

export interface Progress {
  readonly stage: string;
  readonly done: number;
  /** Of these, those that stay when the stage is interrupted now; absent where all do. */
  readonly kept?: number;
  readonly total: number | undefined;
  /** Of those that are done, the ones that this run did itself. */
  readonly worked: number;
  /** Items a second that this run does itself, over the last seconds. */
  readonly rate: number;
  readonly elapsedMs: number;
  /** Undefined until it can be told. */
  readonly remainingMs: number | undefined;
  readonly shardsCommitted: number;
  /** True where shards wait for workers and none has begun one for a while: there may be no worker. */
  readonly isUntaken?: boolean;
}

export interface StageSummary {
  /** Sums of the counts of all shards that were committed in this run. */
  readonly counts: Counts;
  readonly shards: number;
  readonly interrupted: boolean;
  readonly elapsedMs: number;
}

export interface Engine {
  /** Whether other processes run the same command, each a part of it. Default: none does. */
  readonly isPart?: boolean;
  /** Whether shards are done by processes that open the stage for themselves, of its settings alone. Default: they are done here. */
  readonly opensElsewhere?: boolean;
  /**
   * Does what is missing, and gives the sums. Shards are committed one after the other in the order of the plan, so that a
   * stage that is killed and run again goes on at a shard's edge with the same membership.
   *
   * @param context one that is open already, for work in this process; it stays open. Default: the engine opens one.
   */
  run<Settings, Context, Shard, Result>(
    stage: StageDefinition<Settings, Context, Shard, Result>,
    job: StageJob<Settings>,
    context?: Context,
  ): Promise<StageSummary>;
  /** Inference threads; whoever asks for them closes them. */
  openInference(options: { readonly threads: number }): Promise<InferencePool>;
  /** The same for as long as `work` takes. */
  withInference<T>(options: { readonly threads: number }, work: (pool: InferencePool) => Promise<T>): Promise<T>;
}

/** The sums of counts, name by name. */
export function sumCounts(a: Counts, b: Counts): Counts {
  const sums: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
