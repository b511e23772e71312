/**
 * What a session runs on. A device that was asked for is used or refused, with what to do; a session never falls back to
 * the processor as a whole. Single operators that a device has no kernel for run on the processor, as ONNX Runtime
 * arranges it.
 */
import { LabelsmithError, messageOf } from '../errors.ts';
import { onnxRuntime } from './runtime.ts';
import { ONNX_RUNTIME_VERSION } from './runtime-files.ts';
import type { SessionOptions } from './runtime-types.ts';

export const DEVICES = ['cpu', 'cuda', 'tensorrt', 'coreml', 'dml', 'webgpu'] as const;
export type Device = (typeof DEVICES)[number];

/** What each needs besides ONNX Runtime itself. */
const NEEDS: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  cuda: `It needs an NVIDIA driver, CUDA 12 and cuDNN 9, and ONNX Runtime's libraries for them, which "npm i onnxruntime-node@${ONNX_RUNTIME_VERSION}" fetches.`,
  tensorrt: 'It needs what cuda needs, and TensorRT 10.',
  coreml: 'It needs macOS on Apple silicon.',
  dml: 'It needs Windows with a graphics card of DirectX 12.',
  webgpu: 'It needs a graphics card with a driver for Vulkan (Linux), Metal (macOS) or DirectX 12 (Windows).',
};

/** Devices that this build of ONNX Runtime can be asked for; whether the machine has one shows when it is used. */
export function listedDevices(): Device[] {
  const names = onnxRuntime()
    .listSupportedBackends()
    .map(({ name }) => name);
  return DEVICES.filter((device) => names.includes(device));
}

/** How a session is asked to run on a device: there alone, so that nothing else is chosen in its place. */
export function deviceOptions(device: Device): SessionOptions {
  // DirectML allocates for itself.
  return { executionProviders: [device], ...(device === 'dml' ? { enableMemPattern: false } : {}) };
}

/** Refuses a device that this build does not have. */
export function requireListed(device: Device): void {
  const listed = listedDevices();
  if (listed.includes(device)) return;
  const here = `${process.platform} ${process.arch}`;
  throw new LabelsmithError('UNSUPPORTED', `ONNX Runtime has no device ${device} on ${here}.`, {
    hint: `Devices that can be asked for here: ${listed.join(', ')}. ${needsOf(device)}`.trimEnd(),
  });
}

/** Why a session on a listed device could not be made, for people. */
export function deviceError(device: Device, cause: unknown): LabelsmithError {
  // Without the place in ONNX Runtime's sources and the condition that did not hold.
  const why = messageOf(cause)
    .replace(/^\S+\.cc:\d+ .* was false\. /s, '')
    .trim();
  return new LabelsmithError('UNSUPPORTED', `The device ${device} cannot be used here: ${why}`, {
    cause,
    hint: `${needsOf(device)} Or leave --device out, which is the processor.`.trimStart(),
  });
}

function needsOf(device: Device): string {
  return device === 'cpu' ? '' : NEEDS[device];
}
