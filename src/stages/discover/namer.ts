/**
 * Names from a model that the user runs or pays for: any endpoint of chat completions that takes pictures, in OpenAI's form (Ollama,
 * llama.cpp, vLLM, a cloud's). It is shown a contact sheet of a cluster and asked for a name, a definition, and whether it is one thing.
 *
 * What is sent: one JPEG of at most nine pictures of 160 pixels a cluster, and the question; no file names, no paths, no metadata.
 * What comes back is untrusted text: it is bounded, read as one small JSON object, and its name is a candidate with the model as
 * its origin, like any other evidence. A cluster that the model calls several things gets no name by it.
 */
import { z } from 'zod';
import { foldClassName, toClassName } from '../../core/class-name.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { isInterruption, LabelsmithError, messageOf } from '../../errors.ts';
import { type Candidate, EVIDENCE_TRUST, NAMING_SCORE } from './evidence.ts';

export interface NamerOptions {
  /** Up to `/v1`; `/chat/completions` is added. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token, to that address alone. */
  readonly apiKey?: string;
  /** For one answer, in ms (default 120,000: a large model on a small machine is slow). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const QUESTION =
  'These pictures were put together by a program because they look alike. Which one kind of thing do they show? Answer with one ' +
  'JSON object and nothing else: {"name": a singular English noun of one to three words, as specific as all pictures allow, ' +
  '"definition": one short sentence, "one_thing": true if all or nearly all pictures show that kind of thing, else false}';

/** An answer is a few hundred bytes; what is much larger is none. */
const MAX_BYTES = 1 << 20;
const MAX_NAME = 60;
const MAX_WORDS = 5;

const COMPLETION = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });
const SAID = z.object({
  name: z.string().min(1),
  definition: z.string().max(500).default(''),
  one_thing: z.boolean().default(false),
});

/** Why a name is no name, or null. */
function unfit(name: string): boolean {
  return (
    name.length > MAX_NAME || name.split(/\s+/).length > MAX_WORDS || !/\p{L}/u.test(name) || /[\n{}[\]"<>]/.test(name)
  );
}

/**
 * What the model calls a cluster, as a candidate; null where its answer is none.
 *
 * @param sheet a JPEG. @param shown pictures on it. @param known names of classes, which are taken as they are written
 */
export async function askNamer(
  sheet: Uint8Array,
  { shown, known }: { readonly shown: number; readonly known: ReadonlyMap<string, string> },
  options: NamerOptions,
): Promise<Candidate | null> {
  const said = saidIn(await complete(sheet, options));
  if (!said || unfit(said.name.trim())) return null;
  const name = normalised(said.name.trim(), known);
  const score = said.one_thing ? EVIDENCE_TRUST.namer : Math.min(EVIDENCE_TRUST.namer, NAMING_SCORE) / 2;
  const told = said.definition.replaceAll(/\s+/g, ' ').trim();
  const evidence = { source: 'namer', count: said.one_thing ? shown : 0, of: shown, outside: 0, lift: 1 } as const;
  return { name, score, evidence: [{ ...evidence, by: options.model, ...(told === '' ? {} : { told }) }] };
}

/** As the corpus writes it, else as WordNet does, else as it came. */
function normalised(given: string, known: ReadonlyMap<string, string>): string {
  const name = toClassName(given.replace(/[.!]+$/, ''));
  const there = known.get(foldClassName(name));
  if (there !== undefined) return there;
  return wordNet().senses(name).length > 0 && name === name.toLowerCase() ? name : lowerUnlessProper(name);
}

/** Models write nouns with capitals at the beginning of an answer. */
function lowerUnlessProper(name: string): string {
  const lower = name.toLowerCase();
  const [sense] = wordNet().senses(lower);
  return sense?.synset.words.some((word) => word === lower) ? lower : name;
}

/** The one JSON object in a text; models like to wrap it in words and fences. */
function saidIn(text: string): z.infer<typeof SAID> | null {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (start < 0 || end < start) return null;
  try {
    return SAID.safeParse(JSON.parse(text.slice(start, end + 1))).data ?? null;
  } catch {
    return null;
  }
}

async function complete(sheet: Uint8Array, options: NamerOptions): Promise<string> {
  const { url, model, apiKey, timeoutMs = 120_000, signal } = options;
  const image = `data:image/jpeg;base64,${Buffer.from(sheet).toString('base64')}`;
  const content = [
    { type: 'text', text: QUESTION },
    { type: 'image_url', image_url: { url: image } },
  ];
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
      body: JSON.stringify({ model, messages: [{ role: 'user', content }], temperature: 0, max_tokens: 300 }),
      // A token must not follow to another host, nor the pictures.
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await boundedText(response);
    if (!response.ok) {
      throw new LabelsmithError('NETWORK', `the namer at ${url} answered ${response.status}: ${text.slice(0, 200)}`, {
        hint: 'Check --namer and --namer-model; a key goes into LABELSMITH_NAMER_KEY.',
      });
    }
    return COMPLETION.safeParse(jsonOf(text)).data?.choices[0]?.message.content ?? '';
  } catch (error) {
    if (error instanceof LabelsmithError || isInterruption(error) || signal?.aborted) throw error;
    const why = timeout.aborted
      ? `gave no answer within ${timeoutMs / 1000} seconds`
      : `cannot be reached: ${reasonOf(error)}`;
    throw new LabelsmithError('NETWORK', `the namer at ${url} ${why}`, {
      cause: error,
      hint: 'Start it (ollama serve, say), or leave --namer out: clusters need no names to be made.',
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

async function boundedText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.byteLength;
    if (length > MAX_BYTES) throw new LabelsmithError('NETWORK', 'the namer’s answer has no end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Refuses what is no address before anything is made. */
export function namerFrom(url: string, model: string | undefined, apiKey: string | undefined): NamerOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new LabelsmithError('USAGE', `--namer is "${url}", which is no address`, {
      hint: 'Such as http://localhost:11434/v1 for Ollama.',
    });
  }
  if (model === undefined) {
    throw new LabelsmithError('USAGE', '--namer needs --namer-model.', {
      hint: 'The name under which that server has it.',
    });
  }
  return { url, model, ...(apiKey ? { apiKey } : {}) };
}
