/**
 * The only door to onnxruntime-node: every other file takes the runtime from here.
 *
 * The runtime is loaded when it is first asked for, with its telemetry off. ONNX Runtime 1.30 otherwise writes a device
 * id and a queue of events (model file names and metadata among them) into the user's cache folder, and sends them to
 * its maker. It reads its opt-out from the environment of the process, once, when it starts. Only the main thread can
 * change that environment, so importing this file there is enough; a thread that did not inherit the opt-out is refused.
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type * as OnnxRuntime from 'onnxruntime-node';
import { LabelsmithError, messageOf } from '../errors.ts';

export type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';

/** What 1.30 reads, and the name under which later sources read it. On Windows nothing leaves without a listener. */
const OPT_OUTS = ['ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED'] as const;

if (isMainThread) for (const name of OPT_OUTS) process.env[name] = '1';

let loaded: typeof OnnxRuntime | undefined;

/** ONNX Runtime, loaded at the first call. */
export function onnxRuntime(): typeof OnnxRuntime {
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

function load(): typeof OnnxRuntime {
  assertTelemetryOff();
  try {
    return createRequire(import.meta.url)('onnxruntime-node') as typeof OnnxRuntime;
  } catch (cause) {
    const here = `${process.platform} ${process.arch}`;
    throw new LabelsmithError('UNSUPPORTED', `ONNX Runtime cannot be loaded on ${here}: ${messageOf(cause)}`, {
      cause,
      hint: 'It has builds for Linux and Windows (x64, arm64) and for macOS (arm64). If yours is one, install labelsmith again.',
    });
  }
}

/** The version of the runtime, or `unknown`. */
export function onnxRuntimeVersion(): string {
  return onnxRuntime().env.versions.node ?? 'unknown';
}
