/**
 * Looks at a model of the hub and tries it in a process of its own, within bounds of time and memory: its files may come from
 * anywhere. What is fetched is fetched here before, so that the process needs no network.
 */
import { totalmem } from 'node:os';
import { LabelsmithError } from '../../errors.ts';
import type { Listing } from '../../fetch/hub-listing.ts';
import { LimitExceeded, runLimited } from '../../threads/limited-process.ts';
import type { ModelEntry } from '../bundle.ts';
import type { TakeInTask } from './take-in.child.ts';
import { fetchListed, type TakeInOptions } from './take-in.ts';

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
    if (!(error instanceof LimitExceeded)) throw error;
    throw new LabelsmithError('BAD_MODEL', `${listing.name} is not taken: ${error.message}`, {
      cause: error,
      hint: 'A model that never ends or fills the memory cannot be used. A smaller one of its kind, or --precision, may do.',
    });
  }
}
