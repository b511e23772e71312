/**
 * Downloads one body into a file, and goes on where an earlier attempt (of this process or of one that was killed)
 * stopped.
 *
 * Guarantees: a partial file is only added to when the server says that the rest belongs to the same content
 * (`If-Range` with the validator it gave before, and a `Content-Range` that begins where the file ends) or the content's
 * hash is known; otherwise it starts over. A body shorter than the server announced is never taken for whole. A body
 * without an end is given up, and what came of it is deleted; a server that says nothing is given up. What the content
 * should be is checked by the caller, by hash.
 */
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '../core/byte-size.ts';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { cacheError, readJson, writeAtomically } from './cache.ts';
import { MAX_SILENCE_MS, type Silence, watchSilence } from './silence.ts';

export interface BodyResponse {
  readonly status: number;
  /** A header by its lower-case name. */
  header(name: string): string | null;
  /** Who answered, where that is another host than was asked, which redirected there. */
  readonly elsewhere?: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends a GET with these headers. Rejects when no answer came; an HTTP error is an answer. The signal ends a body too, where it can. */
export type SendRequest = (headers: Readonly<Record<string, string>>, signal?: AbortSignal) => Promise<BodyResponse>;

export interface DownloadOptions {
  /** What is being fetched, for messages. */
  readonly what: string;
  /**
   * The caller knows the content's hash and checks it: the rest is then asked for even where the server gave nothing to
   * tell one content from another by (default false).
   */
  readonly hashKnown?: boolean;
  /** Called after each piece; `totalBytes` is null while the server has not said. */
  readonly onProgress?: (receivedBytes: number, totalBytes: number | null) => void;
  /** Attempts in a row that bring no new byte before giving up (default 4). */
  readonly attempts?: number;
  /** Wait before the second such attempt, doubled each time, in ms (default 500). */
  readonly backoffMs?: number;
  /** The longest wait that a server may ask for (`Retry-After`), in ms; one that asks for more has refused (default 60,000). */
  readonly maxWaitMs?: number;
  /** More bytes than this are of no file that is wanted (default 16 GiB). */
  readonly maxBytes?: number;
  /** How long the server may say nothing, in ms (default 30,000). Twice in a row is the end. */
  readonly silenceMs?: number;
  /** What a status of 4xx means at this server; undefined leaves it at what it means everywhere. */
  readonly explainStatus?: (status: number, header: BodyResponse['header']) => LabelsmithError | undefined;
  readonly signal?: AbortSignal;
}

/** Remembered beside a partial file: how to ask for the rest of the same content. */
interface PartialRecord {
  /** A strong ETag or a date, as the server gave it. */
  readonly validator: string;
}

const MAX_BYTES = 16 * 2 ** 30;

/** Downloads to `partialPath` until it is whole. The partial file and its record stay behind when this fails. */
export async function download(send: SendRequest, partialPath: string, options: DownloadOptions): Promise<void> {
  const { what, attempts = 4, backoffMs = 500, maxWaitMs = 60_000 } = options;
  let failures = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    const before = await sizeOrZero(partialPath);
    const outcome = await attempt(send, partialPath, before, options);
    if (outcome.kind === 'whole') {
      await rm(recordPath(partialPath), { force: true });
      return;
    }
    if (outcome.kind === 'refused') throw outcome.error;
    const { reason, cause, waitMs = 0, silent = false } = outcome;
    failures = (await sizeOrZero(partialPath)) > before ? 0 : failures + (silent ? Math.ceil(attempts / 2) : 1);
    if (waitMs > maxWaitMs) throw mustWait(what, reason, waitMs);
    if (failures >= attempts) {
      throw new LabelsmithError('NETWORK', `could not fetch ${what}: ${reason}`, { cause });
    }
    await sleep(Math.max(backoffMs * 2 ** failures, waitMs), undefined, { signal: options.signal });
  }
}

type Outcome =
  | { readonly kind: 'whole' }
  | {
      readonly kind: 'again';
      readonly reason: string;
      readonly cause?: unknown;
      /** How long the server asks to wait. */
      readonly waitMs?: number;
      /** The server said nothing until it was given up. */
      readonly silent?: boolean;
    }
  | { readonly kind: 'refused'; readonly error: LabelsmithError };

