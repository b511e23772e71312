/**
 * GETs of one bucket by the short way: after the pattern of one that the SDK made and the store answered, each is signed by
 * the SDK's signer and sent over the SDK's connections, without the rest of its chain, which takes longer than to load a
 * photograph from near by.
 *
 * Nothing else changes: whatever is not answered by 200, and every key that is not of plain characters, is asked for in the
 * SDK's own way, whose answer counts. Once anything is refused here for another reason than that nothing is there, nothing is
 * asked here again.
 */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { S3Client } from '@aws-sdk/client-s3';

type Signer = Awaited<ReturnType<S3Client['config']['signer']>>;
type Request = Parameters<Signer['sign']>[0];

interface Pattern {
  readonly request: Request;
  /** What stands before the key: `/`, or `/bucket/`. */
  readonly pathStart: string;
  readonly signingRegion: string;
  readonly signingService: string;
}

/** These are the same in a path and in an address. */
const PLAIN_KEY = /^[\w~-]+(?:[./][\w~-]+)*$/;
/** Those of every request: what the SDK adds beside them is of one attempt, or the signature. */
const KEPT_HEADERS = ['host', 'user-agent', 'x-amz-user-agent'];

export class S3ShortGets {
  readonly #client: S3Client;
  readonly #signer: Promise<Signer>;
  #pattern: Pattern | undefined;
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
          if (commandName === 'GetObjectCommand' && 'Key' in input) this.#learn(request, input.Key);
          return answered;
        },
      { step: 'deserialize', name: 'learnShortGets', priority: 'high' },
    );
  }

  /** The body; undefined where the SDK has to ask. @param key of the bucket, no prefix left out */
  async get(key: string): Promise<Readable | undefined> {
    const pattern = this.#pattern;
    if (pattern === undefined || this.#isRefused || !PLAIN_KEY.test(key)) return undefined;
    const { config } = this.#client;
    const { request, pathStart, ...scope } = pattern;
    const asked = { ...request, path: pathStart + key, headers: { ...request.headers } };
    const signingDate = new Date(Date.now() + config.systemClockOffset);
    const signed = await (await this.#signer).sign(asked, { ...scope, signingDate });
    const { response } = await config.requestHandler.handle(signed);
    const { statusCode, body } = response;
    if (statusCode === 200 && body instanceof Readable) return body;
    const said = body instanceof Readable ? await text(body) : '';
    // To ask again at once is no kindness to a store in trouble; whoever reads waits first.
    if (statusCode >= 500 || statusCode === 429) throw new Trouble(statusCode, said);
    this.#isRefused ||= statusCode !== 404;
    return undefined;
  }

  #learn(request: unknown, key: unknown): void {
    if (this.#pattern !== undefined || typeof key !== 'string' || !PLAIN_KEY.test(key) || !isRequest(request)) return;
    const { authorization = '', 'x-amz-s3session-token': session } = request.headers;
    const scope = /^AWS4-HMAC-SHA256 Credential=[^,]+\/\d{8}\/([\w-]+)\/([\w-]+)\/aws4_request,/.exec(authorization);
    // Directory buckets and access points of many regions are signed in other ways.
    if (scope === null || session !== undefined || !request.path.endsWith(`/${key}`)) return;
    const [, signingRegion = '', signingService = ''] = scope;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => KEPT_HEADERS.includes(name)));
    const pathStart = request.path.slice(0, -key.length);
    this.#pattern = { request: { ...request, headers, body: undefined }, pathStart, signingRegion, signingService };
  }
}

/** Named and numbered as the SDK's own errors are. */
class Trouble extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(status: number, answer: string) {
    super('the store is in trouble');
    this.name = /<Code>(\w+)<\/Code>/.exec(answer)?.[1] ?? 'NoCode';
    this.$metadata = { httpStatusCode: status };
  }
}

function isRequest(request: unknown): request is Request {
  return typeof request === 'object' && request !== null && 'headers' in request && 'path' in request;
}
