/**
 * The only door to onnxruntime-node: every other file takes the runtime from here. Where it is, and how it gets there, is
 * told in `runtime-package.ts`.
 *
 * The runtime is loaded when it is first asked for, with its telemetry off. ONNX Runtime 1.30 otherwise writes a device
 * id and a queue of events (model file names and metadata among them) into the user's cache folder, and sends them to
 * its maker. It reads its opt-out from the environment of the process, once, when it starts. Only the main thread can
 * change that environment, so importing this file there is enough; a thread that did not inherit the opt-out is refused.
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { LabelsmithError, messageOf } from '../errors.ts';
import { type FetchRuntimeOptions, fetchRuntime, findRuntime } from './runtime-package.ts';
import type { OnnxRuntime } from './runtime-types.ts';

/** What 1.30 reads, and the name under which later sources read it. On Windows nothing leaves without a listener. */
const OPT_OUTS = ['ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED'] as const;

if (isMainThread) for (const name of OPT_OUTS) process.env[name] = '1';

let loaded: OnnxRuntime | undefined;

export type PrepareRuntimeOptions = Omit<FetchRuntimeOptions, 'cacheDir'>;

let fetching: Promise<unknown> | undefined;

/** Makes sure that ONNX Runtime is on this machine, with the network where it must. To be awaited before the first use. */
export async function prepareRuntime(options: PrepareRuntimeOptions = {}): Promise<void> {
  if (loaded || findRuntime()) return;
  // Always in the user's cache, wherever a model is wanted: a process has one runtime.
  const { offline, onProgress, onNotice, signal } = options;
  fetching ??= fetchRuntime({ offline, onProgress, onNotice, signal }).finally(() => {
    fetching = undefined;
  });
  await fetching;
}

/** ONNX Runtime, loaded at the first call. */
export function onnxRuntime(): OnnxRuntime {
  loaded ??= load();
  return loaded;
}

/**
 * Fails where the runtime would start with its telemetry on: in a thread whose environment lacks the opt-out. Whatever
 * starts threads that load the runtime calls it first.
 */
export function assertTelemetryOff(): void {
  // A thread's `process.env` is a copy of that of the thread which started it; what it sets itself stays in the copy.
  if (process.env[OPT_OUTS[0]] === '1') return;
  throw new LabelsmithError('UNSUPPORTED', 'ONNX Runtime is not loaded: its telemetry would be on in this thread', {
    hint: `Import labelsmith in the main thread before this thread starts, or set ${OPT_OUTS[0]}=1 for the process.`,
  });
}

function load(): OnnxRuntime {
  assertTelemetryOff();
  const place = findRuntime();
  if (!place) {
    throw new LabelsmithError('NOT_FOUND', 'ONNX Runtime is not on this machine yet', {
      hint: 'Fetch it once with `labelsmith models pull onnxruntime`.',
    });
  }
  try {
    const runtime = createRequire(import.meta.url)(place.folder) as OnnxRuntime;
    // Errors are thrown with their message; its own log would print them a second time.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (cause) {
    const here = `${process.platform} ${process.arch}`;
    throw new LabelsmithError('UNSUPPORTED', `ONNX Runtime cannot be loaded on ${here}: ${messageOf(cause)}`, {
      cause,
      hint: `It needs glibc 2.28 or newer on Linux. If the files are damaged, delete ${place.folder} and try again.`,
    });
  }
}
