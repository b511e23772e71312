/**
 * Uploads in parts as Google has them: a session takes the bytes in order, and says how many it has. What was sent is not
 * sent again; of all of it the store compares the MD5 before the object appears.
 *
 * A session's address is what its bytes go to, with no other credential, for a week: it is kept in the ledger alone. The
 * condition of a put belongs to the session, so one under another condition begins anew.
 */
import { createHash, type Hash } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { request as securedRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { File } from '@google-cloud/storage';
import { LabelsmithError } from '../../errors.ts';
import type { PutCondition } from '../sink.ts';
import { googleError, isNotMet, isSessionGone, SessionAnswer } from './google-errors.ts';
import { conditions, storedObject } from './google-objects.ts';
import type { ObjectPut, PartedUploads, StoredObject, UploadedPart } from './object-store.ts';
import { within } from './silence.ts';

export interface GoogleUploadsOptions {
  /** Of the store. */
  readonly uri: string;
  fileOf(key: string): File;
  readonly silenceMs: number;
}

/** A session takes multiples of this, but for its end. */
const QUANTUM_BYTES = 2 ** 18;

interface Session {
  readonly address: string;
  /** Bytes that the store has. */
  kept: number;
  /** Bytes that came from the file so far, sent or not. */
  passed: number;
  /** What came and was not sent yet, less than a quantum. */
  rest: Buffer;
  /** Of all that passed. */
  readonly md5: Hash;
}

export class GoogleUploads implements PartedUploads {
  readonly #options: GoogleUploadsOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: GoogleUploadsOptions) {
    this.#options = options;
  }

  async begin(key: string, { sha256, condition, signal }: ObjectPut): Promise<string | 'not-met'> {
    const { uri, fileOf, silenceMs } = this.#options;
    const options = { metadata: { metadata: { sha256 } }, preconditionOpts: conditions(condition) };
    try {
      const [address] = await within({ ms: silenceMs, signal }, () => fileOf(key).createResumableUpload(options));
      const upload = `${wordFor(condition)} ${address}`;
      this.#open(upload, address, 0);
      return upload;
    } catch (error) {
      if (isNotMet(error)) return 'not-met';
      throw googleError(error, uri);
    }
  }

  /** No digests of parts are told, so each part is given again; what the session has of it is not sent. */
  async uploaded(_: string, upload: string, { condition }: ObjectPut) {
    const [word, address] = upload.split(' ');
    if (address === undefined || !URL.canParse(address)) return undefined;
    if (word !== wordFor(condition)) {
      await this.abandon(_, upload);
      return undefined;
    }
    try {
      const { status, range } = await this.#send(address, 'PUT', 'bytes */*');
      if (status !== 308) return undefined;
      this.#open(upload, address, bytesIn(range));
      return new Map<number, UploadedPart>();
    } catch (error) {
      if (isSessionGone(error)) return undefined;
      throw googleError(error, this.#options.uri);
    }
  }

  async upload(
    _: string,
    upload: string,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<UploadedPart> {
    const session = this.#session(upload);
    session.md5.update(bytes);
    const known = Math.min(bytes.length, Math.max(0, session.kept - session.passed));
    session.passed += bytes.length;
    session.rest = Buffer.concat([session.rest, bytes.subarray(known)]);
    try {
      while (session.rest.length >= QUANTUM_BYTES) {
        const sent = session.rest.subarray(0, session.rest.length - (session.rest.length % QUANTUM_BYTES));
        const range = `bytes ${session.kept}-${session.kept + sent.length - 1}/*`;
        const answer = await this.#send(session.address, 'PUT', range, { body: sent, signal });
        if (answer.status !== 308) throw new SessionAnswer(answer.status);
        advance(session, bytesIn(answer.range));
      }
      return { number, byteSize: bytes.byteLength, receipt: '' };
    } catch (error) {
      throw googleError(error, this.#options.uri);
    }
  }

  async complete(key: string, upload: string, _: readonly UploadedPart[], { sha256, signal }: ObjectPut) {
    const session = this.#session(upload);
    const { address, passed } = session;
    const digest = session.md5.copy().digest();
    const headers = { 'x-goog-hash': `md5=${digest.toString('base64')}` };
    try {
      for (;;) {
        const { kept, rest } = session;
        const range = `bytes ${rest.length === 0 ? '*' : `${kept}-${passed - 1}`}/${passed}`;
        const answer = await this.#send(address, 'PUT', range, { body: rest, headers, signal });
        if (answer.status === 308) {
          advance(session, bytesIn(answer.range));
          continue;
        }
        const object: StoredObject = { ...storedObject(key, JSON.parse(answer.text)), sha256 };
        return { object, verified: object.md5 === digest.toString('hex') && object.byteSize === passed };
      }
    } catch (error) {
      if (isNotMet(error)) return 'not-met' as const;
      // Bytes that are not what was promised: nobody can go on with them.
      if (isSessionGone(error)) await this.abandon(key, upload).catch(() => {});
      throw googleError(error, this.#options.uri);
    } finally {
      this.#sessions.delete(upload);
    }
  }

  async abandon(_: string, upload: string): Promise<void> {
    this.#sessions.delete(upload);
    const address = upload.split(' ')[1];
    if (address === undefined || !URL.canParse(address)) return;
    try {
      await this.#send(address, 'DELETE');
    } catch (error) {
      // What the store does not know is gone, and it answers 499 to say so.
      if (!(error instanceof SessionAnswer) || error.status >= 500) throw googleError(error, this.#options.uri);
    }
  }

  #open(upload: string, address: string, kept: number): void {
    this.#sessions.set(upload, { address, kept, passed: 0, rest: Buffer.alloc(0), md5: createHash('md5') });
  }

  #session(upload: string): Session {
    const session = this.#sessions.get(upload);
    if (session !== undefined) return session;
    throw new LabelsmithError('NETWORK', `${this.#options.uri}: the upload was not begun`);
  }

  #send(address: string, method: string, range?: string, { body, headers, signal }: SendOptions = {}): Promise<Answer> {
    const length = body?.length ?? 0;
    return send(address, {
      method,
      body,
      signal,
      silenceMs: this.#options.silenceMs,
      headers: {
        ...headers,
        'content-length': `${length}`,
        ...(range === undefined ? {} : { 'content-range': range }),
      },
    });
  }
}

interface SendOptions {
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly range: string | undefined;
  readonly text: string;
}

/** One request to a session. Fails with {@link SessionAnswer} for statuses of 400 and more. */
async function send(
  address: string,
  { method, body, headers, signal, silenceMs }: SendOptions & { readonly method: string; readonly silenceMs: number },
): Promise<Answer> {
  const request = address.startsWith('https:') ? securedRequest : plainRequest;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(address, { method, headers, signal, timeout: silenceMs }, (response) => {
    const { statusCode = 500, headers: got } = response;
    buffer(response).then((bytes) => {
      if (statusCode >= 400) reject(new SessionAnswer(statusCode));
      else resolve({ status: statusCode, range: got.range, text: bytes.toString() });
    }, reject);
  });
  sent.on('timeout', () => sent.destroy(Object.assign(new Error('silent for too long'), { code: 'ETIMEDOUT' })));
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

/** `bytes=0-99` are 100; without one the store has none. */
function bytesIn(range: string | undefined): number {
  const last = /-(\d+)$/.exec(range ?? '')?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}

/** The store keeps what it likes of what was sent. */
function advance(session: Session, kept: number): void {
  const taken = kept - session.kept;
  if (taken <= 0 || taken > session.rest.length) throw new SessionAnswer(503);
  session.kept = kept;
  session.rest = session.rest.subarray(taken);
}

function wordFor(condition: PutCondition): string {
  return condition.kind === 'version' ? `version:${condition.version}` : condition.kind;
}
