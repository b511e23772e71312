/** Objects by their addresses, through the cache; a store that does not answer is asked again for a while. */
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../core/retry.ts';
import { LabelsmithError } from '../../errors.ts';
import { refuseLarger } from '../file.ts';
import type { ObjectAddress } from './address.ts';
import { type ObjectCache, objectCacheAt } from './object-cache.ts';
import type { ListedObject, ObjectStore, StoredObject } from './object-store.ts';
import { addressIn, OBJECT_SCHEMES, openObjectStore, placeOf } from './object-stores.ts';

const PATIENCE = { baseMs: 200, maxMs: 5000, patienceMs: 30_000 };

/** Whether a recorded path is an address of an object. */
export function isObjectPath(path: string): boolean {
  return OBJECT_SCHEMES.some(({ name }) => path.startsWith(`${name}://`));
}

/** Where objects are kept: beside the unpacked archives of a workspace; undefined where there is none. */
export function objectCacheBeside(archiveCache: string | undefined): string | undefined {
  return archiveCache === undefined ? undefined : join(dirname(archiveCache), 'objects');
}

/** A bucket as a whole; its keys begin behind `s3://bucket/`. */
export async function openBucket(path: string): Promise<{ readonly store: ObjectStore; readonly key: string }> {
  const address = addressIn(path);
  if (address === undefined) throw new LabelsmithError('USAGE', `${path} is no address of an object`);
  const { scheme, bucket } = address;
  return { store: await bucketStore({ scheme, bucket, prefix: '' }), key: path.slice(`${scheme}://${bucket}/`.length) };
}

/** One client a bucket and process, since each has its connections. */
const stores = new Map<string, Promise<ObjectStore>>();

function bucketStore(bucket: ObjectAddress): Promise<ObjectStore> {
  const place = placeOf(bucket);
  const known = stores.get(place) ?? openObjectStore(bucket);
  stores.set(place, known);
  known.catch(() => stores.delete(place));
  return known;
}

/** Asks again for what a store did not answer; other failures are thrown at once. */
export function patiently<T>(work: () => Promise<T>): Promise<T> {
  return retry(work, {
    ...PATIENCE,
    isTransient: (error) => error instanceof LabelsmithError && error.code === 'NETWORK',
    sleep,
    now: () => performance.now(),
    random: Math.random,
  });
}

/** Objects whose keys begin so. A listing that is cut off goes on behind the last key. */
export async function* listPatiently(store: ObjectStore, begins: string): AsyncGenerator<ListedObject> {
  let after = '';
  let objects = store.list(after, begins)[Symbol.asyncIterator]();
  for (;;) {
    const next = await patiently(async () => {
      try {
        return await objects.next();
      } catch (error) {
        objects = store.list(after, begins)[Symbol.asyncIterator]();
        throw error;
      }
    });
    if (next.done) return;
    after = next.value.key;
    yield next.value;
  }
}

export class ObjectReader {
  readonly #cache: ObjectCache | undefined;

  /** @param cacheFolder undefined for no cache */
  constructor(cacheFolder: string | undefined) {
    this.#cache = cacheFolder === undefined ? undefined : objectCacheAt(cacheFolder);
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    return (await this.#cache?.get(path)) ?? this.load(path, maxBytes);
  }

  /** From the store, whatever the cache has, which has it from now on. */
  async load(path: string, maxBytes: number): Promise<Uint8Array> {
    const { store, key } = await openBucket(path);
    const bytes = await patiently(() => wholeObject(store, key, path, maxBytes));
    await this.#cache?.keep(path, bytes);
    return bytes;
  }

  async find(path: string): Promise<StoredObject | undefined> {
    const { store, key } = await openBucket(path);
    return patiently(() => store.head(key));
  }
}

async function wholeObject(store: ObjectStore, key: string, path: string, maxBytes: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of await store.get(key)) {
    length += piece.length;
    refuseLarger(length, maxBytes, path);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
