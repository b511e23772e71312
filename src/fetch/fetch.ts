/**
 * Brings model files into the cache, from wherever their reference says, and hands back where they are.
 *
 * Guarantees: what comes back is whole and, where a SHA-256 is pinned, exactly that content, from whichever of its places;
 * a file that is already there costs one read and no network; an interrupted fetch goes on where it stopped; several
 * processes may fetch the same file at once, and one does the work; several files of one npm package cost one download.
 * Files of the hub and of the web come {@link AT_ONCE} at a time; where one cannot be had, the others are stopped, and go on
 * where they were when they are asked for again.
 * Nothing that is fetched is executed.
 */
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { inLanes } from '../core/lanes.ts';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { cacheError } from './cache.ts';
import {
  admit,
  type CachedFile,
  type FetchOptions,
  lookUp,
  notHere,
  partialPath,
  type SourceFile,
  underLock,
  withoutQuery,
} from './cached-files.ts';
import { hubSettings, isOn } from './hub.ts';
import { findNearby } from './nearby.ts';
import { parseReference } from './reference.ts';

export type { CachedFile, FetchOptions, FetchProgress, SourceFile } from './cached-files.ts';

/** Fetches what is not in the cache. In the order of `files`. */
export async function fetchFiles(files: readonly SourceFile[], given: FetchOptions): Promise<CachedFile[]> {
  const options = { ...given, offline: given.offline ?? isOn(process.env.LABELSMITH_OFFLINE) };
  const done = new Map<string, CachedFile>();
  const byItself = new Map<string, SourceFile>();
  for (const file of files) {
    if (done.has(file.reference) || byItself.has(file.reference)) continue;
    const here = (await findCached(file, options)) ?? (await takeNearby(file, options));
    if (!here && isByItself(file)) byItself.set(file.reference, file);
    else for (const one of here ? [here] : await fetchAnywhere(file, files, options)) done.set(one.reference, one);
  }
  await severalAtOnce([...byItself.values()], options, async (file, stoppable) => {
    for (const one of await fetchAnywhere(file, files, stoppable)) done.set(one.reference, one);
  });
  return files.map((file) => done.get(file.reference) as CachedFile);
}

/** Downloads that are under way together: enough for a line that one server does not fill, few enough for the hub. */
const AT_ONCE = 4;

/** Whether a file comes from an address of its own, and not out of a package with others. */
function isByItself({ reference, otherPlaces = [] }: SourceFile): boolean {
  return [reference, ...otherPlaces].every((place) => ['hf', 'url'].includes(parseReference(place).kind));
}

