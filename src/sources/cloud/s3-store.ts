/**
 * Amazon S3 and what speaks like it (AWS_ENDPOINT_URL_S3), through the official SDK, an optional package. Where and who:
 * as the SDK finds it, from the environment, profiles or the machine's role.
 *
 * Every body goes with its MD5, which all such stores check, and is signed by its SHA-256. The newer checksums of the SDK
 * are asked for only where they are required: other stores do not know them. The SDK itself does not retry.
 */
import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { LabelsmithError } from '../../errors.ts';
import type { PutCondition } from '../sink.ts';
import { type ObjectAddress, uriOf } from './address.ts';
import { etagConditions, versionInEtag } from './etags.ts';
import type { ListedObject, ObjectPut, ObjectStore, StoredObject, UploadedPart } from './object-store.ts';
import { optionalPackage } from './optional-package.ts';
import { isAbsent, isNotMet, s3Error } from './s3-errors.ts';
import { isRequest, S3ShortWay, type WholePut, type WholePutAnswer } from './s3-short-way.ts';
import { within } from './silence.ts';

export interface S3Options {
  /** Bytes of a part (default 8 MiB; S3 takes 5 MiB and more). Larger ones lose more when a link drops. */
  readonly partBytes?: number;
  /** A connection that is silent for so long has failed, in ms (default 60,000). */
  readonly silenceMs?: number;
  /** Requests at once (default 64). */
  readonly maxConnections?: number;
}

type Sdk = typeof import('@aws-sdk/client-s3');

export async function s3Store(address: ObjectAddress, options: S3Options = {}): Promise<ObjectStore> {
  const sdk = await optionalPackage('@aws-sdk/client-s3', 's3:// addresses', () => import('@aws-sdk/client-s3'));
  const { partBytes = 8 * 2 ** 20, silenceMs = 60_000, maxConnections = 64 } = options;
  const elsewhere = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  const client = new sdk.S3Client({
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Elsewhere a bucket is rarely a name of its own on the network, and a region means little.
    ...(elsewhere === undefined ? {} : { forcePathStyle: true, region: process.env.AWS_REGION ?? 'us-east-1' }),
    cacheMiddleware: true,
    // To wait until the store asks for a body of 2 MB and more, the SDK takes a new connection each time.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: silenceMs,
      httpAgent: { keepAlive: true, maxSockets: maxConnections },
      httpsAgent: { keepAlive: true, maxSockets: maxConnections },
    },
  });
  signByKnownDigests(client);
  return new S3Store({ sdk, client, address, partBytes }).port();
}

/** The digest of what is put at once is known and in its metadata; else the SDK would compute it once more to sign it. */
function signByKnownDigests(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { request, input } = args;
        const sha256 = commandName === 'PutObjectCommand' && 'Metadata' in input ? input.Metadata?.sha256 : undefined;
        if (sha256 !== undefined && isRequest(request)) request.headers['x-amz-content-sha256'] = sha256;
        return next(args);
      },
    { step: 'build', name: 'signByKnownDigests' },
  );
}

interface Connected {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly address: ObjectAddress;
  readonly partBytes: number;
}

class S3Store {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  /** With a slash at its end, or empty. */
  readonly #prefix: string;
  readonly #uri: string;
  readonly #partBytes: number;
  readonly #shortWay: S3ShortWay;

