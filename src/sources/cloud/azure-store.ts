/**
 * Azure Blob Storage through the official SDK, an optional package. An address is `az://CONTAINER/PREFIX`; where and who is
 * found by `azure-account.ts`.
 *
 * The store's own digest of what was put at once is compared by whoever put it; each part goes with its MD5, which the store
 * checks. The SDK itself does not retry. Parts are blocks that nobody has committed: the store forgets them after a week.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { LabelsmithError } from '../../errors.ts';
import { type ObjectAddress, uriOf } from './address.ts';
import { azureService } from './azure-account.ts';
import { azureError, isAbsent, isNotMet } from './azure-errors.ts';
import { etagConditions, versionInEtag } from './etags.ts';
import type { ListedObject, ObjectPut, ObjectStore, StoredObject, UploadedPart } from './object-store.ts';
import { patienceFor, pieces, within } from './silence.ts';

export interface AzureOptions {
  /** Bytes of a part (default 8 MiB). Larger ones lose more when a link drops. */
  readonly partBytes?: number;
  /** A store that is silent for so long has failed, in ms (default 60,000). */
  readonly silenceMs?: number;
}

export async function azureStore(address: ObjectAddress, options: AzureOptions = {}): Promise<ObjectStore> {
  const { partBytes = 8 * 2 ** 20, silenceMs = 60_000 } = options;
  const service = await azureService(process.env);
  return new AzureStore(service.getContainerClient(address.bucket), address, { partBytes, silenceMs }).port();
}

class AzureStore {
  readonly #container: ContainerClient;
  /** With a slash at its end, or empty. */
  readonly #prefix: string;
  readonly #uri: string;
  readonly #options: Required<AzureOptions>;

  constructor(container: ContainerClient, address: ObjectAddress, options: Required<AzureOptions>) {
    this.#container = container;
    this.#prefix = address.prefix === '' ? '' : `${address.prefix}/`;
    this.#uri = uriOf(address);
    this.#options = options;
  }

  port(): ObjectStore {
    return {
      uri: this.#uri,
      partBytes: this.#options.partBytes,
      list: (after, begins) => this.#list(after, begins),
      head: (key) => this.#head(key),
      get: (key, signal) => this.#get(key, signal),
      put: (key, bytes, put) => this.#put(key, bytes, put),
      parts: {
        // Blocks belong to the blob; the digest tells those of one upload from those of another.
        begin: async (_, { sha256 }) => sha256.slice(0, 16),
        uploaded: (key, upload) => this.#uploaded(key, upload),
        upload: (key, upload, number, bytes, signal) => this.#upload(key, upload, number, bytes, signal),
        complete: (key, _, parts, put) => this.#complete(key, parts, put),
        abandon: async () => {},
      },
      delete: (key) => this.#delete(key),
      close() {},
    };
  }

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(this.#prefix + key);
  }

