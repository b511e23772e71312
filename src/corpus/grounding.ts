/**
 * Which WordNet synset a class name means. What people said comes first; a name is looked up only where the answer is
 * clear, and has no synset otherwise: nothing is guessed.
 */
import { COCO_SYNSETS } from './coco-synsets.ts';
import type { Synset, WordNet } from './wordnet.ts';

export interface Grounding {
  readonly synset: Synset;
  /** `said` by a person or a taxonomy; COCO's meaning of the name; or the name `looked-up`. */
  readonly by: 'said' | 'coco' | 'looked-up';
  /** Which of the class's names it is of. */
  readonly name: string;
}

export interface NamedClass {
  readonly name: string;
  /** Asked in this order when the name itself says nothing. */
  readonly synonyms: readonly string[];
  readonly synset: string | null;
  /** A detector of COCO's classes uses it, so an ambiguous name means what it means in COCO. */
  readonly detected: boolean;
}

export function groundingOf(wordNet: WordNet, { name, synonyms, synset, detected }: NamedClass): Grounding | null {
  if (synset !== null) {
    const said = wordNet.synset(synset);
    return said ? { synset: said, by: 'said', name } : null;
  }
  for (const candidate of [name, ...synonyms]) {
    const looked = lookUp(wordNet, candidate);
    const coco = wordNet.synset(COCO_SYNSETS[candidate] ?? '');
    // `mouse` as a folder of pets is an animal, and from a COCO detector it is a computer's.
    if (coco && (detected || !looked || looked === coco)) return { synset: coco, by: 'coco', name: candidate };
    if (looked) return { synset: looked, by: 'looked-up', name: candidate };
  }
  return null;
}

/** Things that a camera can see. */
const VISIBLE: ReadonlySet<string> = new Set([
  'noun.animal',
  'noun.artifact',
  'noun.body',
  'noun.food',
  'noun.object',
  'noun.person',
  'noun.plant',
  'noun.substance',
]);
const VISIBLE_TOPS: ReadonlySet<string> = new Set(['animal.n.01', 'food.n.01', 'person.n.01', 'plant.n.02']);

/**
 * Words that texts mean people by more often than animals, of a seal wax: a tiger in a picture is no fierce person. Of the nouns whose
 * first sense in WordNet is no animal and a later one is, those whose pictures show the animal.
 */
const SEEN_AS_ANIMALS: ReadonlySet<string> = new Set('cardinal coon loon monarch primate seal skunk tiger'.split(' '));

/**
 * The word's only sense, or the most frequent one where texts tell which that is; and only a thing that can be seen, as
 * a class of images is of things.
 */
export function lookUp(wordNet: WordNet, name: string): Synset | null {
  for (const lemma of lemmas(name)) {
    const senses = wordNet.senses(lemma);
    const [first, ...others] = senses;
    if (!first) continue;
    if (SEEN_AS_ANIMALS.has(lemma)) return senses.find(({ synset }) => synset.field === 'noun.animal')?.synset ?? null;
    const { synset } = first;
    const clear = others.length === 0 || first.tagged;
    return clear && (VISIBLE.has(synset.field) || VISIBLE_TOPS.has(synset.key)) ? synset : null;
  }
  return null;
}

/** Whether it is a noun that WordNet knows, in the plural too. */
export function isNoun(wordNet: WordNet, word: string): boolean {
  return [...lemmas(word)].some((lemma) => wordNet.senses(lemma).length > 0);
}

/** WordNet's rules of detachment for nouns (morphy(7WN)). */
const PLURALS: readonly (readonly [ending: RegExp, singular: string])[] = [
  [/ses$/, 's'],
  [/xes$/, 'x'],
  [/zes$/, 'z'],
  [/ches$/, 'ch'],
  [/shes$/, 'sh'],
  [/men$/, 'man'],
  [/ies$/, 'y'],
  [/s$/, ''],
];

function* lemmas(name: string): Generator<string> {
  yield name;
  const spaced = name.replaceAll('-', ' ');
  if (spaced !== name) yield spaced;
  for (const [ending, singular] of PLURALS) {
    if (ending.test(spaced) && !spaced.endsWith('ss')) yield spaced.replace(ending, singular);
  }
}
