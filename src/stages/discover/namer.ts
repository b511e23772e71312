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
import { foldClassName, readClassName, toClassName } from '../../core/class-name.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { LabelsmithError } from '../../errors.ts';
import { type Candidate, EVIDENCE_TRUST, NAMING_SCORE } from './evidence.ts';
import { complete, jsonOf, type NamerOptions } from './namer-request.ts';

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

const MAX_NAME = 60;
const MAX_WORDS = 5;

/** One that is missing, null or a page long is none, and the name counts without it. */
const DEFINITION = z.string().max(500).catch('');
const SAID = z.object({
  name: z.string().min(1),
  definition: DEFINITION,
  one_thing: z.union([z.boolean(), z.literal('true').transform(() => true)]).catch(false),
});

const PROPOSED = z.object({
  classes: z.array(z.object({ name: z.string(), definition: DEFINITION })).max(200),
});

function unfit(given: string): boolean {
  const name = withoutEnd(given);
  return (
    readClassName(name).kind === 'refused' ||
    name.length > MAX_NAME ||
    name.split(/\s+/).length > MAX_WORDS ||
    !/\p{L}/u.test(name) ||
    /[\n{}[\]"<>]/.test(name)
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

/** Models like to end what they say as a sentence. */
function withoutEnd(name: string): string {
  return name.replace(/[.!]+$/, '');
}

/** As the corpus writes it, else as WordNet does, else as it came. */
function normalised(given: string, known: ReadonlyMap<string, string>): string {
  const name = toClassName(withoutEnd(given));
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

/** Where an object may begin: models like to think aloud, in braces too. */
const MAX_BEGINNINGS = 50;

/** The JSON object of that form in a text; models like to wrap it in words and fences. */
function objectIn<S extends z.ZodType>(text: string, schema: S): z.output<S> | null {
  const end = text.lastIndexOf('}') + 1;
  let start = text.indexOf('{');
  for (let tried = 0; start >= 0 && start < end && tried < MAX_BEGINNINGS; tried++) {
    const found = schema.safeParse(jsonOf(text.slice(start, end)));
    if (found.success) return found.data;
    start = text.indexOf('{', start + 1);
  }
  return null;
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
