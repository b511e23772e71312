/**
 * Google Cloud Storage through the official SDK, an optional package. Where and who: as the SDK finds it, from
 * GOOGLE_APPLICATION_CREDENTIALS, the login of gcloud or the machine's service account. An address is `gs://BUCKET/PREFIX`.
 *
 * Every body goes with its MD5, which the store checks; the version is the generation. The SDK itself does not retry.
 */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Bucket, File } from '@google-cloud/storage';
import { LabelsmithError } from '../../errors.ts';
import { type ObjectAddress, uriOf } from './address.ts';
import { googleError, isAbsent, isNotMet } from './google-errors.ts';
import { conditions, storedObject } from './google-objects.ts';
import { GoogleUploads } from './google-uploads.ts';
import type { ListedObject, ObjectPut, ObjectStore, StoredObject } from './object-store.ts';
import { optionalPackage } from './optional-package.ts';
import { patienceFor, pieces, within } from './silence.ts';

export interface GoogleOptions {
  /** Bytes of a part (default 8 MiB). Larger ones lose more when a link drops. */
  readonly partBytes?: number;
  /** A store that is silent for so long has failed, in ms (default 60,000). */
  readonly silenceMs?: number;
}

/** The SDK gives up after so long, whatever the size: nothing is left waiting behind what was given up here. */
const REQUEST_MS = 900_000;

export async function googleStore(address: ObjectAddress, options: GoogleOptions = {}): Promise<ObjectStore> {
  const { partBytes = 8 * 2 ** 20, silenceMs = 60_000 } = options;
  const sdk = await optionalPackage('@google-cloud/storage', 'gs:// addresses', () => import('@google-cloud/storage'));
  const storage = new sdk.Storage({
    retryOptions: { autoRetry: false, maxRetries: 0 },
    timeout: REQUEST_MS,
    // Objects belong to no project, but the SDK looks for one before each request.
    projectId: process.env.GOOGLE_CLOUD_PROJECT ?? process.env.GCLOUD_PROJECT ?? 'none',
  });
  return new GoogleStore(storage.bucket(address.bucket), address, { partBytes, silenceMs }).port();
}

class GoogleStore {
  readonly #bucket: Bucket;
  /** With a slash at its end, or empty. */
  readonly #prefix: string;
  readonly #uri: string;
  readonly #options: Required<GoogleOptions>;

  constructor(bucket: Bucket, address: ObjectAddress, options: Required<GoogleOptions>) {
    this.#bucket = bucket;
    this.#prefix = address.prefix === '' ? '' : `${address.prefix}/`;
    this.#uri = uriOf(address);
    this.#options = options;
  }

  port(): ObjectStore {
    const { partBytes, silenceMs } = this.#options;
    return {
      uri: this.#uri,
      partBytes,
      list: (after, begins) => this.#list(after, begins),
      head: (key) => this.#head(key),
      get: (key, signal) => this.#get(key, signal),
      put: (key, bytes, put) => this.#put(key, bytes, put),
      parts: new GoogleUploads({ uri: this.#uri, fileOf: (key) => this.#file(key), silenceMs }),
      delete: (key) => this.#delete(key),
      close() {},
    };
  }

  #file(key: string): File {
    return this.#bucket.file(this.#prefix + key);
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await within({ ms: this.#options.silenceMs }, request);
    } catch (error) {
      throw googleError(error, this.#uri);
    }
  }

  async *#list(after: string, begins = ''): AsyncGenerator<ListedObject> {
    const start = after === '' ? undefined : this.#prefix + after;
    let pageToken: string | undefined;
    do {
      const query = { prefix: this.#prefix + begins, startOffset: start, pageToken, autoPaginate: false };
      const [files, next] = await this.#ask(() => this.#bucket.getFiles(query));
      for (const { name, metadata } of files) {
        const key = name.slice(this.#prefix.length);
        if (key === '' || key.endsWith('/') || key === after) continue;
        const object = storedObject(key, metadata);
        yield { ...object, modifiedAtMs: object.modifiedAtMs ?? 0 };
      }
      pageToken = nextPage(next);
    } while (pageToken !== undefined);
  }

  async #head(key: string): Promise<StoredObject | undefined> {
    try {
      const [metadata] = await within({ ms: this.#options.silenceMs }, () => this.#file(key).getMetadata());
      return storedObject(key, metadata);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw googleError(error, this.#uri);
    }
  }

  async #get(key: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const { silenceMs } = this.#options;
    const body = this.#file(key).createReadStream({ validation: false, decompress: false });
    try {
      await within({ ms: silenceMs, signal }, () => once(body, 'readable'));
      return this.#pieces(body);
    } catch (error) {
      body.on('error', () => {}).destroy();
      if (!isAbsent(error)) throw googleError(error, this.#uri);
      throw new LabelsmithError('NOT_FOUND', `${this.#uri}/${key} is not there`, { details: { reason: 'missing' } });
    }
  }

  async *#pieces(body: Readable): AsyncGenerator<Buffer> {
    try {
      yield* pieces(body, this.#options.silenceMs);
    } catch (error) {
      throw googleError(error, this.#uri);
    }
  }

  async #put(key: string, bytes: Uint8Array, put: ObjectPut): Promise<StoredObject | 'not-met'> {
    const { sha256, md5 = hash('md5', bytes), condition, signal } = put;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const md5Hash = Buffer.from(md5, 'hex').toString('base64');
    const file = this.#file(key);
    const options = {
      resumable: false,
      validation: false,
      preconditionOpts: conditions(condition),
      metadata: { md5Hash, metadata: { sha256 } },
    };
    try {
      await within({ ms: patienceFor(body.length, this.#options.silenceMs), signal }, () => file.save(body, options));
      return storedObject(key, file.metadata);
    } catch (error) {
      if (isNotMet(error)) return 'not-met';
      throw googleError(error, this.#uri);
    }
  }

  async #delete(key: string): Promise<void> {
    await this.#ask(() => this.#file(key).delete({ ignoreNotFound: true }));
  }
}

function nextPage(query: unknown): string | undefined {
  if (typeof query !== 'object' || query === null || !('pageToken' in query)) return undefined;
  return typeof query.pageToken === 'string' ? query.pageToken : undefined;
}
