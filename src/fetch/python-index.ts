/**
 * Source archives of the Python package index, for packages that have no wheel. Neither pip nor uv can be asked for one: both
 * run its `setup.py` to learn its name. So the index that pip is set up for is read here (PEP 503 and 691), and the archive is
 * downloaded as any file, checked against the index's SHA-256, and never built.
 */
import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import { LabelsmithError } from '../errors.ts';
import type { SendRequest } from './download.ts';
import { sendTo } from './http.ts';

export interface SourceArchive {
  readonly url: string;
  readonly sha256: string;
  readonly send: SendRequest;
}

const PUBLIC_INDEX = 'https://pypi.org/simple';
const ACCEPT = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5';
/** The longest list of a package's files that is read. */
const MAX_PAGE_CHARACTERS = 50_000_000;

const PAGE = z.object({
  files: z.array(z.object({ filename: z.string(), url: z.string(), hashes: z.record(z.string(), z.string()) })),
});
type ListedFile = z.infer<typeof PAGE>['files'][number];

/** The archive of that version as the index lists it; undefined where it lists none. */
export async function findSourceArchive(packageName: string, version: string): Promise<SourceArchive | undefined> {
  const { base, authorization } = withoutCredentials(indexOf(process.env));
  const name = normalised(packageName);
  const page = new URL(`${name}/`, `${base.replace(/\/+$/, '')}/`);
  const { status, header, body } = await sendTo(page.href, { authorization })({ accept: ACCEPT });
  let text = '';
  for await (const piece of decoded(body)) {
    text += piece;
    if (text.length > MAX_PAGE_CHARACTERS) throw unreadable(page);
  }
  if (status === 404) return undefined;
  if (status !== 200) throw new LabelsmithError('NETWORK', `${page.host} answered ${status} for ${packageName}`);
  const files = /json/.test(header('content-type') ?? '') ? filesOfJson(text, page) : filesOfHtml(text);
  const found = files.find(({ filename }) => isArchive(filename, name, version));
  const sha256 = found?.hashes.sha256;
  if (!found || !sha256) return undefined;
  const url = new URL(found.url, page);
  return { url: url.href, sha256, send: sendTo(url.href, url.host === page.host ? { authorization } : {}) };
}

/** Where pip looks: its variable, its settings, uv's variables, the public index. */
function indexOf(env: NodeJS.ProcessEnv): string {
  if (env.PIP_INDEX_URL) return env.PIP_INDEX_URL;
  for (const [command, ...args] of [['pip'], ['python3', '-m', 'pip']] as const) {
    const asked = spawnSync(command, [...args, 'config', 'get', 'global.index-url'], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const url = asked.stdout?.trim();
    if (asked.status === 0 && url && URL.canParse(url)) return url;
  }
  return env.UV_DEFAULT_INDEX || env.UV_INDEX_URL || PUBLIC_INDEX;
}

/** Credentials go into a header, so that no message shows them. */
function withoutCredentials(index: string): { base: string; authorization?: string } {
  if (!URL.canParse(index)) {
    throw new LabelsmithError('USAGE', `the Python package index is "${index}", which is no address`, {
      hint: 'Set it with `pip config set global.index-url`, or in PIP_INDEX_URL.',
    });
  }
  const url = new URL(index);
  const { username, password } = url;
  if (!username) return { base: index };
  url.username = '';
  url.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { base: url.href, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function* decoded(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of body) yield decoder.decode(piece, { stream: true });
}

function filesOfJson(text: string, page: URL): readonly ListedFile[] {
  try {
    return PAGE.parse(JSON.parse(text)).files;
  } catch (cause) {
    throw unreadable(page, cause);
  }
}

function unreadable(page: URL, cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `${page.host} lists the files of a package in a form that is not known here`, {
    cause,
    hint: 'The index is to answer as PEP 503 or PEP 691 say. Ask who runs it.',
  });
}

/** Links with the SHA-256 behind `#`. */
function filesOfHtml(text: string): readonly ListedFile[] {
  return [...text.matchAll(/<a\s[^>]*href="([^"#]+)(?:#sha256=([0-9a-f]{64}))?"[^>]*>([^<]+)<\/a>/gi)].map(
    ([, url, sha256, filename]): ListedFile => ({
      url: url.replaceAll('&amp;', '&'),
      filename: filename.trim(),
      hashes: sha256 === undefined ? {} : { sha256 },
    }),
  );
}

/** One name a package, however it is written (PEP 503). */
function normalised(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

function isArchive(filename: string, name: string, version: string): boolean {
  const stem = /^(.+)-([^-]+)\.tar\.gz$/.exec(filename);
  return stem !== null && normalised(stem[1]) === name && stem[2] === version;
}
