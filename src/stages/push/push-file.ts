/**
 * One file from the folder to the target: read, digested, put under a condition, verified, written down. Whatever ends it
 * in between, the next push finds either nothing there, or the file itself, which it then writes down.
 */
import { createHash, hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { digestsOfFile, filePieces } from '../../sources/file.ts';
import type { PutCondition, PutResult, Sink, SinkFile } from '../../sources/sink.ts';
import type { PushedFile, PushLedger } from '../../store/push-ledger.ts';
import type { Bandwidth } from './bandwidth.ts';
import { isOwnFile } from './own-files.ts';
import type { QuickDisk } from './quick-disk.ts';

/** A file of the folder, as the plan found it. */
export interface LocalFile {
  readonly key: string;
  readonly path: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
  /** Time in nanoseconds and size. */
  readonly localVersion: string;
}

/** What is known of the file at the target before it is put. */
export interface Before {
  /** As the ledger has it. */
  readonly pushed: PushedFile | undefined;
  /** As the target's listing has it, where it has one. */
  readonly remote: SinkFile | undefined;
  /** The version that an attempt before left there and that is not what was written. */
  readonly broken?: string;
}

export interface PushFileContext {
  readonly disk: QuickDisk;
  readonly sink: Sink;
  readonly ledger: PushLedger;
  /** Undefined for no limit. */
  readonly bandwidth: Bandwidth | undefined;
  /** `store`: its own digest is enough where it tells one. `bytes`: what was written is always read back. */
  readonly verify: 'store' | 'bytes';
  /** Also writes over what somebody else put there. */
  readonly replace: boolean;
  readonly now: () => number;
  /** Told of each piece that is sent. */
  readonly onSent: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export type PushOutcome =
  | { readonly kind: 'pushed' }
  /** The target had the same bytes already. */
  | { readonly kind: 'there' }
  /** The target has other bytes there, which this folder did not put there. */
  | { readonly kind: 'conflict' }
  /** It changed or went while it was pushed; the next push takes it. */
  | { readonly kind: 'changed' };

/** Files up to this size are read once and kept while they are sent; larger ones are read twice. */
const MAX_KEPT_BYTES = 8 * 2 ** 20;
const PIECE_BYTES = 2 ** 16;

/** Local bytes with their digests. */
interface Content {
  readonly sha256: string;
  readonly md5: string;
  pieces(): AsyncIterable<Uint8Array>;
}

export async function pushFile(context: PushFileContext, file: LocalFile, before: Before): Promise<PushOutcome> {
  let content: Content;
  try {
    content = await contentOf(context, file);
  } catch (error) {
    if (isGone(error)) return { kind: 'changed' };
    throw error;
  }
  const { pushed } = before;
  let { remote } = before;
  // Twice: what the ledger or the listing says may have changed since.
  for (let attempt = 0; attempt < 3; attempt++) {
    if (remote !== undefined && (await isSame(context, remote, file, content))) {
      return recordThere(context, file, content, remote);
    }
    if (remote !== undefined && !context.replace && !(await isOurs(context, remote, before, content))) {
      return { kind: 'conflict' };
    }
    const condition = conditionFor(remote, attempt === 0 ? pushed : undefined);
    const result = await putOnce(context, file, content, condition);
    if (result === 'changed') return { kind: 'changed' };
    if (result.kind === 'written') return recordWritten(context, file, content, result);
    remote = result.found;
  }
  return { kind: 'conflict' };
}

/** Whether this folder put it there, an upload that a broken way changed included: it says whose bytes it should have. */
async function isOurs(
  { sink }: PushFileContext,
  { key, version }: SinkFile,
  { pushed, broken }: Before,
  { sha256 }: Content,
): Promise<boolean> {
  if (version === pushed?.version || version === broken) return true;
  return (await sink.find(key))?.sha256 === sha256;
}

function conditionFor(remote: SinkFile | undefined, pushed: PushedFile | undefined): PutCondition {
  const version = remote?.version ?? pushed?.version;
  return version === undefined ? { kind: 'absent' } : { kind: 'version', version };
}

async function putOnce(
  { sink, ledger, signal }: PushFileContext,
  file: LocalFile,
  { sha256, pieces }: Content,
  condition: PutCondition,
): Promise<PutResult | 'changed'> {
  const { key, byteSize } = file;
  const earlier = ledger.unfinished(sink.uri, key);
  if (earlier !== undefined && earlier.sha256 !== sha256) {
    await sink.abandon?.(key, earlier.token);
    ledger.forgetUnfinished(sink.uri, key);
  }
  let isKept = earlier?.sha256 === sha256;
  const resume = {
    token: earlier?.sha256 === sha256 ? earlier.token : undefined,
    save(token: string) {
      isKept = true;
      ledger.keepUnfinished(sink.uri, key, { sha256, token });
    },
  };
  try {
    const result = await sink.put(key, pieces(), { byteSize, sha256, condition, resume, signal });
    if (isKept) ledger.forgetUnfinished(sink.uri, key);
    return result;
  } catch (error) {
    if (isBroken(error) || isGone(error)) return 'changed';
    throw error;
  }
}

async function recordWritten(
  context: PushFileContext,
  file: LocalFile,
  content: Content,
  { file: written, verified }: Extract<PutResult, { kind: 'written' }>,
): Promise<PushOutcome> {
  const byStore = verified && context.verify === 'store';
  if (!byStore && (await digestThere(context, written.key)) !== content.sha256) {
    // It is put again: the version says that these bytes are the ones that are not good.
    throw new LabelsmithError('NETWORK', `${written.uri} is not what was written there`, {
      hint: 'The store, or what lies between, changes bytes; nothing was deleted here.',
      details: { broken: written.version },
    });
  }
  record(context, file, content, written, byStore ? 'store' : 'bytes');
  return { kind: 'pushed' };
}

function recordThere(context: PushFileContext, file: LocalFile, content: Content, remote: SinkFile): PushOutcome {
  record(context, file, content, remote, remote.md5 === content.md5 ? 'store' : 'bytes');
  return { kind: 'there' };
}

function record(
  { ledger, sink, now }: PushFileContext,
  { key, byteSize, localVersion }: LocalFile,
  { sha256 }: Content,
  { version }: SinkFile,
  verifiedBy: PushedFile['verifiedBy'],
): void {
  const pushedAtMs = now();
  ledger.record(sink.uri, { key, byteSize, localVersion, sha256, version, verifiedBy, pushedAtMs, deletedAtMs: null });
}

/** Whether what is there has these bytes: by the store's digest, else by reading it. */
async function isSame(
  context: PushFileContext,
  remote: SinkFile,
  { byteSize }: LocalFile,
  { sha256, md5 }: Content,
): Promise<boolean> {
  if (remote.byteSize !== byteSize) return false;
  if (context.verify === 'store') {
    if (remote.md5 !== undefined) return remote.md5 === md5;
    // Of what came in parts there is no MD5, but what its writer saw verified.
    const promised = remote.sha256 ?? (await context.sink.find(remote.key))?.sha256;
    if (promised !== undefined) return promised === sha256;
  }
  return (await digestThere(context, remote.key)) === sha256;
}

async function digestThere({ sink }: PushFileContext, key: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of sink.open(key)) hash.update(piece);
  return hash.digest('hex');
}

/**
 * Deletes the local file, when it is still the one that was pushed and the target still has it as another file. Of what the
 * target has no more, or otherwise, the ledger says nothing from then on.
 */
export async function deletePushed(
  context: PushFileContext,
  file: LocalFile,
): Promise<'deleted' | 'kept' | 'not-there'> {
  const { sink, ledger, now } = context;
  const pushed = ledger.pushed(sink.uri, file.key);
  if (pushed === undefined || pushed.localVersion !== file.localVersion) return 'kept';
  const there = await sink.find(file.key);
  const isThere =
    there?.version === pushed.version &&
    there.byteSize === pushed.byteSize &&
    (context.verify === 'store' || (await digestThere(context, file.key)) === pushed.sha256);
  if (!isThere) {
    ledger.forget(sink.uri, file.key);
    return 'not-there';
  }
  const here = await localFile(context.disk, file.key, file.path);
  if (here?.localVersion !== file.localVersion || (await isOwnFile(file.path, there.uri))) return 'kept';
  ledger.recordDeleted(sink.uri, file.key, now());
  await rm(file.path, { force: true });
  return 'deleted';
}

/** The file as it is now; undefined where it is gone. */
export async function localFile(disk: QuickDisk, key: string, path: string): Promise<LocalFile | undefined> {
  try {
    const found = await disk.stat(path);
    const [byteSize, modifiedAtMs] = [Number(found.size), Number(found.mtimeNs / 1_000_000n)];
    return { key, path, byteSize, modifiedAtMs, localVersion: `${found.mtimeNs}-${found.size}` };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function contentOf(context: PushFileContext, { path, byteSize }: LocalFile): Promise<Content> {
  if (byteSize <= MAX_KEPT_BYTES) {
    const bytes = await context.disk.read(path, byteSize);
    return { sha256: hash('sha256', bytes), md5: hash('md5', bytes), pieces: () => sent(context, inPieces(bytes)) };
  }
  const { sha256, md5 } = await digestsOfFile(path);
  return { sha256, md5, pieces: () => sent(context, filePieces(path, path)) };
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

async function* sent(
  { bandwidth, onSent }: PushFileContext,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (bandwidth !== undefined) await bandwidth.take(piece.length);
    onSent(piece.length);
    yield piece;
  }
}

function isBroken(error: unknown): boolean {
  return error instanceof LabelsmithError && error.code === 'BAD_FILE';
}

function isGone(error: unknown): boolean {
  if (systemCodeOf(error) === 'ENOENT') return true;
  return error instanceof LabelsmithError && error.code === 'NOT_FOUND' && error.details.reason === 'missing';
}