  /** One request of so many bytes. */
  #within<T>(work: (stop: AbortSignal) => Promise<T>, byteSize = 0, signal?: AbortSignal): Promise<T> {
    return within({ ms: patienceFor(byteSize, this.#options.silenceMs), signal }, work);
  }

  /** The store lists in order of the keys, and cannot begin in the middle: what comes before is passed over. */
  async *#list(after: string, begins = ''): AsyncGenerator<ListedObject> {
    try {
      const start = Buffer.from(after);
      const all = this.#container.listBlobsFlat({ prefix: this.#prefix + begins }).byPage();
      for (;;) {
        const page = await this.#within(() => all.next());
        if (page.done) return;
        for (const { name, properties, deleted } of page.value.segment.blobItems) {
          const key = name.slice(this.#prefix.length);
          if (deleted || key === '' || key.endsWith('/')) continue;
          if (after !== '' && Buffer.compare(Buffer.from(key), start) <= 0) continue;
          const { contentLength: byteSize = 0, etag, contentMD5, lastModified } = properties;
          yield { key, byteSize, ...versionOf(etag, contentMD5), modifiedAtMs: lastModified.getTime() };
        }
      }
    } catch (error) {
      throw azureError(error, this.#uri);
    }
  }

  async #head(key: string): Promise<StoredObject | undefined> {
    try {
      const found = await this.#within((abortSignal) => this.#blob(key).getProperties({ abortSignal }));
      const sha256 = found.metadata?.sha256;
      return {
        key,
        byteSize: found.contentLength ?? 0,
        ...versionOf(found.etag, found.contentMD5),
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(found.lastModified === undefined ? {} : { modifiedAtMs: found.lastModified.getTime() }),
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw azureError(error, this.#uri);
    }
  }

  async #get(key: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
    try {
      const options = { abortSignal: signal, maxRetryRequests: 0 };
      const answer = await this.#within(() => this.#blob(key).download(0, undefined, options), 0, signal);
      const body = answer.readableStreamBody;
      if (!(body instanceof Readable)) throw new Error('an answer without a body');
      return this.#pieces(body);
    } catch (error) {
      if (!isAbsent(error)) throw azureError(error, this.#uri);
      throw new LabelsmithError('NOT_FOUND', `${this.#uri}/${key} is not there`, { details: { reason: 'missing' } });
    }
  }

  async *#pieces(body: Readable): AsyncGenerator<Buffer> {
    try {
      yield* pieces(body, this.#options.silenceMs);
    } catch (error) {
      throw azureError(error, this.#uri);
    }
  }

  async #put(key: string, bytes: Uint8Array, put: ObjectPut): Promise<StoredObject | 'not-met'> {
    const { sha256, condition, signal } = put;
    const options = { metadata: { sha256 }, conditions: etagConditions(condition) };
    try {
      const { etag, contentMD5 } = await this.#within(
        (abortSignal) => this.#blob(key).upload(bufferOf(bytes), bytes.byteLength, { ...options, abortSignal }),
        bytes.byteLength,
        signal,
      );
      return { key, byteSize: bytes.byteLength, ...versionOf(etag, contentMD5), sha256 };
    } catch (error) {
      if (isNotMet(error, condition)) return 'not-met';
      throw azureError(error, this.#uri);
    }
  }

  async #uploaded(key: string, upload: string): Promise<ReadonlyMap<number, UploadedPart> | undefined> {
    try {
      const { uncommittedBlocks = [] } = await this.#within((abortSignal) =>
        this.#blob(key).getBlockList('uncommitted', { abortSignal }),
      );
      const parts = new Map<number, UploadedPart>();
      for (const { name, size } of uncommittedBlocks) {
        const block = /^(\w{16})-(\d{6})-(\w{32})$/.exec(Buffer.from(name, 'base64').toString());
        if (block === null || block[1] !== upload) continue;
        const number = Number(block[2]);
        parts.set(number, { number, byteSize: size, md5: block[3], receipt: name });
      }
      return parts.size === 0 ? undefined : parts;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw azureError(error, this.#uri);
    }
  }

  /** The block's name holds its digest, which the store checked when it came. */
  async #upload(
    key: string,
    upload: string,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<UploadedPart> {
    const transactionalContentMD5 = createHash('md5').update(bytes).digest();
    const digest = transactionalContentMD5.toString('hex');
    const name = Buffer.from(`${upload}-${String(number).padStart(6, '0')}-${digest}`).toString('base64');
    try {
      await this.#within(
        (abortSignal) =>
          this.#blob(key).stageBlock(name, bufferOf(bytes), bytes.byteLength, { abortSignal, transactionalContentMD5 }),
        bytes.byteLength,
        signal,
      );
      return { number, byteSize: bytes.byteLength, md5: digest, receipt: name };
    } catch (error) {
      throw azureError(error, this.#uri);
    }
  }

  async #complete(key: string, parts: readonly UploadedPart[], { sha256, condition, signal }: ObjectPut) {
    try {
      const names = parts.map(({ receipt }) => receipt);
      const options = { metadata: { sha256 }, conditions: etagConditions(condition) };
      const { etag } = await this.#within(
        (abortSignal) => this.#blob(key).commitBlockList(names, { ...options, abortSignal }),
        0,
        signal,
      );
      const byteSize = parts.reduce((sum, part) => sum + part.byteSize, 0);
      // Each block was compared with its digest when it came; of the whole the store tells none.
      return { object: { key, byteSize, ...versionOf(etag), sha256 }, verified: true };
    } catch (error) {
      if (isNotMet(error, condition)) return 'not-met' as const;
      throw azureError(error, this.#uri);
    }
  }

  async #delete(key: string): Promise<void> {
    try {
      await this.#within((abortSignal) => this.#blob(key).delete({ abortSignal }));
    } catch (error) {
      if (!isAbsent(error)) throw azureError(error, this.#uri);
    }
  }
}

function versionOf(etag: string | undefined, digest?: Uint8Array): { readonly version: string; readonly md5?: string } {
  const version = versionInEtag(etag);
  return digest === undefined || digest.length === 0
    ? { version }
    : { version, md5: Buffer.from(digest).toString('hex') };
}

/** The same bytes, not a copy. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
