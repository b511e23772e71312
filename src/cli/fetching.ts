/** What is said while a model is fetched and converted. */
import type { PrepareOptions } from '../models/prepare.ts';
import type { Output } from './output.ts';
import { formatBytes } from './words.ts';

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
