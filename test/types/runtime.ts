/** Our own types of ONNX Runtime against those of its package: what it exports is what we say it is. Nothing here runs. */
import type * as Common from 'onnxruntime-common';
import type { OnnxRuntime, RuntimeSession, SessionOptions } from '../../src/onnx/runtime-types.ts';

/** Whoever passes a session our options passes what it takes. */
export function options(ours: SessionOptions): Pick<Common.InferenceSession.SessionOptions, keyof SessionOptions> {
  return { ...ours, executionProviders: [...(ours.executionProviders ?? [])], extra: { ...ours.extra } };
}

export function results(theirs: Common.InferenceSession): Omit<RuntimeSession, 'run'> {
  return theirs;
}

export function output(theirs: Common.OnnxValue): Awaited<ReturnType<RuntimeSession['run']>>[string] {
  return theirs;
}

export function faces({ Tensor, env }: typeof Common): Pick<OnnxRuntime, 'Tensor' | 'env'> {
  return { Tensor, env };
}
