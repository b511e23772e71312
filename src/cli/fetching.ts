/** What is said while a model is fetched and converted. */
import { formatBytes } from '../core/byte-size.ts';
import { createModels, type ModelCache } from '../models/models.ts';
import type { PrepareOptions } from '../models/prepare.ts';
import type { Context } from './command.ts';
import type { Output } from './output.ts';

/** The models of a workspace, for `openWorkspace`. */
export function modelsFor(
  { global, output, signal }: Pick<Context, 'global' | 'output' | 'signal'>,
  options: Pick<PrepareOptions, 'folders' | 'cacheDir'> = {},
): ModelCache {
  return createModels({ ...fetchOptionsFor(output, signal), ...options, device: global.device });
}

export function fetchOptionsFor(output: Output, signal?: AbortSignal): PrepareOptions {
  let said = '';
  return {
    signal,
    onConvert: (id) => output.note(`Preparing ${id} (once)…`),
    onNotice: (message) => output.note(message),
    onProgress: ({ what, totalBytes }) => {
      if (said === what) return;
      said = what;
      output.note(`Fetching ${what}${totalBytes === null ? '' : ` (${formatBytes(totalBytes)})`}…`);
    },
  };
}
