/** `add --dry-run`: how much there is, how long it takes and what it needs. */
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { inspect } from '../../images/inspect.ts';
import type { Source, SourceEntry } from '../../sources/source.ts';

export interface AddEstimate {
  readonly files: number;
  readonly bytes: number;
  readonly estimatedMs: number;
  readonly recordBytes: number;
}

/** Files that are read and decoded to time them. */
const TIMED_FILES = 12;
/** Rows and index entries of an image, its print and a path, measured on photographs with ordinary names. */
const RECORD_BYTES_PER_FILE = 3500;

/** Lists everything, times a few files spread over the listing, and multiplies. Writes nothing. */
export async function estimateAdd(sources: readonly Source[], threads: number): Promise<AddEstimate> {
  let files = 0;
  let bytes = 0;
  let stride = 1;
  let timed: SourceEntry[] = [];
  for (const source of sources) {
    for await (const item of source.list()) {
      if (item.kind === 'problem') continue;
      if (files % stride === 0) timed.push(item.entry);
      if (timed.length === 2 * TIMED_FILES) {
        timed = timed.filter((_, i) => i % 2 === 0);
        stride *= 2;
      }
      files++;
      bytes += item.entry.byteSize;
    }
  }
  const startedAt = performance.now();
  for (const entry of timed) {
    await entry
      .read(DEFAULT_MAX_BYTES)
      .then((content) => inspect(content))
      .catch(() => {}); // a bad file takes its time too, and is not the estimate's business
  }
  const perFileMs = timed.length > 0 ? (performance.now() - startedAt) / timed.length : 0;
  const estimatedMs = Math.round((files * perFileMs) / threads);
  return { files, bytes, estimatedMs, recordBytes: files * RECORD_BYTES_PER_FILE };
}