async function severalAtOnce(
  files: readonly SourceFile[],
  options: FetchOptions,
  fetchOne: (file: SourceFile, options: FetchOptions) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  await inLanes(files, AT_ONCE, async (file) => {
    try {
      await fetchOne(file, { ...options, signal });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
}

/** The file as it is in the cache, or undefined. */
export async function findCached(file: SourceFile, options: FetchOptions): Promise<CachedFile | undefined> {
  return lookUp(file, parseReference(file.reference), options);
}

/** Copies a file that is on this machine already. */
async function takeNearby(file: SourceFile, options: FetchOptions): Promise<CachedFile | undefined> {
  const path = await findNearby(file, options);
  return path === undefined ? undefined : copyIntoCache(file, path, options);
}

async function copyIntoCache(file: SourceFile, path: string, options: FetchOptions): Promise<CachedFile> {
  const partial = partialPath(`${file.reference} copied`, options);
  return underLock(partial, options, async () => {
    const meanwhile = await findCached(file, options);
    if (meanwhile) return meanwhile;
    await copyLocal(path, partial);
    return admit(file, partial, options);
  });
}

/** Tries a file's places one after the other. What is wrong with one of them may be right at the next. */
async function fetchAnywhere(
  file: SourceFile,
  files: readonly SourceFile[],
  options: FetchOptions,
): Promise<readonly CachedFile[]> {
  const { otherPlaces = [] } = file;
  if (otherPlaces.length === 0) return fetchFrom(file, file.reference, files, options);
  const failed: LabelsmithError[] = [];
  const patience = { ...options, attempts: options.attempts ?? ATTEMPTS_OF_SEVERAL };
  const places = [file.reference, ...otherPlaces];
  for (const [i, place] of places.entries()) {
    try {
      return await fetchFrom(file, place, files, patience);
    } catch (error) {
      if (!(error instanceof LabelsmithError) || !ELSEWHERE.has(error.code)) throw error;
      failed.push(error);
      const next = places[i + 1];
      if (next !== undefined && !options.offline)
        options.onNotice?.(`${reasonOf(error)}. Trying ${withoutQuery(next)}`);
    }
  }
  throw nowhere(file, failed, options);
}

/** Where there are more places to try, a silent one is given up sooner. */
const ATTEMPTS_OF_SEVERAL = 2;

/** Failures that say nothing of another place. */
const ELSEWHERE: ReadonlySet<LabelsmithError['code']> = new Set(['NETWORK', 'NOT_FOUND', 'BAD_FILE', 'REFUSED']);

async function fetchFrom(
  file: SourceFile,
  place: string,
  files: readonly SourceFile[],
  options: FetchOptions,
): Promise<readonly CachedFile[]> {
  const reference = parseReference(place);
  const there: SourceFile = { ...file, reference: place, otherPlaces: undefined };
  const named = (one: CachedFile): CachedFile =>
    one.reference === place ? { ...one, reference: file.reference } : one;
  if (reference.kind === 'file') return [named(await copyIntoCache(there, reference.path, options))];
  if (options.offline) throw notHere(there, 'no network may be used', options);
  // The clients of registries are loaded when something is fetched, which is seldom.
  if (reference.kind === 'pypi') {
    const { fetchFromPypi } = await import('./from-pypi.ts');
    return [named(await fetchFromPypi(there, reference, options, () => lookUp(there, reference, options)))];
  }
  if (reference.kind === 'npm') {
    const { fetchFromNpm } = await import('./from-npm.ts');
    return (await fetchFromNpm(reference, files, there, options)).map(named);
  }
  if (reference.kind === 'hf' && (await hubSettings()).offline) {
    throw notHere(there, 'HF_HUB_OFFLINE says not to ask the hub', options);
  }
  const { fetchFromUrl } = await import('./from-url.ts');
  return [named(await fetchFromUrl(there, reference, options, () => lookUp(there, reference, options)))];
}

/** What went wrong, without the advice for somebody who has one place alone. */
function reasonOf(error: LabelsmithError): string {
  return (error.cause instanceof LabelsmithError ? error.cause : error).message;
}

/** One error of several places: what each of them said, and what to do about it where that is more than for all of them. */
function nowhere(file: SourceFile, failed: readonly LabelsmithError[], options: FetchOptions): LabelsmithError {
  const places = [file.reference, ...(file.otherPlaces ?? [])];
  const { hint, details } = notHere(file, '', options);
  const reasons = failed.map((error, i) => {
    const place = withoutQuery(places[i] ?? '');
    const { hint: advice } = error.cause instanceof LabelsmithError ? error.cause : error;
    const todo = advice === undefined || advice === hint ? '' : `. ${advice}`;
    return `${place}: ${reasonOf(error).replace(`${place} `, '')}${todo}`;
  });
  return new LabelsmithError(
    'NETWORK',
    `${options.modelName ?? 'it'} is to be had from none of its ${places.length} places`,
    {
      cause: failed[0],
      hint: [...reasons, hint].join('\n  '),
      details: { ...details, places, reasons },
    },
  );
}

async function copyLocal(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT') throw new LabelsmithError('NOT_FOUND', `there is no file ${from}`, { cause: error });
    if (code === 'ENOSPC') throw cacheError(error, `cannot write ${to}`);
    throw new LabelsmithError('BAD_FILE', `cannot copy ${from}: ${messageOf(error)}`, { cause: error });
  }
}
