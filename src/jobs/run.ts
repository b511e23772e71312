/** One execution of a stage, as it is recorded: settings, seed, threads, versions, counts, how it ended. */
import { createRequire } from 'node:module';
import sharp from 'sharp';
import { isInterruption } from '../errors.ts';
import type { Device } from '../onnx/device.ts';
import { ONNX_RUNTIME_VERSION } from '../onnx/runtime-files.ts';
import type { Store } from '../store/store.ts';
import { localEngine } from './local-engine.ts';
import type { Progress, Stage, StageSummary } from './stage.ts';

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
  /** Stop after this many items: a pilot. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface RunIdentity {
  readonly stage: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly modelKey?: string | null;
}

export interface RunResult {
  readonly counts: Readonly<Record<string, number>>;
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly interrupted: boolean;
}

const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

export const LABELSMITH_VERSION = manifest.version;

/** What the results may depend on. */
export function versions(): Record<string, string> {
  return {
    labelsmith: LABELSMITH_VERSION,
    node: process.versions.node,
    onnxruntime: ONNX_RUNTIME_VERSION,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
  };
}

/** Runs `work` under a recorded run; whatever way it ends, the record says so. */
export async function recordRun<R extends RunResult>(
  store: Store,
  identity: RunIdentity,
  options: Pick<RunOptions, 'seed' | 'threads' | 'device'>,
  work: (runId: string) => Promise<R>,
): Promise<R> {
  const { device = 'cpu' } = options;
  const runId = await store.startRun({
    stage: identity.stage,
    settings: identity.settings,
    modelKey: identity.modelKey ?? null,
    seed: options.seed,
    threads: options.threads,
    // Only another device than the processor changes anything, and is said.
    versions: { ...versions(), ...(device === 'cpu' ? {} : { device }) },
  });
  let result: R;
  try {
    result = await work(runId);
  } catch (error) {
    const status = isInterruption(error) ? 'interrupted' : 'failed';
    // The first error is the one to show; a record that cannot be written (a full disk) must not hide it.
    await store.finishRun(runId, { status, counts: {} }).catch(() => {});
    throw error;
  }
  await store.finishRun(runId, {
    status: result.interrupted ? 'interrupted' : 'done',
    counts: result.counts,
    metrics: result.metrics,
  });
  return result;
}

/** Runs a stage on this machine with as many items in flight as keep its threads busy. */
export function runOnThisMachine<Item, Result>(stage: Stage<Item, Result>, options: RunOptions): Promise<StageSummary> {
  return localEngine().run(stage, {
    itemsInFlight: itemsInFlight(options.threads),
    signal: options.signal,
    onProgress: options.onProgress,
  });
}

/**
 * Each worker has one item in inference and one decoded and waiting, and decoding itself takes as many again. A decoded
 * item holds less than 1 MB, so this bounds memory at a few MB a thread.
 */
function itemsInFlight(threads: number): number {
  return Math.max(4, 3 * threads);
}

/** Cuts a stream of items into shards of `size`, and off after `limit` items. */
export async function* shardsOf<Item>(
  pages: AsyncIterable<readonly Item[]>,
  size: number,
  limit = Number.POSITIVE_INFINITY,
): AsyncIterable<{ index: number; items: readonly Item[] }> {
  let index = 0;
  let left = limit;
  let shard: Item[] = [];
  for await (const page of pages) {
    for (const item of page) {
      if (left <= 0) break;
      left--;
      shard.push(item);
      if (shard.length === size) {
        yield { index: index++, items: shard };
        shard = [];
      }
    }
    if (left <= 0) break;
  }
  if (shard.length > 0) yield { index, items: shard };
}
