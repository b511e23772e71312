/**
 * An object storage as a sink. An object appears whole by itself; what this adds is that nothing is sent, or no upload in
 * parts completed, whose bytes are not the promised ones, and that such an upload goes on where it stopped: parts that the
 * store has are not sent again where its digest of them is ours.
 *
 * Memory: one part (8 MiB) for each put under way.
 */
import { createHash, hash as digestOf } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  brokenPromise,
  interruptedPut,
  type PutOptions,
  type PutResult,
  requireKey,
  type Sink,
  type SinkFile,
} from '../sink.ts';
import type { ObjectPut, ObjectStore, StoredObject, UploadedPart } from './object-store.ts';

export function objectSink(store: ObjectStore): Sink {
  const fileOf = (object: StoredObject): SinkFile => {
    const { key, byteSize, version, md5, sha256 } = object;
    return {
      key,
      uri: `${store.uri}/${key}`,
      byteSize,
      version,
      ...(md5 === undefined ? {} : { md5 }),
      ...(sha256 === undefined ? {} : { sha256 }),
    };
  };
  const find = async (key: string) => {
    requireKey(key);
    const found = await store.head(key);
    return found && fileOf(found);
  };
  return {
    uri: store.uri,
    find,
    open(key) {
      return Readable.from(piecesOf(store, key), { objectMode: false });
    },
    async put(key, pieces, options): Promise<PutResult> {
      requireKey(key);
      if (options.signal?.aborted) throw interruptedPut();
      const sha256 = options.sha256.toLowerCase();
      const put = { sha256, condition: options.condition ?? ({ kind: 'any' } as const), signal: options.signal };
      const whole = { ...options, sha256 };
      const written =
        options.byteSize <= store.partBytes
          ? await putAtOnce(store, key, pieces, whole, put)
          : await putInParts(store, key, pieces, whole, put);
      if (written === 'not-met') return { kind: 'not-met', found: await find(key) };
      return { kind: 'written', file: fileOf(written.object), verified: written.verified };
    },
    async *list(after) {
      for await (const object of store.list(after)) yield fileOf(object);
    },
    abandon: (key, token) => store.parts.abandon(key, token),
    async close() {
      store.close();
    },
  };
}

type Written = { readonly object: StoredObject; readonly verified: boolean } | 'not-met';

async function putAtOnce(
  store: ObjectStore,
  key: string,
  pieces: AsyncIterable<Uint8Array>,
  options: PutOptions,
  put: ObjectPut,
): Promise<Written> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > options.byteSize) throw brokenPromise(length, options);
    parts.push(piece);
  }
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
  if (length !== options.byteSize || digestOf('sha256', bytes) !== options.sha256) throw brokenPromise(length, options);
  if (options.signal?.aborted) throw interruptedPut();
  const md5 = digestOf('md5', bytes);
  const object = await store.put(key, bytes, { ...put, md5 });
  if (object === 'not-met') return object;
  return { object, verified: object.md5 === md5 };
}

async function putInParts(
  store: ObjectStore,
  key: string,
  pieces: AsyncIterable<Uint8Array>,
  options: PutOptions,
  put: ObjectPut,
): Promise<Written> {
  const { resume, sha256, byteSize, signal } = options;
  const there = resume?.token === undefined ? undefined : await store.parts.uploaded(key, resume.token, put);
  const upload = there === undefined || resume?.token === undefined ? await store.parts.begin(key, put) : resume.token;
  if (upload === 'not-met') return upload;
  resume?.save(upload);
  const hash = createHash('sha256');
  const done: UploadedPart[] = [];
  let length = 0;
  try {
    for await (const bytes of inParts(pieces, partBytesFor(byteSize, store.partBytes))) {
      if (signal?.aborted) throw interruptedPut();
      length += bytes.length;
      if (length > byteSize) break;
      hash.update(bytes);
      const number = done.length + 1;
      const had = there?.get(number);
      const same = had?.byteSize === bytes.length && had.md5 !== undefined && had.md5 === digestOf('md5', bytes);
      done.push(had !== undefined && same ? had : await store.parts.upload(key, upload, number, bytes, signal));
    }
    if (length !== byteSize || hash.digest('hex') !== sha256) throw brokenPromise(length, options);
    const written = await store.parts.complete(key, upload, done, put);
    if (written === 'not-met') await store.parts.abandon(key, upload);
    return written;
  } catch (error) {
    // Whoever kept the token may go on with it; nobody else could.
    if (resume === undefined) await store.parts.abandon(key, upload).catch(() => {});
    throw error;
  }
}

/** Parts of an upload at most, as S3 has it; larger objects get larger parts. */
const MAX_PARTS = 10_000;

function partBytesFor(byteSize: number, partBytes: number): number {
  return Math.max(partBytes, Math.ceil(byteSize / MAX_PARTS));
}

async function* inParts(pieces: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Buffer> {
  let part = Buffer.allocUnsafe(partBytes);
  let used = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const taken = Math.min(piece.length - at, partBytes - used);
      part.set(piece.subarray(at, at + taken), used);
      at += taken;
      used += taken;
      if (used < partBytes) continue;
      yield part;
      part = Buffer.allocUnsafe(partBytes);
      used = 0;
    }
  }
  if (used > 0) yield part.subarray(0, used);
}

async function* piecesOf(store: ObjectStore, key: string): AsyncGenerator<Buffer> {
  requireKey(key);
  for await (const piece of await store.get(key)) yield piece;
}
