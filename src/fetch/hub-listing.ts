/**
 * What a repository of the hub holds: its files with their digests, the commit that a revision is now, its licence and
 * whether its terms have to be accepted. One question to the hub's API, or a folder of this machine with the same layout.
 */
import { readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { type BodyResponse, isPassing, mustWait, retryAfterMs, type SendRequest } from './download.ts';
import { sendTo } from './http.ts';
import {
  explainHubStatus,
  type HubReference,
  type HubSettings,
  hubSettings,
  isCommit,
  pathsInHubCaches,
} from './hub.ts';

export interface ListedFile {
  /** With `/` between parts. */
  readonly path: string;
  readonly byteSize?: number;
  /** As the hub states it, of files that it keeps as large ones. */
  readonly sha256?: string;
  /** As the hub states it, of the others: git's name of their content. */
  readonly gitBlob?: string;
  /** Where the file is to be had, for `fetchFiles`. */
  readonly reference: string;
}

export interface Listing {
  /** `OWNER/REPO`, or the folder. */
  readonly name: string;
  readonly files: readonly ListedFile[];
  /** What the revision was when it was listed; null of a folder. */
  readonly commit: string | null;
  /** As its model card states it. */
  readonly licence: string | null;
}

export interface ListOptions {
  readonly offline?: boolean;
  /** How long the hub may be silent, and the longest wait that it may ask for (default 60,000). */
  readonly timeoutMs?: number;
  /** Questions to a hub that is overloaded (default 3). */
  readonly attempts?: number;
  /** Wait before the second one, doubled each time, in ms (default 500). */
  readonly backoffMs?: number;
  /** Told where what is in a cache is taken for want of an answer. */
  readonly onNotice?: (message: string) => void;
  readonly signal?: AbortSignal;
}

const ANSWER = z.object({
  sha: z.string().refine(isCommit),
  cardData: z.object({ license: z.union([z.string(), z.array(z.string())]).optional() }).nullish(),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().nullish(),
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
      blobId: z
        .string()
        .regex(/^[0-9a-f]{40}$/)
        .nullish(),
    }),
  ),
});

/** A listing is a few kilobytes; what is larger is none. */
const MAX_BYTES = 8 * 1024 * 1024;

export async function listHubRepository(
  { owner, repo, revision }: { readonly owner: string; readonly repo: string; readonly revision: string },
  options: ListOptions = {},
): Promise<Listing> {
  const { offline = false, timeoutMs } = options;
  const hub = await hubSettings();
  const name = `${owner}/${repo}`;
  const wanted = { kind: 'hf', owner, repo, revision, file: '' } as const;
  if (offline || hub.offline) {
    const here = await listCaches(wanted, hub);
    if (here) return here;
    throw new LabelsmithError('NETWORK', `${name} is not in the hub's cache here, and no network may be used`, {
      hint: `labelsmith models pull hf:${name} where there is network; its cache folder can be copied.`,
    });
  }
  const url = `${hub.endpoint}/api/models/${owner}/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const encrypted = /^https:/i.test(url) || ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
  const send = sendTo(url, { token: encrypted ? hub.token : undefined, timeoutMs });
  const text = await bodyText(send, explainHubStatus(wanted, hub), options).catch(async (error: unknown) => {
    const here = isNoAnswer(error) ? await listCaches(wanted, hub) : undefined;
    if (!here) throw error;
    options.onNotice?.(`${messageOf(error)}; ${name} is taken from the cache of the hub’s own tools`);
    return here;
  });
  if (typeof text !== 'string') return text;
  const answer = ANSWER.safeParse(parsed(text));
  if (!answer.success) {
    throw new LabelsmithError('NETWORK', `${hub.endpoint} answered no list of files of ${name}`, {
      hint: 'HF_ENDPOINT has to be a hub or a mirror with its API. Or copy the files and import the folder.',
    });
  }
  const { sha, cardData, siblings } = answer.data;
  return {
    name,
    commit: sha,
    licence: [cardData?.license ?? null].flat()[0] ?? null,
    files: siblings.map(({ rfilename: path, size, lfs, blobId }) => ({
      path,
      reference: `hf:${name}@${sha}#${path}`,
      ...(size ? { byteSize: size } : {}),
      ...(lfs ? { sha256: lfs.sha256 } : {}),
      // Of a large file it names git's pointer to it.
      ...(!lfs && blobId ? { gitBlob: blobId } : {}),
    })),
  };
}

/** Of an error: that the hub said nothing of the repository. */
const NO_ANSWER = { noAnswer: true };