async function attempt(send: SendRequest, path: string, have: number, options: DownloadOptions): Promise<Outcome> {
  const silence = watchSilence(options.silenceMs ?? MAX_SILENCE_MS, options.signal);
  let isWhole = false;
  try {
    const outcome = await attemptWithin(silence, send, path, have, options);
    isWhole = outcome.kind === 'whole';
    return outcome;
  } finally {
    if (isWhole) silence.stop();
    else silence.hangUp();
  }
}

async function attemptWithin(
  silence: Silence,
  send: SendRequest,
  path: string,
  have: number,
  options: DownloadOptions,
): Promise<Outcome> {
  const record = have > 0 ? ((await readJson(recordPath(path))) as PartialRecord | undefined) : undefined;
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (record || (have > 0 && options.hashKnown)) headers.range = `bytes=${have}-`;
  if (record) headers['if-range'] = record.validator;
  let response: BodyResponse;
  try {
    response = await silence.unlessSilent(send(headers, silence.signal));
    silence.heard();
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (silence.isBroken()) return { kind: 'again', reason: messageOf(silence.signal.reason), cause, silent: true };
    if (cause instanceof LabelsmithError) return { kind: 'refused', error: cause };
    return { kind: 'again', reason: messageOf(cause), cause };
  }
  const range = parseContentRange(response.header('content-range'));
  if (response.status === 416) {
    if (range?.total === have && have > 0) return { kind: 'whole' };
    await rm(path, { force: true });
    return { kind: 'again', reason: 'the server refuses to send the rest' };
  }
  if (response.status !== 200 && response.status !== 206) return httpError(response, options);
  const start = response.status === 206 ? range?.start : 0;
  if (start === undefined || (start !== 0 && start !== have)) {
    await rm(path, { force: true });
    return { kind: 'again', reason: 'the server sent another part than was asked for' };
  }
  const length = response.header('content-length');
  const total = range?.total ?? (length === null ? null : start + Number(length));
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  if (total !== null) await requireSpace(path, total - have, options.what);
  if (total !== null && total > maxBytes) return { kind: 'refused', error: tooMuch(options.what, maxBytes) };
  const validator = validatorOf(response);
  if (validator) await writeAtomically(recordPath(path), JSON.stringify({ validator } satisfies PartialRecord));
  else await rm(recordPath(path), { force: true });

  const received = await receive(response.body, path, { start, total, maxBytes, silence }, options);
  if ('cause' in received) {
    options.signal?.throwIfAborted();
    if (received.cause instanceof LabelsmithError) {
      await Promise.all([path, recordPath(path)].map((file) => rm(file, { force: true })));
      return { kind: 'refused', error: received.cause };
    }
    const of = total === null ? '' : ` of ${total}`;
    const reason = `the connection was cut after ${await sizeOrZero(path)}${of} bytes`;
    return { kind: 'again', reason, cause: received.cause, silent: silence.isBroken() };
  }
  if (total !== null && received.size < total) {
    return { kind: 'again', reason: `the connection ended after ${received.size} of ${total} bytes` };
  }
  return { kind: 'whole' };
}

interface Expected {
  /** Bytes that are there already. */
  readonly start: number;
  readonly total: number | null;
  readonly maxBytes: number;
  readonly silence: Silence;
}

/** Writes the body behind the first `start` bytes. A failing body is given back, a failing disk is thrown. */
async function receive(
  body: AsyncIterable<Uint8Array>,
  path: string,
  { start, total, maxBytes, silence }: Expected,
  options: DownloadOptions,
): Promise<{ size: number } | { cause: unknown }> {
  let size = start;
  try {
    const file = await open(path, start === 0 ? 'w' : 'r+');
    try {
      await file.truncate(start);
      const pieces = body[Symbol.asyncIterator]();
      for (;;) {
        let piece: IteratorResult<Uint8Array>;
        try {
          piece = await silence.unlessSilent(pieces.next());
        } catch (cause) {
          return { cause };
        }
        if (piece.done) break;
        silence.heard();
        if (size + piece.value.byteLength > maxBytes) {
          await pieces.return?.();
          return { cause: tooMuch(options.what, maxBytes) };
        }
        await file.write(piece.value, 0, piece.value.byteLength, size);
        size += piece.value.byteLength;
        options.onProgress?.(size, total);
        // A slow server may send a byte a second for hours.
        if (options.signal?.aborted) return { cause: options.signal.reason };
      }
    } finally {
      await file.sync().catch(() => {});
      await file.close();
    }
  } catch (error) {
    throw cacheError(error, `cannot write ${path}`);
  }
  return { size };
}

