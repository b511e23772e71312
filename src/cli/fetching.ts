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

/** How often a long download says how far it is. */
const SAY_INTERVAL_MS = 10_000;

export function fetchOptionsFor(
  output: Pick<Output, 'note'>,
  signal?: AbortSignal,
  clock: () => number = () => performance.now(),
): PrepareOptions {
  // Several files come at once, and files of several models have one name.
  const said = new Map<string, number>();
  return {
    signal,
    onConvert: (id) => output.note(`Preparing ${id} (once)…`),
    onNotice: (message) => output.note(message),
    onProgress: ({ what, receivedBytes, totalBytes }) => {
      const before = said.get(what);
      const now = clock();
      const isDue = before === undefined || now - before >= SAY_INTERVAL_MS;
      if (receivedBytes === totalBytes) said.delete(what);
      else if (isDue) said.set(what, now);
      if (!isDue) return;
      const whole = totalBytes === null ? '' : formatBytes(totalBytes);
      if (before === undefined) output.note(`Fetching ${what}${whole === '' ? '' : ` (${whole})`}…`);
      else output.note(`Fetching ${what}: ${formatBytes(receivedBytes)}${whole === '' ? '' : ` of ${whole}`}…`);
    },
  };
}
