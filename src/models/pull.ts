/** Makes ready by name what models need: a model, or the runtime that runs them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isInterruption, LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { fetchFiles } from '../fetch/fetch.ts';
import { fetchRuntime, installedRuntime } from '../onnx/runtime-package.ts';
import type { ModelEntry } from './bundle.ts';
import { EMBEDDERS, HUB_FIRST, type Quality } from './choose-embedder.ts';
import { firstOfHub } from './hub/reachable.ts';
import { sentenceOf } from './missed.ts';
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

export async function pull(
  cache: ModelCache,
  name: string,
  options: PrepareOptions,
  request: Parameters<ModelCache['prepare']>[1] = {},
): Promise<Pulled> {
  if (name === RUNTIME) return { id: name, path: (await fetchRuntime(options)).folder };
  const { entry, key, path, byteSize } = await cache.prepare(name, request);
  await fetchFurtherGraphs(entry, cache.cacheDir, options);
  return { id: entry.id, key, path, byteSize };
}

/**
 * ONNX Runtime for this platform into the cache that a machine without a network is given: it may have none. Taken from what is
 * on this machine where that is the same.
 */
export async function pullRuntimeInto(cacheDir: string, options: PrepareOptions): Promise<Pulled> {
  const { offline, onProgress, signal } = options;
  const installed = installedRuntime();
  const beside = installed ? [installed.folder, join(installed.folder, '..', 'onnxruntime-common')] : [];
  const folders = [...beside, join(cacheDirectory(), 'sources')].filter((folder) => existsSync(folder));
  const { folder } = await fetchRuntime({ offline, onProgress, signal, folders, cacheDir });
  return { id: RUNTIME, path: folder };
}

/** The text side of a pair, say: what is used later must need no network then. */
async function fetchFurtherGraphs(entry: ModelEntry, cacheDir: string, options: PrepareOptions): Promise<void> {
  for (const { source } of Object.values(entry.graphs ?? {}))
    await fetchFiles(source.files, { ...options, cacheDir, modelName: entry.id });
}

/** The best embedder of a quality that can be had. What cannot be had is told to `onNotice`, and the next one is tried. */
export async function pullQuality(cache: ModelCache, quality: Quality, options: PrepareOptions): Promise<Pulled> {
  const ofHub = await firstOfHub(HUB_FIRST[quality].embedder, options);
  if (ofHub.missed.length > 0) options.onNotice?.(`${sentenceOf(ofHub.missed)}.`);
  if (ofHub.id !== undefined) return pull(cache, ofHub.id, options);
  const [last = '', ...better] = EMBEDDERS[quality].toReversed();
  for (const id of better.toReversed()) {
    try {
      return await pull(cache, id, options);
    } catch (error) {
      if (!(error instanceof LabelsmithError) || isInterruption(error)) throw error;
      options.onNotice?.(`${error.message}.${error.hint ? `\n  ${error.hint}` : ''}`);
    }
  }
  return pull(cache, last, options);
}
