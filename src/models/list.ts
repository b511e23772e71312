/** What `labelsmith models list` shows. */
import { cacheDirectory } from '../fetch/cache.ts';
import type { ModelEntry, Role } from './bundle.ts';
import { preparedInCache, sourcesInCache } from './prepare.ts';
import { allEntries } from './registry.ts';

export interface ModelListing {
  readonly id: string;
  readonly role: Role;
  readonly licence: string;
  readonly description: string;
  /** References of its source files. */
  readonly sources: readonly string[];
  /** Whether its source files are in the cache, so that it needs no network. */
  readonly cached: boolean;
  /** Bytes of its source files; null when they are not in the cache. */
  readonly byteSize: number | null;
  /** The key under which its results are recorded; null until it was used once. */
  readonly key: string | null;
}

/** All known models, the catalogue's first. Uses no network. */
export async function modelsList(cacheDir: string = cacheDirectory()): Promise<ModelListing[]> {
  return Promise.all((await allEntries(cacheDir)).map((entry) => listing(entry, cacheDir)));
}

async function listing(entry: ModelEntry, cacheDir: string): Promise<ModelListing> {
  const sources = await sourcesInCache(entry, cacheDir);
  const prepared = sources && (await preparedInCache(entry, cacheDir));
  return {
    id: entry.id,
    role: entry.role,
    licence: entry.licence,
    description: entry.description,
    sources: entry.source.files.map(({ reference }) => reference),
    cached: sources !== undefined,
    byteSize: sources?.reduce((sum, { byteSize }) => sum + byteSize, 0) ?? null,
    key: prepared?.key ?? null,
  };
}