function tooMuch(what: string, maxBytes: number): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `the server sends more than ${formatBytes(maxBytes)} for ${what}`, {
    hint: 'No file that is wanted is as large: a proxy or mirror serves another one. What came of it is deleted.',
  });
}

function httpError({ status, header, elsewhere }: BodyResponse, { what, explainStatus }: DownloadOptions): Outcome {
  if (isPassing(status)) {
    return { kind: 'again', reason: `the server answered ${status}`, waitMs: retryAfterMs(header('retry-after')) };
  }
  if (elsewhere !== undefined && (status === 401 || status === 403)) {
    // What was asked let it through: a token or terms are not what is missing.
    const hint = `A proxy may block ${elsewhere}: ask who runs it to let it through. Else run it again, since such addresses run out.`;
    const message = `${elsewhere}, where the bytes of ${what} are kept, refused them (${status})`;
    return { kind: 'refused', error: new LabelsmithError('NETWORK', message, { hint }) };
  }
  const explained = explainStatus?.(status, header);
  if (explained) return { kind: 'refused', error: explained };
  if (status === 401 || status === 403) {
    const hint = 'Check that you are allowed to read it: npm uses the tokens of your .npmrc, the hub uses HF_TOKEN.';
    return {
      kind: 'refused',
      error: new LabelsmithError('NETWORK', `the server refused ${what} (${status})`, { hint }),
    };
  }
  if (status === 404 || status === 410) {
    return { kind: 'refused', error: new LabelsmithError('NOT_FOUND', `the server has no ${what} (${status})`) };
  }
  return { kind: 'refused', error: new LabelsmithError('NETWORK', `the server answered ${status} for ${what}`) };
}

/** Whether the same question may be answered in a while. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Seconds, or a date. */
export function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

export function mustWait(what: string, reason: string, waitMs: number): LabelsmithError {
  const time = waitMs < 120_000 ? `${Math.ceil(waitMs / 1000)} seconds` : `${Math.ceil(waitMs / 60_000)} minutes`;
  return new LabelsmithError('NETWORK', `could not fetch ${what}: ${reason} and asks to wait ${time}`, {
    hint: `Too much was asked of it from your address. Try again in ${time}; the hub lets those with a token in HF_TOKEN ask for more.`,
  });
}

/** A disk that has no room for the rest is told before it is filled. */
async function requireSpace(path: string, missingBytes: number, what: string): Promise<void> {
  const folder = await statfs(dirname(path)).catch(() => undefined);
  // Some file systems of networks say nothing.
  if (!folder || folder.blocks === 0) return;
  const freeBytes = folder.bavail * folder.bsize;
  if (missingBytes <= freeBytes) return;
  throw new LabelsmithError(
    'DISK_FULL',
    `${what} needs ${formatBytes(missingBytes)} more, and ${formatBytes(freeBytes)} are free at ${dirname(path)}`,
    { hint: 'Free some space, or set LABELSMITH_CACHE to a folder on another disk.' },
  );
}

/** What `If-Range` may hold: a strong entity tag, or else the date of the last change. */
function validatorOf(response: BodyResponse): string | null {
  const tag = response.header('etag');
  if (tag && !tag.startsWith('W/')) return tag;
  return response.header('last-modified');
}

function parseContentRange(header: string | null): { start: number | undefined; total: number | null } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(header ?? '');
  if (!match) return undefined;
  return {
    start: match[1] === undefined ? undefined : Number(match[1]),
    total: match[2] === '*' ? null : Number(match[2]),
  };
}

function recordPath(partialPath: string): string {
  return `${partialPath}.json`;
}

async function sizeOrZero(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return 0;
    throw cacheError(error, `cannot read ${path}`);
  }
}
