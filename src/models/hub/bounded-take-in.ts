/**
 * Looks at a model of the hub and tries it in a process of its own, within bounds of time and memory: its files may come from
 * anywhere. What is fetched is fetched here before, so that the process needs no network.
 */
import { totalmem } from 'node:os';
import { LabelsmithError } from '../../errors.ts';
import { fetchFiles } from '../../fetch/fetch.ts';
import type { Listing } from '../../fetch/hub-listing.ts';
import { LimitExceeded, runLimited } from '../../threads/limited-process.ts';
import type { ModelEntry } from '../bundle.ts';
import { sourceOf } from './configs.ts';
import type { TakeInTask } from './take-in.child.ts';
import { fetchListed, graphsOf, type TakeInOptions } from './take-in.ts';

export interface TakeInBounds {
  /** For reading it and its trial runs together, in ms (default 600,000). A large model on a slow machine needs more. */
  readonly timeoutMs?: number;
  /** For the same (default 16 GB, and no more than three quarters of the machine's memory). */
  readonly maxMemoryBytes?: number;
}

const TIMEOUT_MS = 600_000;
const MAX_MEMORY_BYTES = Math.min(16e9, 0.75 * totalmem());

/** `take-in.child.ts` in a checkout, `take-in.child.js` when compiled. */
const CHILD = new URL(`./take-in.child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

export async function boundedEntry(
  listing: Listing,
  options: TakeInOptions,
  { timeoutMs = TIMEOUT_MS, maxMemoryBytes: maxBytes = MAX_MEMORY_BYTES }: TakeInBounds = {},
): Promise<ModelEntry> {
  await fetchListed(listing, options);
  const { id, licence, description, stated, precision, cacheDir, modelName, signal } = options;
  const plain = { id, licence, description, stated, precision, cacheDir, modelName, offline: true };
  const task: TakeInTask = { listing, options: plain };
  try {
    return await runLimited<ModelEntry>(CHILD, task, { timeoutMs, maxBytes, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (!(error instanceof LimitExceeded)) {
      throw error instanceof LabelsmithError ? await withFiles(error, listing, options) : error;
    }
    throw new LabelsmithError('BAD_MODEL', `${listing.name} is not taken: ${error.message}`, {
      cause: error,
      hint: 'A model that never ends or fills the memory cannot be used. A smaller one of its kind, or --precision, may do.',
    });
  }
}

/** The refusal with the content of the graphs that were looked at, so that another export is told from this one. */
async function withFiles(error: LabelsmithError, listing: Listing, options: TakeInOptions): Promise<LabelsmithError> {
  if (error.code !== 'UNSUPPORTED' && error.code !== 'BAD_MODEL') return error;
  const graphs = await graphsOf(listing, options);
  const fetched = await fetchFiles(graphs.map(sourceOf), { ...options, offline: true });
  const looked = graphs.map(({ path }, i) => `${path} (SHA-256 ${fetched[i]?.sha256})`).join(', ');
  const { code, message, hint = '', details } = error;
  return new LabelsmithError(code, message, { cause: error, details, hint: `${hint} Looked at: ${looked}.`.trim() });
}
