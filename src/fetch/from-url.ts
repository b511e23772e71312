/** Downloads a file from a URL, the hub's among them. */
import { stat } from 'node:fs/promises';
import { LabelsmithError } from '../errors.ts';
import {
  admit,
  type CachedFile,
  explain,
  type FetchOptions,
  partialPath,
  type SourceFile,
  underLock,
} from './cached-files.ts';
import { type DownloadOptions, download, type SendRequest } from './download.ts';
import { sendTo } from './http.ts';
import { explainHubStatus, hubSettings, hubUrl } from './hub.ts';
import { baseNameOf, type Reference } from './reference.ts';

/** A place of a file: how it is asked for, and what an answer that is none means there. */
export interface Place {
  readonly send: SendRequest;
  readonly explainStatus?: DownloadOptions['explainStatus'];
}

export async function fetchFromUrl(
  file: SourceFile,
  reference: Extract<Reference, { kind: 'url' | 'hf' }>,
  options: FetchOptions,
  inCache: () => Promise<CachedFile | undefined>,
): Promise<CachedFile> {
  const partial = partialPath(file.reference, options);
  return underLock(partial, options, async () => {
    const meanwhile = await inCache();
    if (meanwhile) return meanwhile;
    return downloadAndAdmit(file, await placeOf(file, reference, options), partial, options);
  });
}

async function placeOf(
  { sha256 }: SourceFile,
  reference: Extract<Reference, { kind: 'url' | 'hf' }>,
  { timeoutMs }: FetchOptions,
): Promise<Place> {
  if (reference.kind === 'hf') {
    const hub = await hubSettings();
    const url = hubUrl(reference, hub);
    requireEncryption(url, sha256);
    const token = isLoopback(url) || /^https:/i.test(url) ? hub.token : undefined;
    return { send: sendTo(url, { token, timeoutMs }), explainStatus: explainHubStatus(reference, hub) };
  }
  requireEncryption(reference.url, sha256);
  return { send: sendTo(reference.url, { timeoutMs }) };
}

function requireEncryption(url: string, sha256: string | undefined): void {
  if (/^https:/i.test(url) || sha256 !== undefined || isLoopback(url)) return;
  throw new LabelsmithError('REFUSED', `${url} is not encrypted and its SHA-256 is not known`, {
    hint: 'Use https:, or give the SHA-256 that the file must have.',
  });
}

function isLoopback(url: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
}

async function downloadAndAdmit(
  file: SourceFile,
  place: Place,
  partial: string,
  options: FetchOptions,
): Promise<CachedFile> {
  const resumed = await exists(partial);
  const what = baseNameOf(file.reference);
  await downloadOrExplain(file, place, partial, { ...options, hashKnown: file.sha256 !== undefined, what });
  try {
    return await admit(file, partial, options);
  } catch (error) {
    // An old first part and a new rest do not fit together: once more, from the beginning.
    if (!resumed || !(error instanceof LabelsmithError) || error.code !== 'BAD_FILE') throw error;
    await downloadOrExplain(file, place, partial, { ...options, hashKnown: true, what });
    return admit(file, partial, options);
  }
}

export async function downloadOrExplain(
  file: SourceFile,
  { send, explainStatus }: Place,
  partial: string,
  { what, hashKnown, maxBytes, ...options }: FetchOptions & Pick<DownloadOptions, 'what' | 'hashKnown' | 'maxBytes'>,
): Promise<void> {
  const { signal, backoffMs, attempts } = options;
  try {
    await download(send, partial, {
      what,
      hashKnown,
      maxBytes,
      signal,
      backoffMs,
      attempts,
      explainStatus,
      onProgress: (receivedBytes, totalBytes) => options.onProgress?.({ what, receivedBytes, totalBytes }),
    });
  } catch (error) {
    throw explain(error, file, options);
  }
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
