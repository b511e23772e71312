/**
 * GETs and PUTs of whole objects of one bucket by the short way: after the pattern of one that the SDK made and the store
 * answered, each is signed by the SDK's signer and sent over the SDK's connections, without the rest of its chain, which
 * takes longer than to load or to put a photograph near by.
 *
 * Nothing else changes: whatever the store refuses, and every key that is not of plain characters, is asked for in the SDK's
 * own way, whose answer counts. Once anything is refused here for another reason than that nothing is there, nothing is
 * asked here again. Nothing is learnt from a request that has a header which is not known here: whatever put it there, a
 * middleware or a setting, would be left out.
 */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';

type Signer = Awaited<ReturnType<S3Client['config']['signer']>>;
type Request = Parameters<Signer['sign']>[0];

interface Pattern {
  readonly request: Request;
  /** What stands before the key: `/`, or `/bucket/`. */
  readonly pathStart: string;
  readonly signingRegion: string;
  readonly signingService: string;
}

/** What the SDK would be given for the same. */
export interface WholePut extends Pick<PutObjectCommandInput, 'IfNoneMatch' | 'IfMatch'> {
  readonly Key: string;
  readonly Body: Uint8Array;
  readonly ContentMD5: string;
  readonly Metadata: { readonly sha256: string };
}

export interface WholePutAnswer {
  readonly ETag?: string;
  readonly ServerSideEncryption?: string;
}

/** These are the same in a path and in an address. */
const PLAIN_KEY = /^[\w~-]+(?:[./][\w~-]+)*$/;
/** Those of every request. */
const KEPT_HEADERS = new Set(['host', 'user-agent', 'x-amz-user-agent', 'content-type']);
/** Those of one object, which are given anew, of one attempt, which the SDK alone counts, and of the signature. */
const OTHER_HEADERS = new Set([
  ...['content-length', 'content-md5', 'x-amz-meta-sha256', 'x-amz-content-sha256', 'if-none-match', 'if-match'],
  ...['amz-sdk-invocation-id', 'amz-sdk-request', 'x-amz-date', 'x-amz-security-token', 'authorization'],
]);
/** Another put at once, a condition that does not hold, too many requests: the SDK would be told the same. */
const ANSWERS_THAT_COUNT = [409, 412, 429];

export class S3ShortWay {
  readonly #client: S3Client;
  readonly #signer: Promise<Signer>;
  #getPattern: Pattern | undefined;
  #putPattern: Pattern | undefined;
  #isRefused = false;

  constructor(client: S3Client) {
    this.#client = client;
    this.#signer = client.config.signer();
    this.#signer.catch(() => {});
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answered = await next(args);
          const { request, input } = args;
          if (!('Key' in input)) return answered;
          if (commandName === 'GetObjectCommand') this.#getPattern ??= patternOf(request, input.Key);
          if (commandName === 'PutObjectCommand') this.#putPattern ??= patternOf(request, input.Key);
          return answered;
        },
      { step: 'deserialize', name: 'learnShortWay', priority: 'high' },
    );
  }

  /** The body; undefined where the SDK has to ask. @param key of the bucket, no prefix left out */
  async get(key: string): Promise<Readable | undefined> {
    return (await this.#send(this.#getPattern, key, {}))?.body;
  }

  /** Undefined where the SDK has to put it. Fails as the SDK does. */
  async put({ Key, Body, ContentMD5, Metadata, IfNoneMatch, IfMatch }: WholePut): Promise<WholePutAnswer | undefined> {
    const headers = {
      'content-length': String(Body.byteLength),
      'content-md5': ContentMD5,
      'x-amz-meta-sha256': Metadata.sha256,
      'x-amz-content-sha256': Metadata.sha256,
      ...(IfNoneMatch === undefined ? {} : { 'if-none-match': IfNoneMatch }),
      ...(IfMatch === undefined ? {} : { 'if-match': IfMatch }),
    };
    const answer = await this.#send(this.#putPattern, Key, headers, Body);
    if (answer === undefined) return undefined;
    // The connection is free for the next one when the answer has been read to its end.
    await text(answer.body);
    const { etag, 'x-amz-server-side-encryption': encryption } = answer.headers;
    return { ETag: etag, ServerSideEncryption: encryption };
  }

  /** The answer of a store that did it; undefined where the SDK has to ask. */
  async #send(pattern: Pattern | undefined, key: string, headers: Readonly<Record<string, string>>, body?: Uint8Array) {
    if (pattern === undefined || this.#isRefused || !PLAIN_KEY.test(key)) return undefined;
    const { config } = this.#client;
    const { request, pathStart, ...scope } = pattern;
    const asked = { ...request, path: pathStart + key, headers: { ...request.headers, ...headers }, body };
    const signingDate = new Date(Date.now() + config.systemClockOffset);
    const signed = await (await this.#signer).sign(asked, { ...scope, signingDate });
    const { response } = await config.requestHandler.handle(signed);
    const { statusCode, body: answer } = response;
    if (statusCode === 200 && answer instanceof Readable) return { headers: response.headers, body: answer };
    const said = answer instanceof Readable ? await text(answer) : '';
    // To ask again at once is no kindness to a store in trouble; whoever reads or puts waits first.
    if (statusCode >= 500 || ANSWERS_THAT_COUNT.includes(statusCode)) throw new Refusal(statusCode, said);
    this.#isRefused ||= statusCode !== 404;
    return undefined;
  }
}

/** Undefined where others cannot be made after it. */
function patternOf(request: unknown, key: unknown): Pattern | undefined {
  if (typeof key !== 'string' || !PLAIN_KEY.test(key) || !isRequest(request)) return undefined;
  const names = Object.keys(request.headers);
  // This one of directory buckets, too, which are signed in another way.
  if (names.some((name) => !KEPT_HEADERS.has(name) && !OTHER_HEADERS.has(name))) return undefined;
  const { authorization = '' } = request.headers;
  const scope = /^AWS4-HMAC-SHA256 Credential=[^,]+\/\d{8}\/([\w-]+)\/([\w-]+)\/aws4_request,/.exec(authorization);
  // Access points of many regions are signed in other ways.
  if (scope === null || !request.path.endsWith(`/${key}`)) return undefined;
  const [, signingRegion = '', signingService = ''] = scope;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => KEPT_HEADERS.has(name)));
  const pathStart = request.path.slice(0, -key.length);
  return { request: { ...request, headers, body: undefined }, pathStart, signingRegion, signingService };
}

/** Named and numbered as the SDK's own errors are. */
class Refusal extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(status: number, answer: string) {
    super('the store did not do it');
    this.name = /<Code>(\w+)<\/Code>/.exec(answer)?.[1] ?? 'NoCode';
    this.$metadata = { httpStatusCode: status };
  }
}

/** Whether what the SDK's chain passes on is a request to sign. */
export function isRequest(request: unknown): request is Request {
  return typeof request === 'object' && request !== null && 'headers' in request && 'path' in request;
}
