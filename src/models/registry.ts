/** Finds a model by its name: in the catalogue, or among the imported ones. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { nearestNames } from '../core/nearest-names.ts';
import { validate } from '../core/validate.ts';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { cacheDirectory, cacheError, readJson, writeAtomically } from '../fetch/cache.ts';
import { MODEL_ENTRY, type ModelEntry } from './bundle.ts';
import { CATALOGUE } from './catalogue.ts';

/** Where `models import` keeps its entries. */
export function importedPath(cacheDir: string, id: string): string {
  return join(cacheDir, 'imported', `${id}.json`);
}

/** An imported entry as it is kept. The file may come from anywhere, with a cache that was copied. */
const IMPORTED = z.object({ version: z.literal(1), entry: MODEL_ENTRY });
type ImportedRecord = Readonly<z.infer<typeof IMPORTED>>;

/** Takes the place of what had the entry's name. Its files are to be in the cache before. */
export async function keepImported(entry: ModelEntry, cacheDir: string): Promise<void> {
  const record: ImportedRecord = { version: 1, entry };
  await writeAtomically(importedPath(cacheDir, entry.id), `${JSON.stringify(record, null, 2)}\n`);
}

/** Undefined where nothing was imported under this name. */
export async function importedEntry(id: string, cacheDir: string): Promise<ModelEntry | undefined> {
  const path = importedPath(cacheDir, id);
  const there = await readJson(path);
  return there === undefined ? undefined : entryIn(there, path);
}

function entryIn(record: unknown, path: string): ModelEntry {
  return validate(IMPORTED, record, {
    what: `${path} does not describe an imported model of a form known here`,
    hint: 'Delete it and import the model again.',
  }).entry;
}

/** All models: the catalogue in its order, then imported ones by name. */
export async function allEntries(cacheDir: string = cacheDirectory()): Promise<ModelEntry[]> {
  return [...CATALOGUE, ...(await importedEntries(cacheDir))];
}

/** A name that nobody knows is wrong usage. */
export async function findEntry(name: string, cacheDir: string = cacheDirectory()): Promise<ModelEntry> {
  const entries = await allEntries(cacheDir);
  const entry = entries.find(({ id }) => id === name);
  if (entry) return entry;
  throw new LabelsmithError('USAGE', `there is no model named "${name}"`, {
    hint: hintOfNames(name, 'models', entries),
  });
}

/** Where `hf:` is followed by something else. */
export const REPOSITORY_HINT = 'Write hf:OWNER/REPO or hf:OWNER/REPO@REVISION.';

/** Names that are told where one is not known. */
const MAX_NAMES_TOLD = 5;

/**
 * The names that are most like the one that is not known, else the first ones; not all of the catalogue.
 *
 * @param what they are, in the plural. @param flags that `models import` needs for one.
 */
export function hintOfNames(
  name: string,
  what: string,
  entries: readonly Pick<ModelEntry, 'id'>[],
  flags = '',
): string {
  if (name.startsWith('hf:')) return REPOSITORY_HINT;
  const all = entries.map(({ id }) => id);
  const near = nearestNames(name, all, MAX_NAMES_TOLD);
  const shown = near.length > 0 ? near : all.slice(0, MAX_NAMES_TOLD);
  const more = all.length - shown.length;
  const names = `${shown.join(', ') || 'none'}${more > 0 ? ` and ${more} more (labelsmith models list)` : ''}`;
  return `Known ${what}${near.length > 0 ? ' like it' : ''}: ${names}. \`labelsmith models import FILE.onnx${flags}\` adds one.`;
}

async function importedEntries(cacheDir: string): Promise<ModelEntry[]> {
  let names: string[];
  try {
    names = await readdir(join(cacheDir, 'imported'));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw cacheError(error, `cannot read ${join(cacheDir, 'imported')}`);
  }
  const entries: ModelEntry[] = [];
  for (const name of names.filter((file) => file.endsWith('.json')).sort()) {
    const path = join(cacheDir, 'imported', name);
    entries.push(entryIn(await readJson(path), path));
  }
  return entries;
}
