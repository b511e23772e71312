/**
 * The Hugging Face hub as a place of files, or the mirror of it that the user names: its addresses, the user's token, the
 * caches of its own tools on this machine, and what its refusals mean. The variables are those of the hub's own tools.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { homedirIfAny } from '../files/home.ts';
import type { DownloadOptions } from './download.ts';
import type { Reference } from './reference.ts';

export type HubReference = Extract<Reference, { kind: 'hf' }>;

export interface HubSettings {
  /** `HF_ENDPOINT`, without a slash at the end. */
  readonly endpoint: string;
  readonly token?: string;
  /** Where the token was found: a variable or a file. */
  readonly tokenFrom?: string;
  /** Cache folders of the hub's tools, whether they exist or not. */
  readonly caches: readonly string[];
  /** `HF_HUB_OFFLINE`: the hub is not to be asked. */
  readonly offline: boolean;
}

const TRUE = /^(1|on|yes|true)$/i;

/** Whether a variable is set to what counts as yes. */
export function isOn(value: string | undefined): boolean {
  return TRUE.test(value ?? '');
}

export async function hubSettings(env: NodeJS.ProcessEnv = process.env, home = homedirIfAny()): Promise<HubSettings> {
  const endpoint = (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  if (!URL.canParse(endpoint)) {
    throw new LabelsmithError('USAGE', `HF_ENDPOINT is "${env.HF_ENDPOINT}", which is no address`, {
      hint: 'Set it to an address such as https://hub.example.com, or unset it.',
    });
  }
  const base = env.XDG_CACHE_HOME || (home === undefined ? undefined : join(home, '.cache'));
  const own = env.HF_HOME || (base === undefined ? undefined : join(base, 'huggingface'));
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  const caches = named ? [named] : own === undefined ? [] : [join(own, 'hub')];
  return { endpoint, ...(await tokenOf(env, own)), caches, offline: isOn(env.HF_HUB_OFFLINE) };
}

async function tokenOf(
  env: NodeJS.ProcessEnv,
  folder: string | undefined,
): Promise<Pick<HubSettings, 'token' | 'tokenFrom'>> {
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const token = env[name]?.trim();
    if (token) return { token, tokenFrom: name };
  }
  const file = env.HF_TOKEN_PATH || (folder === undefined ? undefined : join(folder, 'token'));
  if (file === undefined || isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return {};
  const token = (await readFile(file, 'utf8').catch(() => '')).trim();
  return token ? { token, tokenFrom: file } : {};
}

export function hubUrl({ owner, repo, revision, file }: HubReference, { endpoint }: HubSettings): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${owner}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/**
 * Where the hub's tools may have put a file: of the revision that is asked for, and with `anyRevision` (its content is
 * known) of the others too. Not all of them exist.
 */
export async function pathsInHubCaches(
  { owner, repo, revision, file }: HubReference,
  { caches }: HubSettings,
  anyRevision: boolean,
): Promise<string[]> {
  const paths: string[] = [];
  for (const cache of caches) {
    const folder = join(cache, `models--${owner}--${repo}`);
    const commits = new Set<string>();
    if (isCommit(revision)) commits.add(revision);
    else if (!revision.split('/').includes('..')) {
      const commit = await readFile(join(folder, 'refs', revision), 'utf8').catch(() => '');
      if (isCommit(commit.trim())) commits.add(commit.trim());
    }
    if (anyRevision) {
      for (const name of await readdir(join(folder, 'snapshots')).catch(() => [])) commits.add(name);
    }
    paths.push(...[...commits].map((commit) => join(folder, 'snapshots', commit, ...file.split('/'))));
  }
  return paths;
}

/** A revision that always has the same content. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** What the hub means by a status, where it is not what everybody means by it. */
export function explainHubStatus(
  { owner, repo, revision, file }: HubReference,
  { endpoint, token, tokenFrom }: HubSettings,
): NonNullable<DownloadOptions['explainStatus']> {
  const page = `${endpoint}/${owner}/${repo}`;
  const refused = (message: string, hint: string) => new LabelsmithError('NETWORK', message, { hint });
  const absent = (message: string, hint: string) => new LabelsmithError('NOT_FOUND', message, { hint });
  return (status, header) => {
    const code = header('x-error-code');
    if (code === 'GatedRepo' || (status === 403 && token)) {
      return refused(
        `${owner}/${repo} is open only to those who accepted its terms (${status})`,
        `Accept them at ${page} with the account of your token${tokenFrom ? ` (from ${tokenFrom})` : ', and set HF_TOKEN to it'}.`,
      );
    }
    if (status === 401 || status === 403) {
      return token
        ? refused(
            `the hub does not accept the token in ${tokenFrom} (${status})`,
            `Make a new one at ${endpoint}/settings/tokens.`,
          )
        : refused(
            `the hub shows ${owner}/${repo} to nobody without a token (${status})`,
            `Check the name at ${page}. If it is private or asks for terms, set HF_TOKEN to a token that may read it.`,
          );
    }
    if (status !== 404) return undefined;
    if (code === 'RevisionNotFound')
      return absent(`${owner}/${repo} has no revision ${revision} (404)`, `Its revisions are listed at ${page}.`);
    if (code === 'RepoNotFound' || file === '') {
      return absent(
        `the hub has no ${owner}/${repo} (404)`,
        'Check the name; a private one is shown only with a token in HF_TOKEN.',
      );
    }
    return absent(
      `${owner}/${repo} has no file ${file} at revision ${revision} (404)`,
      `Its files are listed at ${page}/tree/${encodeURIComponent(revision)}.`,
    );
  };
}