  constructor({ sdk, client, address, partBytes }: Connected) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = address.bucket;
    this.#prefix = address.prefix === '' ? '' : `${address.prefix}/`;
    this.#uri = uriOf(address);
    this.#partBytes = partBytes;
    this.#shortWay = new S3ShortWay(client);
  }

  port(): ObjectStore {
    return {
      uri: this.#uri,
      partBytes: this.#partBytes,
      list: (after, begins) => this.#list(after, begins),
      head: (key) => this.#head(key),
      get: (key, signal) => this.#get(key, signal),
      put: (key, bytes, put) => this.#put(key, bytes, put),
      parts: {
        begin: (key, { sha256 }) => this.#begin(key, sha256),
        uploaded: (key, upload) => this.#uploaded(key, upload),
        upload: (key, upload, number, bytes, signal) => this.#upload(key, upload, number, bytes, signal),
        complete: (key, upload, parts, put) => this.#complete(key, upload, parts, put),
        abandon: (key, upload) => this.#abandon(key, upload),
      },
      delete: (key) => this.#delete(key),
      close: () => this.#client.destroy(),
    };
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  /** One request; its failure in the project's words. */
  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw s3Error(error, this.#uri);
    }
  }

  async *#list(after: string, begins = ''): AsyncGenerator<ListedObject> {
    const [start, prefix] = [after === '' ? '' : this.#prefix + after, this.#prefix + begins];
    let token: string | undefined;
    do {
      const input = {
        Bucket: this.#bucket,
        Prefix: prefix === '' ? undefined : prefix,
        ...(token === undefined ? { StartAfter: start === '' ? undefined : start } : { ContinuationToken: token }),
      };
      const page = await this.#ask(() => this.#client.send(new this.#sdk.ListObjectsV2Command(input)));
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        if (Key === undefined || Key.length === this.#prefix.length || Key.endsWith('/')) continue;
        const key = Key.slice(this.#prefix.length);
        const modifiedAtMs = LastModified?.getTime() ?? 0;
        yield { key, byteSize: Size ?? 0, ...versionOf(ETag), modifiedAtMs };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async #head(key: string): Promise<StoredObject | undefined> {
    try {
      const found = await this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(key)));
      const sha256 = found.Metadata?.sha256;
      return {
        key,
        byteSize: found.ContentLength ?? 0,
        ...versionOf(found.ETag, found.ServerSideEncryption),
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(found.LastModified === undefined ? {} : { modifiedAtMs: found.LastModified.getTime() }),
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw s3Error(error, this.#uri);
    }
  }

  async #get(key: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
    try {
      return this.#pieces(await within({ signal }, () => this.#body(key)));
    } catch (error) {
      if (!isAbsent(error)) throw s3Error(error, this.#uri);
      throw new LabelsmithError('NOT_FOUND', `${this.#uri}/${key} is not there`, { details: { reason: 'missing' } });
    }
  }

  async #body(key: string): Promise<Readable> {
    const short = await this.#shortWay.get(this.#prefix + key);
    if (short !== undefined) return short;
    const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(this.#at(key)));
    if (Body instanceof Readable) return Body;
    throw new Error('an answer without a body');
  }

  async *#pieces(body: Readable): AsyncGenerator<Buffer> {
    try {
      yield* body;
    } catch (error) {
      throw s3Error(error, this.#uri);
    }
  }

  async #put(key: string, bytes: Uint8Array, put: ObjectPut): Promise<StoredObject | 'not-met'> {
    const { sha256, md5 = hash('md5', bytes), condition, signal } = put;
    const ContentMD5 = Buffer.from(md5, 'hex').toString('base64');
    const input = { ...this.#at(key), Body: bytes, ContentMD5, Metadata: { sha256 }, ...conditions(condition) };
    try {
      // The signal is no option of the request: with one, the SDK builds its chain of handlers anew for each.
      const { ETag, ServerSideEncryption } = await within({ signal }, () => this.#putWhole(input));
      return { key, byteSize: bytes.byteLength, ...versionOf(ETag, ServerSideEncryption), sha256 };
    } catch (error) {
      if (isUnmet(error, condition)) return 'not-met';
      throw s3Error(error, this.#uri);
    }
  }

  async #putWhole(input: WholePut & { readonly Bucket: string }): Promise<WholePutAnswer> {
    const short = await this.#shortWay.put(input);
    if (short !== undefined) return short;
    return this.#client.send(new this.#sdk.PutObjectCommand({ ...input, ContentLength: input.Body.byteLength }));
  }

  async #delete(key: string): Promise<void> {
    await this.#ask(() => this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(key))));
  }

  async #begin(key: string, sha256: string): Promise<string> {
    const command = new this.#sdk.CreateMultipartUploadCommand({ ...this.#at(key), Metadata: { sha256 } });
    const { UploadId } = await this.#ask(() => this.#client.send(command));
    if (UploadId === undefined) throw new LabelsmithError('NETWORK', `${this.#uri}: the store began no upload`);
    return UploadId;
  }

  async #uploaded(key: string, upload: string): Promise<ReadonlyMap<number, UploadedPart> | undefined> {
    const parts = new Map<number, UploadedPart>();
    let marker: string | undefined;
    try {
      do {
        const input = { ...this.#at(key), UploadId: upload, PartNumberMarker: marker };
        const page = await this.#client.send(new this.#sdk.ListPartsCommand(input));
        for (const { PartNumber: number, Size, ETag } of page.Parts ?? []) {
          if (number === undefined || ETag === undefined) continue;
          parts.set(number, { number, byteSize: Size ?? 0, md5: md5In(ETag), receipt: ETag });
        }
        marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
      return parts;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw s3Error(error, this.#uri);
    }
  }

  async #upload(
    key: string,
    upload: string,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<UploadedPart> {
    const ContentMD5 = md5(bytes).toString('base64');
    const input = { ...this.#at(key), UploadId: upload, PartNumber: number, Body: bytes, ContentMD5 };
    const { ETag } = await this.#ask(() =>
      this.#client.send(new this.#sdk.UploadPartCommand(input), { abortSignal: signal }),
    );
    if (ETag === undefined) throw new LabelsmithError('NETWORK', `${this.#uri}: the store gave no etag for a part`);
    return { number, byteSize: bytes.byteLength, md5: md5(bytes).toString('hex'), receipt: ETag };
  }

  async #complete(key: string, upload: string, parts: readonly UploadedPart[], put: ObjectPut) {
    const { sha256, condition } = put;
    const Parts = parts.map(({ number, receipt }) => ({ PartNumber: number, ETag: receipt }));
    const input = { ...this.#at(key), UploadId: upload, MultipartUpload: { Parts }, ...conditions(condition) };
    try {
      const { ETag } = await this.#client.send(new this.#sdk.CompleteMultipartUploadCommand(input));
      const byteSize = parts.reduce((sum, part) => sum + part.byteSize, 0);
      const object: StoredObject = { key, byteSize, ...versionOf(ETag), sha256 };
      return { object, verified: object.version === etagOfParts(parts) };
    } catch (error) {
      if (isUnmet(error, condition)) return 'not-met' as const;
      throw s3Error(error, this.#uri);
    }
  }

  async #abandon(key: string, upload: string): Promise<void> {
    try {
      await this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ ...this.#at(key), UploadId: upload }));
    } catch (error) {
      if (!isAbsent(error)) throw s3Error(error, this.#uri);
    }
  }
}

function conditions(condition: PutCondition): Pick<WholePut, 'IfNoneMatch' | 'IfMatch'> {
  const { ifNoneMatch: IfNoneMatch, ifMatch: IfMatch } = etagConditions(condition);
  return { IfNoneMatch, IfMatch };
}

/** With a version, S3 answers that the key is not there where nothing is. */
function isUnmet(error: unknown, condition: PutCondition): boolean {
  return isNotMet(error) || (condition.kind === 'version' && isAbsent(error));
}

/** An etag is the MD5 of what was put at once, unless the store encrypts by keys that it keeps elsewhere. */
function versionOf(etag: string | undefined, encryption?: string): { readonly version: string; readonly md5?: string } {
  const version = versionInEtag(etag);
  const found = encryption?.startsWith('aws:kms') ? undefined : md5In(version);
  return found === undefined ? { version } : { version, md5: found };
}

function md5In(etag: string): string | undefined {
  return /^"?([0-9a-f]{32})"?$/i.exec(etag)?.[1]?.toLowerCase();
}

/** MD5 over the parts' MD5s, and their number. */
function etagOfParts(parts: readonly UploadedPart[]): string | undefined {
  const digests = parts.map((part) => part.md5);
  if (digests.includes(undefined)) return undefined;
  return `${md5(Buffer.from(digests.join(''), 'hex')).toString('hex')}-${parts.length}`;
}

function md5(bytes: Uint8Array): Buffer {
  return hash('md5', bytes, 'buffer');
}
