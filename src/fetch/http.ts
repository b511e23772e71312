/**
 * Requests with the proxy and certificate settings that people have set up: npm's, and for certificates also the files that
 * Python's tools are given.
 *
 * Guarantees: a token goes to the host that it is for and to no other, whatever that host redirects to; an encrypted
 * request is never redirected to one that is not.
 */
import { readFile } from 'node:fs/promises';
import * as tls from 'node:tls';
import type { FetchOptions } from 'make-fetch-happen';
import { LabelsmithError, messageOf } from '../errors.ts';
import type { BodyResponse, SendRequest } from './download.ts';
import { bodyOf, loadNpmSettings } from './npm-registry.ts';

export interface RequestOptions {
  /** Sent as a bearer token to the URL's own host. */
  readonly token?: string;
  /** A whole `authorization` header for that host, where it takes no token. */
  readonly authorization?: string;
  /** How long the server may be silent (default 60,000). */
  readonly timeoutMs?: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 10;

export function sendTo(url: string, { token, timeoutMs = 60_000, ...options }: RequestOptions = {}): SendRequest {
  const authorization = token ? `Bearer ${token}` : options.authorization;
  return async (headers, signal) => {
    const [{ default: fetch }, settings, bundle] = await Promise.all([
      import('make-fetch-happen'),
      loadNpmSettings(),
      certificatesOf(process.env),
    ]);
    const request = (at: URL, authorized: boolean) => {
      // The package's types leave out the signal, which it hands on.
      const options: FetchOptions & { readonly signal?: AbortSignal } = {
        headers: { ...headers, ...(authorized && authorization ? { authorization } : {}) },
        redirect: 'manual',
        compress: false,
        retry: false,
        cache: 'no-store',
        timeout: timeoutMs,
        signal,
        ca: settings.ca || bundle ? [...[settings.ca ?? []].flat(), ...(bundle ?? [])] : undefined,
        strictSSL: settings.strictSSL,
        proxy: settings.httpsProxy ?? settings.proxy,
        noProxy: settings.noProxy,
      };
      return fetch(at.href, options);
    };
    return followed(new URL(url), async (at, authorized) => bodyOf(await request(at, authorized)));
  };
}

/** @param request `authorized`: whether the host is still the one that the token is for */
async function followed(
  first: URL,
  request: (at: URL, authorized: boolean) => Promise<BodyResponse>,
): Promise<BodyResponse> {
  let at = first;
  let authorized = true;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await request(at, authorized);
    const location = response.header('location');
    if (!REDIRECTS.has(response.status) || location === null) {
      return authorized ? response : { ...response, elsewhere: at.host };
    }
    await discard(response.body);
    const next = new URL(location, at);
    if (at.protocol === 'https:' && next.protocol !== 'https:') {
      throw new LabelsmithError('REFUSED', `${at.host} redirects to ${next.host}, which is not encrypted`, {
        hint: 'A proxy may stand between. Ask who runs it, or fetch the file another way and name its folder in LABELSMITH_MODELS.',
      });
    }
    authorized &&= next.origin === first.origin;
    at = next;
  }
  throw new LabelsmithError('REFUSED', `${first.host} redirects more than ${MAX_REDIRECTS} times`, {
    hint: 'A proxy may want you to log in: open the address in a browser, or fetch the file there.',
  });
}

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body);
}

/**
 * The authorities of a company as Python's tools are told of them, all of those files, beside those that Node has by itself or by
 * its own variable.
 */
async function certificatesOf(env: NodeJS.ProcessEnv): Promise<string[] | undefined> {
  const files = new Map<string, string>();
  for (const name of ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE']) {
    const file = env[name];
    if (!file || files.has(file)) continue;
    try {
      files.set(file, await readFile(file, 'utf8'));
    } catch (cause) {
      throw new LabelsmithError('USAGE', `${name} names ${file}, which cannot be read: ${messageOf(cause)}`, {
        cause,
        hint: 'Let it name a file of certificates in PEM form, or unset it.',
      });
    }
  }
  return files.size === 0 ? undefined : [...(await nodesOwn(env)), ...files.values()];
}

/** Since Node 22.15 it says all that it trusts; before, its built-in ones are known, and the file that its variable names. */
async function nodesOwn(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  if (typeof tls.getCACertificates === 'function') return tls.getCACertificates('default');
  const extra = env.NODE_EXTRA_CA_CERTS;
  return [...tls.rootCertificates, ...(extra ? [await readFile(extra, 'utf8').catch(() => '')] : [])];
}
