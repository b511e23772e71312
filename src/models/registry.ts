/** Finds a model by its name: in the catalogue, or among the imported ones. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { validate } from '../core/validate.ts';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { cacheDirectory, cacheError, readJson } from '../fetch/cache.ts';
import { MODEL_ENTRY, type ModelEntry } from './bundle.ts';
import { CATALOGUE } from './catalogue.ts';

/** Where `models import` keeps its entries. */
export function importedPath(cacheDir: string, id: string): string {
  return join(cacheDir, 'imported', `${id}.json`);
}

/** An imported entry as it is kept. The file may come from anywhere, with a cache that was copied. */
const IMPORTED = z.object({ version: z.literal(1), entry: MODEL_ENTRY });
export type ImportedRecord = Readonly<z.infer<typeof IMPORTED>>;

/** All models: the catalogue in its order, then imported ones by name. */
export async function allEntries(cacheDir: string = cacheDirectory()): Promise<ModelEntry[]> {
  return [...CATALOGUE, ...(await importedEntries(cacheDir))];
}

/** A name that nobody knows is wrong usage. */
export async function findEntry(name: string, cacheDir: string = cacheDirectory()): Promise<ModelEntry> {
  const entries = await allEntries(cacheDir);
  const entry = entries.find(({ id }) => id === name);
  if (entry) return entry;
  throw new LabelsmithError('USAGE', `there is no model named "${name}"`, { hint: hintOfNames('models', entries) });
}

/** @param what they are, in the plural. @param flags that `models import` needs for one. */
export function hintOfNames(what: string, entries: readonly Pick<ModelEntry, 'id'>[], flags = ''): string {
  const names = entries.map(({ id }) => id).join(', ') || 'none';
  return `Known ${what}: ${names}. \`labelsmith models import FILE.onnx${flags}\` adds one.`;
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
    const { entry } = validate(IMPORTED, await readJson(path), {
      what: `${path} does not describe an imported model of a form known here`,
      hint: 'Delete it and import the model again.',
    });
    entries.push(entry);
  }
  return entries;
}