function isNoAnswer(error: unknown): boolean {
  return error instanceof LabelsmithError && error.details.noAnswer === true;
}

/**
 * A repository as the hub's own tools have it on this machine, of the revision or else of another one; undefined where no graph
 * of it is there. Its references are the hub's, so what is taken in by them is what the hub would have given.
 */
async function listCaches(wanted: HubReference, hub: HubSettings): Promise<Listing | undefined> {
  for (const folder of await pathsInHubCaches(wanted, hub, true)) {
    const { files } = await listFolder(folder).catch(() => ({ files: [] }));
    if (!files.some(({ path }) => path.endsWith('.onnx'))) continue;
    const name = `${wanted.owner}/${wanted.repo}`;
    const commit = basename(folder);
    const listed = files.map(async ({ path, byteSize }) => {
      const digest = await blobDigest(join(folder, path));
      return { path, ...(byteSize ? { byteSize } : {}), ...digest, reference: `hf:${name}@${commit}#${path}` };
    });
    return { name, commit, licence: null, files: await Promise.all(listed) };
  }
  return undefined;
}

/** The hub's tools call a file by the digest that the hub states for it, and link to it. */
async function blobDigest(path: string): Promise<Pick<ListedFile, 'sha256' | 'gitBlob'>> {
  const name = basename(await readlink(path).catch(() => ''));
  if (/^[0-9a-f]{64}$/.test(name)) return { sha256: name };
  return isCommit(name) ? { gitBlob: name } : {};
}

async function bodyText(
  send: SendRequest,
  explain: ReturnType<typeof explainHubStatus>,
  { attempts = 3, backoffMs = 500, timeoutMs = 60_000, signal }: ListOptions,
): Promise<string> {
  for (let tried = 1; ; tried++) {
    const { status, header, text } = await answerOf(send, signal);
    if (status === 200) return text;
    const explained = explain(status, header);
    if (explained) throw explained;
    const waitMs = retryAfterMs(header('retry-after')) ?? 0;
    const what = 'the hub’s list of files';
    if (waitMs > timeoutMs) throw mustWait(what, `the hub answered ${status}`, waitMs);
    if (!isPassing(status) || tried >= attempts) {
      throw new LabelsmithError('NETWORK', `the hub answered ${status} when asked for a list of files`, {
        hint: 'Try again later, or copy the files and import the folder.',
        details: status >= 500 ? NO_ANSWER : {},
      });
    }
    await sleep(Math.max(waitMs, backoffMs * 2 ** (tried - 1)), undefined, { signal });
  }
}

async function answerOf(
  send: SendRequest,
  signal: AbortSignal | undefined,
): Promise<Pick<BodyResponse, 'status' | 'header'> & { readonly text: string }> {
  const response = await send({ accept: 'application/json' }, signal).catch((cause: unknown) => {
    signal?.throwIfAborted();
    if (cause instanceof LabelsmithError) throw cause;
    throw new LabelsmithError('NETWORK', `the hub cannot be reached: ${messageOf(cause)}`, {
      cause,
      hint: /certificate/i.test(messageOf(cause))
        ? 'A company’s proxy may answer in its place: NODE_EXTRA_CA_CERTS, or REQUESTS_CA_BUNDLE, names the file of its certificates.'
        : 'Where there is a mirror, HF_ENDPOINT names it. Or copy the model’s files, and import the folder.',
      details: NO_ANSWER,
    });
  });
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body) {
    length += piece.byteLength;
    if (length > MAX_BYTES) throw new LabelsmithError('NETWORK', 'the hub’s list of files has no end');
    pieces.push(piece);
  }
  const { status } = response;
  return { status, header: (name) => response.header(name), text: Buffer.concat(pieces).toString('utf8') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A folder with the files of a repository, two levels deep. */
export async function listFolder(folder: string): Promise<Listing> {
  const files: ListedFile[] = [];
  const walk = async (at: string, depth: number): Promise<void> => {
    for (const name of (await namesIn(at)).sort()) {
      const path = join(at, name);
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory() && depth < 2) await walk(path, depth + 1);
      if (!found?.isFile()) continue;
      const inside = relative(folder, path).split(sep).join('/');
      files.push({ path: inside, byteSize: found.size, reference: `file:${path}` });
    }
  };
  await walk(folder, 0);
  return { name: folder, files, commit: null, licence: null };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ENOENT') throw cause;
    throw new LabelsmithError('NOT_FOUND', `there is no folder ${folder}`, { cause });
  }
}
