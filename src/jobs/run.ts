/** One execution of a stage, as it is recorded: settings, seed, threads, versions, counts, how it ended. */

import type { RunId } from '../core/ids.ts';
import { LABELSMITH_VERSION } from '../core/version.ts';
import { isInterruption } from '../errors.ts';
import { ONNX_RUNTIME_VERSION } from '../onnx/runtime-files.ts';
import type { Store } from '../store/store.ts';
import { PartDone } from './parts/part-done.ts';
import type { RunOptions } from './stage.ts';

export type { RunOptions } from './stage.ts';

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

/** What the results may depend on. */
export async function versions(): Promise<Record<string, string>> {
  // Not loaded by commands that only look at the record.
  const { default: sharp } = await import('sharp');
  return {
    labelsmith: LABELSMITH_VERSION,
    node: process.versions.node,
    onnxruntime: ONNX_RUNTIME_VERSION,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
  };
}

/** What two processes must have alike to make the same bytes of a shard. */
export async function versionOfResults(): Promise<string> {
  const { labelsmith, onnxruntime, libvips } = await versions();
  return `${labelsmith}_ort${onnxruntime}_vips${libvips}`.replaceAll(/[^\w.-]/g, '-');
}

/** Runs `work` under a recorded run; whatever way it ends, the record says so. */
export async function recordRun<R extends RunResult>(
  store: Store,
  identity: RunIdentity,
  options: Pick<RunOptions, 'seed' | 'threads' | 'device'>,
  work: (runId: RunId) => Promise<R>,
): Promise<R> {
  const { device = 'cpu' } = options;
  const runId = await store.startRun({
    stage: identity.stage,
    settings: identity.settings,
    modelKey: identity.modelKey ?? null,
    seed: options.seed,
    threads: options.threads,
    // Only another device than the processor changes anything, and is said.
    versions: { ...(await versions()), ...(device === 'cpu' ? {} : { device }) },
  });
  let result: R;
  try {
    result = await work(runId);
  } catch (error) {
    if (error instanceof PartDone) {
      await store.finishRun(runId, { status: 'done', counts: error.counts });
      throw error;
    }
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
