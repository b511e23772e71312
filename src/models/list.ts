/** What `labelsmith models list` shows. */
import { cacheDirectory } from '../fetch/cache.ts';
import type { ModelEntry, Role } from './bundle.ts';
import { type CheckRecord, findCheck } from './check-record.ts';
import { HUB_MODELS, type HubModel } from './hub/catalogue.ts';
import { allFiles, filesInCache, preparedInCache } from './prepare.ts';
import { allEntries } from './registry.ts';

export interface ModelListing {
  readonly id: string;
  readonly role: Role;
  readonly licence: string;
  readonly description: string;
  /** References of its source files, those of its further graphs included, and of the other places of the same content. */
  readonly sources: readonly string[];
  /** What its publisher says that it scores; null where it says nothing. */
  readonly stated: string | null;
  /** What it scored when this version was made, and on what; null: nobody ran it then. */
  readonly measured: string | null;
  /** What `models check` found of it on this machine; null: it was not checked here. */
  readonly checked: CheckRecord | null;
  /** Whether its source files are in the cache, so that it needs no network. */
  readonly cached: boolean;
  /** Bytes of its source files; null where they are neither in the cache nor stated by its publisher. */
  readonly byteSize: number | null;
  /** The key under which its results are recorded; null until it was used once. */
  readonly key: string | null;
}

/** All known models, the catalogue's first. Uses no network. */
export async function modelsList(cacheDir: string = cacheDirectory()): Promise<ModelListing[]> {
  const entries = await allEntries(cacheDir);
  const known = new Set(entries.map(({ id }) => id));
  const ofHub = HUB_MODELS.filter(({ id }) => !known.has(id)).map(listingOfHub);
  return [...(await Promise.all(entries.map((entry) => listing(entry, cacheDir)))), ...ofHub];
}

/** Before it was taken in: what its publisher says is all that is known. */
function listingOfHub({ id, role, licence, description, repository, stated }: HubModel): ModelListing {
  const unknown = { measured: null, checked: null, cached: false, byteSize: null, key: null };
  return {
    id,
    role,
    licence,
    description,
    sources: [repository.includes('@') ? `hf:${repository}` : `hf:${repository}@main`],
    stated,
    ...unknown,
  };
}

async function listing(entry: ModelEntry, cacheDir: string): Promise<ModelListing> {
  const files = allFiles(entry);
  const sources = await filesInCache(files, cacheDir);
  const prepared = sources && (await preparedInCache(entry, cacheDir));
  const check = await findCheck(cacheDir, entry.id);
  return {
    id: entry.id,
    role: entry.role,
    licence: entry.licence,
    description: entry.description,
    sources: files.flatMap(({ reference, otherPlaces = [] }) => [reference, ...otherPlaces]),
    stated: entry.stated ?? null,
    measured: entry.measured ?? null,
    // What was found of another graph says nothing of this one.
    checked: check && (prepared === undefined || prepared.key === check.key) ? check : null,
    cached: sources !== undefined,
    byteSize: sizeOf(sources ?? files),
    key: prepared?.key ?? null,
  };
}

function sizeOf(files: readonly { readonly byteSize?: number }[]): number | null {
  return files.reduce<number | null>((sum, { byteSize }) => (sum === null || !byteSize ? null : sum + byteSize), 0);
}
