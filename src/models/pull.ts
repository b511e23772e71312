/** Makes ready by name what models need: a model, or the runtime that runs them. */
import { fetchRuntime } from '../onnx/runtime-package.ts';
import type { ModelCache } from './models.ts';
import type { PrepareOptions } from './prepare.ts';

/** The runtime's name here; no model has it. */
const RUNTIME = 'onnxruntime';

export interface Pulled {
  readonly id: string;
  /** A file, or of the runtime its folder. */
  readonly path: string;
  readonly key?: string;
  readonly byteSize?: number;
}

export async function pull(cache: ModelCache, name: string, options: PrepareOptions): Promise<Pulled> {
  if (name === RUNTIME) return { id: name, path: (await fetchRuntime(options)).folder };
  const { entry, key, path, byteSize } = await cache.prepare(name);
  return { id: entry.id, key, path, byteSize };
}
