/**
 * Names from a model that the user runs or pays for: any endpoint of chat completions that takes pictures, in OpenAI's form (Ollama,
 * llama.cpp, vLLM, a cloud's). It is shown a contact sheet of a cluster beside those of its nearest others and asked for a name, a
 * definition, and whether it is one thing; or sheets of all clusters, and asked which classes are in the pile.
 *
 * What is sent: one JPEG a question and the question; in it at most nine pictures of a cluster at 160 pixels, and nine of each of two
 * neighbours at half of that. One picture a question, since some servers take no more. No file names, no paths, no metadata.
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
  /** An answer for a cluster in which there is no name that can be used, as it came; the cluster gets none by it. */
  readonly onNoName?: (answer: string) => void;
  readonly signal?: AbortSignal;
}

const ANSWER =
  'Answer with one JSON object and nothing else: {"name": a singular English noun of one to three words, as specific as all ' +
  'pictures allow, "definition": one short sentence, "one_thing": true if all or nearly all pictures show that kind of thing, else false}';
const ALONE =
  'These pictures were put together by a program because they look alike. Which one kind of thing do they show?';
const BESIDE =
  'The pictures in the green frame at the left were put together by a program because they look alike. Those in the dark frames at ' +
  'the right are its nearest other groups. Which one kind of thing do the pictures at the left show, so named that it is told apart ' +
  'from the groups at the right?';
const CLASSES =
  'Each row of this picture shows one group of a larger collection, put together by a program because they look alike. Which classes ' +
  'should the collection be sorted into? Answer with one JSON object and nothing else: {"classes": [{"name": a singular English noun ' +
  'of one to three words, "definition": one short sentence}, …]}, each class once, and none that is a kind of another.';
/** Tokens of an answer. */
const MAX_TOKENS = { name: 300, classes: 1500 } as const;

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

const PROPOSED = z.object({
  classes: z.array(z.object({ name: z.string(), definition: z.string().max(500).default('') })).max(200),
});

function unfit(name: string): boolean {
  return (
    name.length > MAX_NAME || name.split(/\s+/).length > MAX_WORDS || !/\p{L}/u.test(name) || /[\n{}[\]"<>]/.test(name)
  );
}

/**
 * What the model calls a cluster, as a candidate; null where its answer is none.
 *
 * @param sheet a JPEG. @param shown pictures of the cluster on it. @param beside whether its neighbours are beside it. @param known
 * names of classes, which are taken as they are written
 */
export async function askNamer(
  sheet: Uint8Array,
  {
    shown,
    known,
    beside,
  }: { readonly shown: number; readonly known: ReadonlyMap<string, string>; readonly beside: boolean },
  options: NamerOptions,
): Promise<Candidate | null> {
  const question = `${beside ? BESIDE : ALONE} ${ANSWER}`;
  const answer = await complete(sheet, { question, maxTokens: MAX_TOKENS.name }, options);
  const said = objectIn(answer, SAID);
  if (!said || unfit(said.name.trim())) {
    options.onNoName?.(answer);
    return null;
  }
  const name = normalised(said.name.trim(), known);
  const score = said.one_thing ? EVIDENCE_TRUST.namer : Math.min(EVIDENCE_TRUST.namer, NAMING_SCORE) / 2;
  const told = oneLine(said.definition);
  const evidence = { source: 'namer', count: said.one_thing ? shown : 0, of: shown, outside: 0, lift: 1 } as const;
  return { name, score, evidence: [{ ...evidence, by: options.model, ...(told === '' ? {} : { told }) }] };
}

export interface ProposedClass {
  readonly name: string;
  /** May be empty. */
  readonly definition: string;
}

/** Which classes the model would sort what is on a sheet into; what is no name is left out. @param sheet a JPEG, a row a cluster */
export async function askForClasses(
  sheet: Uint8Array,
  known: ReadonlyMap<string, string>,
  options: NamerOptions,
): Promise<ProposedClass[]> {
  const answer = await complete(sheet, { question: CLASSES, maxTokens: MAX_TOKENS.classes }, options);
  const said = objectIn(answer, PROPOSED)?.classes ?? [];
  return said.flatMap(({ name, definition }) =>
    unfit(name.trim()) ? [] : [{ name: normalised(name.trim(), known), definition: oneLine(definition) }],
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
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
function objectIn<S extends z.ZodType>(text: string, schema: S): z.output<S> | null {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (start < 0 || end < start) return null;
  try {
    return schema.safeParse(JSON.parse(text.slice(start, end + 1))).data ?? null;
  } catch {
    return null;
  }
}

async function complete(
  sheet: Uint8Array,
  { question, maxTokens }: { readonly question: string; readonly maxTokens: number },
  options: NamerOptions,
): Promise<string> {
  const { url, model, apiKey, timeoutMs = 120_000, signal } = options;
  const image = `data:image/jpeg;base64,${Buffer.from(sheet).toString('base64')}`;
  const content = [
    { type: 'text', text: question },
    { type: 'image_url', image_url: { url: image } },
  ];
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
      body: JSON.stringify({ model, messages: [{ role: 'user', content }], temperature: 0, max_tokens: maxTokens }),
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
